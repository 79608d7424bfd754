"""The words of messages, in Chinese and English: an alert's part, notices, reasons. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from contracts.notices import Part, Wording, compose
from contracts.words import Severity, both
from gateway.alerts.outcomes import LOCAL
from gateway.notify.plan import Telling
from ledger.alert_types import AlertRow
from ledger.notifications import Kind, NewNotification
from ledger.rule_modes import RuleMode
from ledger.silences import Silence

CLASSES = {
    Severity.AT_ONCE: ("一级", "class 1"),
    Severity.DEADLINE: ("二级", "class 2"),
    Severity.GUIDANCE: ("三级", "class 3"),
}
LEVELS = (("镇街", "town"), ("县级", "county"), ("市级", "city"))
KINDS: dict[Kind, tuple[str, str]] = {
    "alert": ("预警", "alerts"),
    "resolved": ("已恢复", "resolved"),
    "escalated": ("超期上报", "escalated"),
    "digest": ("汇总", "digests"),
    "notice": ("通知", "notices"),
    "case": ("处置单", "cases"),
}
SILENCES = {"silence": ("静默", "silenced"), "maintenance": ("检修", "maintenance")}

STORM = both("短时间内消息过多，合并为一条汇总", "too many messages at a time: told in one digest")
LATE = both("未及通知已恢复，列入当日汇总", "over before anybody was told: in the day's digest")
RULE_DIGEST = both("该规则只列入当日汇总", "this rule is told in the day's digest only")
RULE_NONE = both("该规则不推送", "nobody is told of this rule's alerts")
BUSY = both("正在变更", "being changed")
ORPHAN = both("无监管责任人，列入当日汇总", "nobody in charge: in the day's digest")
REFUSED = both("台账拒收该消息，未能通知", "the ledger refused the message")
NOBODY = both("无人可通知", "there is nobody to tell")


def over_budget(budget: int) -> str:
    """Why a message waits for the day's digest."""
    return both(f"超过每日 {budget} 条推送上限", f"beyond the budget of {budget} messages a day")


def inhibited(source: AlertRow) -> str:
    """Why nobody is told of an alert that another one explains."""
    return both(f"被同点位预警抑制：{source.title_zh}", f"explained by: {source.title_en}")


def silenced(silence: Silence) -> str:
    """Why nobody is told of an alert that somebody silenced."""
    until = local_time(silence.ends_at)
    said_zh, said_en = SILENCES[silence.kind]
    return both(
        f"{said_zh}至 {until}：{silence.reason}", f"{said_en} until {until}: {silence.reason}"
    )


def in_digest(mode: RuleMode) -> str:
    """Why an alert's message waits for the day's digest."""
    until = local_time(mode.until)
    return both(
        f"该规则至 {until} 只列入当日汇总：{mode.reason}",
        f"this rule is in the day's digest only until {until}: {mode.reason}",
    )


def local_time(at: datetime) -> str:
    """Month, day, hour and minute in China."""
    return f"{at.astimezone(LOCAL):%m-%d %H:%M}"


def part(telling: Telling, alert: AlertRow, level: int, site_name: str) -> Part:
    """What a message says of one alert."""
    head_zh, head_en = _head(telling, alert, level)
    basis = str(alert.facts.get("basis", ""))
    ends_zh, ends_en = [], []
    if basis:
        ends_zh.append(f"依据：{basis}")
        ends_en.append(f"basis: {basis}")
    if alert.due_at is not None and telling.kind != "resolved":
        ends_zh.append(f"期限：{local_time(alert.due_at)}")
        ends_en.append(f"due: {local_time(alert.due_at)} (UTC+8)")
    at = local_time(alert.resolved_at or alert.raised_at)
    where = site_name or alert.site
    line_zh = f"{at} {where}：{alert.summary_zh or alert.title_zh}"
    line_en = f"{at} {where}: {alert.summary_en or alert.title_en}"
    return Part(
        alert.alert_id,
        f"{head_zh}{alert.title_zh}",
        f"{head_en}{alert.title_en}",
        line_zh + _bracketed(ends_zh, "（", "；", "）"),
        line_en + _bracketed(ends_en, " (", "; ", ")"),
    )


def message(
    telling: Telling, alerts: Sequence[AlertRow], level: int, site_name: str
) -> tuple[Wording, tuple[Part, ...]]:
    """A message about some alerts of one group, and the parts that it is made of."""
    parts = tuple(part(telling, alert, level, site_name) for alert in alerts)
    return compose(parts), parts


def orphan(alert: AlertRow, site_name: str, recipient: str, day: str) -> NewNotification:
    """The county's notice of a place that nobody is in charge of, for the day's digest."""
    place = alert.establishment_id or alert.site
    where = site_name or alert.site
    return NewNotification(
        dedupe=f"orphan|{place}|{day}|{recipient}",
        kind="notice",
        severity=Severity.DEADLINE,
        recipient=recipient,
        title_zh=f"无监管责任人：{where}",
        title_en=f"Nobody is in charge of: {where}",
        body_zh=f"{where} 的预警（{alert.title_zh}）没有镇街监管责任人可通知，已上报。",
        body_en=f"Nobody in the town could be told of an alert at {where} ({alert.title_en}).",
        alert_ids=(alert.alert_id,),
        level=1,
        region=alert.region,
        site=alert.site,
        hold="day",
        reason=ORPHAN,
    )


def silence_includes_class_1(silence: Silence, author: str) -> Wording:
    """What the city is told when a maintenance window hides class 1."""
    until = local_time(silence.ends_at)
    return Wording(
        f"检修期间一级预警也不推送（至 {until}）",
        f"A maintenance window hides class 1 until {until}",
        f"{author}：{silence.reason}。范围：{scope(silence)}",
        f"{author}: {silence.reason}. Scope: {scope(silence)}",
    )


def silence_ends(silence: Silence) -> Wording:
    """What a silence's author is told before its end."""
    until, said = local_time(silence.ends_at), SILENCES[silence.kind]
    return Wording(
        f"{said[0]}将于 {until} 到期",
        f"Ends at {until}: {said[1]}",
        f"{silence.reason}。范围：{scope(silence)}。到期后仍未恢复的预警会推送。",
        f"{silence.reason}. Scope: {scope(silence)}. What still fires then will be told.",
    )


def silence_ended(silence: Silence, hidden: int) -> Wording:
    """What its author is told after its end."""
    until, said = local_time(silence.ends_at), SILENCES[silence.kind]
    return Wording(
        f"{said[0]}已于 {until} 到期，期间有 {hidden} 条预警符合",
        f"Ended at {until}, {hidden} alert(s) fitted: {said[1]}",
        f"{silence.reason}。范围：{scope(silence)}",
        f"{silence.reason}. Scope: {scope(silence)}",
    )


def scope(silence: Silence) -> str:
    """What a silence fits, as it was written down."""
    given = msgspec.to_builtins(silence.matchers)
    return ", ".join(f"{key} = {value}" for key, value in given.items())


def _head(telling: Telling, alert: AlertRow, level: int) -> tuple[str, str]:
    class_zh, class_en = CLASSES[Severity(alert.severity)]
    if telling.kind == "resolved":
        return "【已恢复】", "[resolved] "
    if telling.kind == "escalated":
        level_zh, level_en = LEVELS[min(level, len(LEVELS) - 1)]
        return f"【{class_zh} 超期上报{level_zh}】", f"[{class_en}, escalated to the {level_en}] "
    if telling.again:
        return f"【{class_zh} 再次提醒】", f"[{class_en}, again] "
    return f"【{class_zh}】", f"[{class_en}] "


def _bracketed(words: Sequence[str], opening: str, between: str, closing: str) -> str:
    return f"{opening}{between.join(words)}{closing}" if words else ""
