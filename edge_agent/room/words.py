"""What the room says to operators by itself, in both languages: refusals, the label's page."""

from enum import StrEnum

from contracts.words import both


class Refusal(StrEnum):
    """Why a request is not carried out."""

    PRODUCT = "product"
    FIELDS = "fields"
    NO_SAMPLE = "no_sample"
    VOIDED = "voided"
    REASON = "reason"
    NO_RESULT = "no_result"
    FULL = "full"
    DISK = "disk"
    SOON = "soon"
    NO_TASK = "no_task"


SAID: dict[Refusal, tuple[str, str]] = {
    Refusal.PRODUCT: ("请先填写品名", "say which product it is"),
    Refusal.FIELDS: ("填写内容有误", "something in the form cannot be read"),
    Refusal.NO_SAMPLE: ("没有这个样品", "there is no such sample"),
    Refusal.VOIDED: ("样品已作废", "the sample was voided"),
    Refusal.REASON: ("请写明作废原因", "say why it is voided"),
    Refusal.NO_RESULT: ("没有这条结果", "there is no such result"),
    Refusal.FULL: ("该样品的结果已达上限", "this sample holds as many results as it can"),
    Refusal.NO_TASK: ("没有这项任务", "there is no such task"),
    Refusal.SOON: ("正在取号，请稍候", "the number comes in a moment"),
    Refusal.DISK: (
        "终端的磁盘写不进去，没有保存：内容留在本页，恢复后自动提交。请勿关闭页面，并告知维护人员",
        "the agent's disk cannot be written: nothing was stored there. It is kept on this page and "
        "handed over later: keep the page open, call for help",
    ),
}

OUTBOX = (
    "终端的发送箱写不进去（磁盘满或被占用）：登记照常，样品已存在本室，恢复后自动上传；新的检测结果可能还在仪器里。"
    "请告知维护人员",
    "the agent's outbox cannot be written (disk full, or in use): go on, samples are stored in "
    "this room and sent later; new results may still be in the instrument. Call for help",
)
"""Said while desk and outbox are out of step."""
LABEL = {
    "title": both("样品标签", "Sample label"),
    "print": both("打印", "Print"),
    "back": both("返回快检室", "Back to the testing room"),
    "hint": both(
        "用浏览器的打印功能打印，纸张按标签大小，不缩放",
        "print from the browser's menu: paper of the label's size, scale 100 %",
    ),
}
"""What the label's page says around the label."""


class Refused(Exception):
    """A request that cannot be carried out; nothing was changed."""

    def __init__(self, why: Refusal, detail: str = "") -> None:
        super().__init__(detail or SAID[why][1])
        self.why = why
        self.zh, self.en = SAID[why]
