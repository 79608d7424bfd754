"""What observations and states say in words, in Chinese and in English."""

from contracts.words import both
from edge_agent.cameras.episodes import Closed, Opened
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.scene import Wear

WEAR = {Wear.HAT: ("工作帽", "a hat"), Wear.MASK: ("口罩", "a mask")}
SIGHT = {
    Sight.LIVE: ("画面正常", "live"),
    Sight.OFFLINE: ("摄像头离线", "no picture"),
    Sight.FROZEN: ("画面冻结", "the picture is frozen"),
    Sight.DARK: ("画面全黑", "the picture is dark"),
    Sight.COVERED: ("镜头被遮挡", "the lens is covered"),
    Sight.BLURRED: ("画面模糊", "the picture is blurred"),
}


def opened(change: Opened) -> str:
    """Why an episode begins."""
    tally, zone, count = change.tally, change.case.zone.name, len(change.subjects)
    zh, en = WEAR[change.case.wear]
    return both(
        f"{zone}：{count} 人未戴{zh}（{tally.span_s:.1f} 秒内 {tally.looks} 次判断中 "
        f"{tally.missing} 次如此）",
        f"{count} without {en} in {zone} "
        f"({tally.missing} of {tally.looks} looks in {tally.span_s:.1f} s)",
    )


def closed(change: Closed, leave_s: float) -> str:
    """Why an episode ends."""
    zh, en = WEAR[change.case.wear]
    zone = change.case.zone.name
    if change.lost:
        return both(
            f"{zone}：未戴{zh}，观察中断，未能跟踪到结束",
            f"without {en} in {zone}; the watch broke off before its end",
        )
    return both(
        f"{zone}：已 {leave_s:g} 秒无人未戴{zh}",
        f"nobody without {en} in {zone} for {leave_s:g} s",
    )


def blind(sight: Sight, for_s: float, trouble: str = "") -> str:
    """Why a camera counts as unable to see."""
    zh, en = SIGHT[sight]
    detail = f": {trouble}" if trouble else ""
    return both(f"{zh}，已 {for_s:.0f} 秒", f"{en} for {for_s:.0f} s{detail}")[:500]


def sees_again(sight: Sight, after_s: float) -> str:
    """Why such a state ends."""
    zh, en = SIGHT[sight]
    return both(f"{zh}已恢复，共 {after_s:.0f} 秒", f"over: {en}, {after_s:.0f} s in all")


STOPPED = both(
    "观察中断：边缘程序停止或重启", "the watch broke off: the agent stopped or restarted"
)
