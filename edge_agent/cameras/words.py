"""What observations and states say in words, in Chinese and in English."""

from collections.abc import Sequence

from contracts.words import both
from edge_agent.cameras.honesty import Sight, Turn
from edge_agent.cameras.rule.episodes import Closed, Ending, Opened
from edge_agent.cameras.rule.explain import Explanation, Standing, Why
from edge_agent.cameras.rule.scene import Wear

WEAR = {Wear.HAT: ("工作帽", "a hat"), Wear.MASK: ("口罩", "a mask")}
SIGHT = {
    Sight.LIVE: ("画面正常", "live"),
    Sight.OFFLINE: ("摄像头离线", "no picture"),
    Sight.FROZEN: ("画面冻结", "the picture is frozen"),
    Sight.LOOPED: ("画面为旧录像重放", "an old recording is played again"),
    Sight.DARK: ("画面全黑", "the picture is dark"),
    Sight.LIGHTS_OFF: ("非工作时间关灯", "the lights are off outside working hours"),
    Sight.OVEREXPOSED: ("画面过曝", "the picture is over-exposed"),
    Sight.COVERED: ("镜头被遮挡", "the lens is covered"),
    Sight.MOVED: ("摄像头被移动", "the camera was moved"),
    Sight.BLURRED: ("画面模糊", "the picture is blurred"),
    Sight.CLOCK_WRONG: ("摄像头时钟不准", "the camera's clock is wrong"),
}


WHY = {
    Why.MASKED: ("在遮蔽区内", "in a masked area"),
    Why.OUTSIDE: ("不在任何区域内", "in no zone"),
    Why.TOO_SMALL: ("头部太小", "too small"),
    Why.STILL: ("长时间未动，判为图像", "did not move: taken for a picture"),
    Why.NOT_MOVED: ("尚未动过，可能是图像", "has not moved yet: it may be a picture"),
    Why.NOT_ASKED: ("此时此处无要求", "nothing is asked here now"),
    Why.CANNOT_TELL: ("无法判断", "cannot tell"),
    Why.DRESSED: ("符合要求", "as it should be"),
    Why.PASSING: ("仅路过，停留不够久", "only passing so far"),
    Why.COUNTING: ("次数尚不足", "not enough looks yet"),
    Why.SUSPECTED: ("已见一次，待再次确认", "seen once, waits for a second look"),
    Why.EPISODE: ("已成为观察", "part of an open observation"),
}


def explained(one: Explanation) -> str:
    """Why a head counts or does not, in a line."""
    zh, en = WHY[one.why]
    if one.place:
        zh, en = f"{one.place}：{zh}", f"{one.place}: {en}"
    if one.still_s >= 10 or one.why in (Why.STILL, Why.NOT_MOVED):
        zh, en = f"{zh}，已 {one.still_s:.0f} 秒未动", f"{en}, still for {one.still_s:.0f} s"
    parts = [_stands(standing) for standing in one.standings]
    return both(
        "；".join([zh, *(part for part, _ in parts)]), "; ".join([en, *(part for _, part in parts)])
    )


def _stands(one: Standing) -> tuple[str, str]:
    zh, en = ("在场", "present") if one.wear is None else WEAR[one.wear]
    why_zh, why_en = WHY[one.why]
    votes = f"{one.missing}/{one.looks}, {one.span_s:.1f} s"
    return f"{zh} {why_zh}（{votes}）", f"{en}: {why_en} ({votes})"


def opened(change: Opened) -> str:
    """Why an episode begins."""
    tally, zone, count = change.tally, change.case.zone.name, len(change.subjects)
    zh_again = en_again = ""
    if change.confirmed_after_s:
        minutes = change.confirmed_after_s / 60
        zh_again = f"；{minutes:.0f} 分钟前已见一次，再次确认"
        en_again = f"; seen before, {minutes:.0f} min earlier"
    zh, en = _breach(change.case.wear, count)
    return both(
        f"{zone}：{zh}（{tally.span_s:.1f} 秒内 {tally.looks} 次判断中 "
        f"{tally.missing} 次如此{zh_again}）",
        f"{en} in {zone} "
        f"({tally.missing} of {tally.looks} looks in {tally.span_s:.1f} s{en_again})",
    )


def _breach(wear: Wear | None, count: int) -> tuple[str, str]:
    if wear is None:
        return f"非工作时间有 {count} 人", f"{count} outside working hours"
    zh, en = WEAR[wear]
    return f"{count} 人未戴{zh}", f"{count} without {en}"


def closed(change: Closed, after_s: float) -> str:
    """Why an episode ends, `after_s` seconds after the last that was seen of it."""
    zone, wear = change.case.zone.name, change.case.wear
    zh, en = ("非工作时间有人", "outside working hours")
    if wear is not None:
        zh, en = f"未戴{WEAR[wear][0]}", f"without {WEAR[wear][1]}"
    if change.ending is Ending.LOST:
        return both(
            f"{zone}：{zh}，观察中断，未能跟踪到结束",
            f"{en} in {zone}; the watch broke off before its end",
        )
    if change.ending is Ending.STILL:
        return both(
            f"{zone}：{zh}，一直未动，判为图像（海报、屏幕等），此前提示不成立",
            f"{en} in {zone}; did not move: taken for a picture, so there was nothing to tell",
        )
    nobody = f"非工作时间已 {after_s:g} 秒无人" if wear is None else f"已 {after_s:g} 秒无人{zh}"
    return both(f"{zone}：{nobody}", f"nobody {en} in {zone} for {after_s:g} s")


def sights(holding: Sequence[Sight]) -> str:
    """What holds of a camera's sight, for its state; empty if it is live."""
    named = [SIGHT[sight] for sight in holding if sight is not Sight.LIVE]
    if not named:
        return ""
    return both("、".join(zh for zh, _ in named), ", ".join(en for _, en in named))


def blind(turn: Turn, for_s: float, trouble: str = "") -> str:
    """Why a camera counts as unable to see, or its word as doubtful."""
    zh, en = SIGHT[turn.now]
    more_zh, more_en = _figure(turn)
    detail = f": {trouble}" if trouble else ""
    return both(f"{zh}{more_zh}，已 {for_s:.0f} 秒", f"{en}{more_en} for {for_s:.0f} s{detail}")[
        :500
    ]


def _figure(turn: Turn) -> tuple[str, str]:
    if turn.now is Sight.LOOPED:
        return f"（每 {turn.figure:.0f} 秒重复）", f" (every {turn.figure:.0f} s)"
    if turn.now is Sight.CLOCK_WRONG:
        zh, en = ("快", "ahead") if turn.figure > 0 else ("慢", "behind")
        return f"（{zh} {abs(turn.figure):.0f} 秒）", f" ({abs(turn.figure):.0f} s {en})"
    if turn.now is Sight.MOVED and turn.figure:
        share = f"{100 * turn.figure:.0f} %"
        return f"（偏移画面宽度的 {share}）", f" (by {share} of its width)"
    if turn.now is Sight.MOVED:
        return "（找不到原画面）", " (its view is not found again)"
    return "", ""


def sees_again(sight: Sight, after_s: float) -> str:
    """Why such a state ends."""
    zh, en = SIGHT[sight]
    return both(f"{zh}已恢复，共 {after_s:.0f} 秒", f"over: {en}, {after_s:.0f} s in all")


def clock_untold(trouble: str) -> str:
    """That a camera does not tell its clock, and why."""
    return both(f"摄像头未告知时钟：{trouble}", f"its clock is not told: {trouble}")


HELD_BACK = both(
    "取证图片已达每小时上限，部分未发送", "pictures were held back: the hour's number is used up"
)
STOPPED = both(
    "观察中断：边缘程序停止或重启", "the watch broke off: the agent stopped or restarted"
)
