"""What the doctor says, in Chinese and in English: each cause with its finding and the way out."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from contracts.words import both


class Cause(StrEnum):
    """Why events are not in the city, or what will keep them from it."""

    NO_AGENT = "no_agent"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    TLS = "tls"
    CERTIFICATE = "certificate"
    RECEIPTS_FORBIDDEN = "receipts_forbidden"
    NOBODY_LISTENS = "nobody_listens"
    NO_RECEIPTS = "no_receipts"
    HELD = "held"
    NOT_CONNECTED = "not_connected"
    WAITING = "waiting"
    DRAINING = "draining"
    TAKEN_IN = "taken_in"
    DISK_FULL = "disk_full"
    DISK_READ_ONLY = "disk_read_only"
    DISK_LOW = "disk_low"
    OUTBOX_FULL = "outbox_full"
    OUTBOX_UNREADABLE = "outbox_unreadable"
    OUTBOX_BROKEN = "outbox_broken"
    THINNED = "thinned"
    QUARANTINED = "quarantined"
    CLOCK = "clock"
    VAULT = "vault"
    ROOM_UNREADABLE = "room_unreadable"
    ROOM_ASKS = "room_asks"
    ROOM_NO_BOOK = "room_no_book"


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong, and the way out; both texts are ``中文 / English``."""

    cause: Cause
    what: str
    advice: str
    since: datetime | None = None
    grave: bool = True


_START = (
    "启动它：systemctl start foodsentry-edge，或 foodsentry edge run SETTINGS.toml",
    "start it: `systemctl start foodsentry-edge`, or `foodsentry edge run SETTINGS.toml`",
)
_WHAT: dict[Cause, tuple[str, str]] = {
    Cause.NO_AGENT: ("没有终端程序在使用此暂存库", "no agent runs on this outbox"),
    Cause.UNREACHABLE: ("连不上消息服务器：{said}", "{said}"),
    Cause.REFUSED: ("消息服务器拒绝登录：{said}", "{said}"),
    Cause.TLS: ("加密连接（TLS）不成：{said}", "{said}"),
    Cause.CERTIFICATE: ("证书：{said}", "{said}"),
    Cause.RECEIPTS_FORBIDDEN: ("消息服务器不准读取回执：{said}", "{said}"),
    Cause.NOBODY_LISTENS: (
        "{backlog} 条未得回执；消息服务器称无人订阅，网关没有在收",
        "{backlog} events are not receipted; the broker says that nobody subscribes: no gateway",
    ),
    Cause.NO_RECEIPTS: (
        "{backlog} 条未得回执，且没有回执到来",
        "{backlog} events are not receipted, and no receipts come",
    ),
    Cause.HELD: ("消息服务器不收 {said}", "the broker does not take {said}"),
    Cause.NOT_CONNECTED: (
        "{backlog} 条未得回执；终端称：{said}",
        "{backlog} events are not receipted; the agent says: {said}",
    ),
    Cause.WAITING: ("{backlog} 条未得回执", "{backlog} events are not receipted"),
    Cause.DRAINING: (
        "{backlog} 条未得回执，正在补传",
        "{backlog} events are not receipted; they are on their way",
    ),
    Cause.TAKEN_IN: (
        "{backlog} 条未得回执，其中 {taken} 条市里已入账、已判警，只是时序库没有写入",
        "{backlog} events are not receipted; {taken} of them are in the city's ledger and judged, "
        "but its time-series store has not got them",
    ),
    Cause.DISK_FULL: (
        "磁盘已满（余 {free} MiB）：新数据被拒收，留在仪器中",
        "the disk is full ({free} MiB free): new facts are refused and stay in the instruments",
    ),
    Cause.DISK_READ_ONLY: (
        "{path} 只能读，不能写：新数据被拒收",
        "{path} is read-only: new facts are refused",
    ),
    Cause.DISK_LOW: ("磁盘只余 {free} MiB", "{free} MiB of disk are free"),
    Cause.OUTBOX_FULL: (
        "暂存库将满（{used} / {most} MiB），旧读数会被抽稀",
        "the outbox is nearly full ({used} of {most} MiB); old readings thin out",
    ),
    Cause.OUTBOX_UNREADABLE: ("读不了暂存库：{said}", "{said}"),
    Cause.OUTBOX_BROKEN: (
        "损坏的暂存库已移开：{path}",
        "a broken outbox was set aside: {path}",
    ),
    Cause.THINNED: (
        "为腾出空间，已抽稀 {count} 条旧读数",
        "{count} old readings were thinned out so far to make room",
    ),
    Cause.QUARANTINED: (
        "{count} 条读不懂的数据已隔离；最近一条来自 {source}（{at}）：{said}",
        "{count} quarantined; the last from {source} at {at}: {said}",
    ),
    Cause.CLOCK: ("本机时钟不准：{zh}", "this machine's clock is wrong: {en}"),
    Cause.VAULT: ("不保存取证原图{zh}", "no originals of findings are kept{en}"),
    Cause.ROOM_UNREADABLE: (
        "读不了快检室的样品库 {path}：{said}",
        "the testing room's samples {path} cannot be read: {said}",
    ),
    Cause.ROOM_ASKS: (
        "{count} 条快检结果还没有确认属于哪个样品",
        "{count} results wait for somebody to say which sample they are of",
    ),
    Cause.ROOM_NO_BOOK: (
        "市里还没有发来本室的摊位和任务",
        "the city has not sent this room's stalls and tasks yet",
    ),
}
_ADVICE: dict[Cause, tuple[str, str]] = {
    Cause.NO_AGENT: _START,
    Cause.UNREACHABLE: (
        "查网络（网线、SIM 卡、DNS）、mqtt.host 与 mqtt.port（{host}:{port}），服务器是否运行；"
        "其间数据不会丢失",
        "check the network (cable, SIM card, DNS), mqtt.host and mqtt.port ({host}:{port}), and "
        "whether the broker runs; nothing is lost meanwhile",
    ),
    Cause.REFUSED: (
        "核对 mqtt.username 和密码文件与消息服务器上的账号",
        "check mqtt.username and the password file against the broker's account",
    ),
    Cause.TLS: (
        "查 mqtt.host、mqtt.port、[mqtt] 的证书文件和本机时钟；其间数据不会丢失",
        "check mqtt.host, mqtt.port, the TLS files of [mqtt] and this machine's clock; nothing is "
        "lost meanwhile",
    ),
    Cause.CERTIFICATE: ("{said}", "{said}"),
    Cause.RECEIPTS_FORBIDDEN: (
        "让市里准许 {user} 读取自己的回执（消息服务器的 ACL）",
        "give {user!r} the right to read its receipts (the broker's ACL)",
    ),
    Cause.NOBODY_LISTENS: (
        "告诉市里：网关没有运行，或没有订阅本地区；数据留在本机，网关回来后自动送出",
        "tell the city: no gateway runs or subscribes to this region; all stays here and goes out "
        "by itself when one is back",
    ),
    Cause.NO_RECEIPTS: (
        "消息服务器收下了，但市里没有入库，或回执读不到：查网关、台账库、时序库，本点位是否已登记，"
        "消息服务器的 ACL 是否准许 {user!r} 读取自己的回执",
        "the broker takes them but the city does not store them, or we may not hear it: see the "
        "gateway, its ledger and its time-series store, whether this agent's site is registered, "
        "and whether the broker's ACL lets {user!r} read its receipts",
    ),
    Cause.HELD: ("放宽消息服务器的包长上限或 ACL", "raise the broker's packet limit or its ACL"),
    Cause.NOT_CONNECTED: (
        "消息服务器现在能连上；一分钟内终端若仍未连上，请重启终端",
        "the broker works now; if the agent does not follow within a minute, restart it",
    ),
    Cause.WAITING: (
        "数据安全存于本机，会自动送出",
        "they are safe here and go out by themselves",
    ),
    Cause.DRAINING: (
        "回执正常，几分钟后再看",
        "receipts come; the backlog is draining, look again in a few minutes",
    ),
    Cause.TAKEN_IN: (
        "告诉市里：时序库坏了或太慢；本机无需处理，数据留在这里，时序库恢复后自动补送",
        "tell the city that its time-series store is down or too slow; nothing to do here: they "
        "stay, and go out again by themselves when it is back",
    ),
    Cause.DISK_FULL: ("腾出磁盘空间", "make room on the disk"),
    Cause.DISK_READ_ONLY: (
        "查存储卡与挂载（dmesg）；卡坏了就换，旧卡留着取数据",
        "check the card and its mount (dmesg); if it is worn out, change it and keep the old one",
    ),
    Cause.DISK_LOW: ("腾出磁盘空间", "make room on the disk"),
    Cause.OUTBOX_FULL: (
        "先修好去市里的路，或调大 outbox.max_mb",
        "mend the way to the city, or raise outbox.max_mb",
    ),
    Cause.OUTBOX_UNREADABLE: _START,
    Cause.OUTBOX_BROKEN: ("保留它，请人恢复其中数据", "keep it, and have it recovered"),
    Cause.THINNED: ("无需处理，市里已知", "nothing to do; the city knows"),
    Cause.QUARANTINED: (
        "查仪器设置及其型号档案",
        "check the instrument's settings and its profile",
    ),
    Cause.CLOCK: (
        "为本机设置校时（timedatectl set-ntp true），无网时换时钟电池",
        "set this machine's time source (`timedatectl set-ntp true`), or its clock's battery",
    ),
    Cause.VAULT: ("{advice_zh}", "{advice_en}"),
    Cause.ROOM_UNREADABLE: (
        "查磁盘；终端重启时会把损坏的文件移开并另建，请保留旧文件",
        "check the disk; a restart of the agent moves a broken file aside and begins anew: keep it",
    ),
    Cause.ROOM_ASKS: ("请操作员在快检室页面确认", "ask the operator to confirm them on the page"),
    Cause.ROOM_NO_BOOK: (
        "不影响登记；若一直没有，请市里查网关，以及消息服务器的 ACL 是否准许读取 room",
        "samples can be registered all the same; if it stays so, have the city check its gateway "
        "and whether the broker's ACL lets this agent read `room`",
    ),
}


def finding(
    cause: Cause,
    words: Mapping[str, object] | None = None,
    *,
    since: datetime | None = None,
    grave: bool = True,
) -> Finding:
    """A finding of that cause, with `words` put into its texts."""
    what = both(*(text.format_map(words or {}) for text in _WHAT[cause]))
    advice = both(*(text.format_map(words or {}) for text in _ADVICE[cause]))
    return Finding(cause, what, advice, since, grave)
