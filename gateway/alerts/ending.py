"""Why an alert is over by the data, in both languages: what its timeline says to people."""

from contracts.words import both

OBSERVATION_CLOSED = both("观察已结束", "observation closed")
OBSERVATION_RETRACTED = both(
    "观察撤回：是画面，不是人", "observation taken back: a picture, no person"
)
HEARD_AGAIN = both("已恢复联系", "heard again")
NOT_REGISTERED = both("设备已注销", "no longer registered")
NOT_TOGETHER = both("不再同时出现", "no longer together")
NOT_SO = both("情况已解除", "no longer so")
NO_MORE = both("时限内未再增加", "no more within the time")
CAME = both("已收到", "came")
DAY_OVER = both("当日已过", "the day is over")
RECEIPTED = both("积压已入库", "receipted")
FOUND_AGAIN = both("缺失数据已找到", "found again")
LATE = both("补传数据，事情已过", "told late, and over by now")
REACHED = ("已达限值", "reached")
NOT_HEADING = ("不再趋近", "no longer heading there")


def with_value(value: str, limit: str, why: tuple[str, str] = ("", "")) -> str:
    """The value that ended it, beside its limit."""
    zh, en = why
    return both(
        f"{value}，限值 {limit}" + (f"：{zh}" if zh else ""),
        f"{value}, limit {limit}" + (f": {en}" if en else ""),
    )
