"""How alerts are gathered: which belong together, and what becomes of one as it changes. Pure.

A member is ``waiting`` until somebody is told of it, then ``told``, until somebody takes it on
(``stopped``) or it is over and that was said (``over``). When it fires anew, it waits again.
"""

from datetime import datetime

from msgspec.structs import replace

from contracts.words import AlertState
from ledger.alert_types import AlertRow
from ledger.notify_groups import Group, Member, Past

TAKEN_ON = (AlertState.ACKNOWLEDGED, AlertState.DISPOSING, AlertState.REVIEWED)


def group_key(alert: AlertRow) -> str:
    """Alerts with the same key are told together."""
    return f"{alert.rule}|{alert.site}|{alert.severity:d}"


def opened(alert: AlertRow, at: datetime) -> Group:
    """The group of an alert that had none."""
    return Group(
        key=group_key(alert),
        kind="group",
        opened_at=at,
        next_at=at,
        region=alert.region,
        site=alert.site,
        rule=alert.rule,
        severity=int(alert.severity),
    )


def taken_on(alert: AlertRow) -> bool:
    """Whether somebody has acknowledged it, as it stands."""
    return alert.acknowledged_at is not None or alert.state in TAKEN_ON


def over(alert: AlertRow) -> bool:
    """Whether the data say that it is over."""
    return alert.resolved_at is not None or alert.state is AlertState.RESOLVED


def stand(member: Member, alert: AlertRow, past: Past, at: datetime) -> Member:
    """The member as its alert stands now, before anything is told."""
    seen = max(past.acknowledgements, member.acknowledgements)
    if taken_on(alert):
        # An escalation that was due before is not told any more; one after it is.
        level = member.level if past.escalated_since else max(member.level, alert.level)
        return replace(
            member, state="stopped", acknowledgements=seen, level=max(level, 0), reason=""
        )
    fires_anew = seen > member.acknowledgements or member.state == "stopped"
    if fires_anew or (member.state == "over" and not over(alert)):
        return Member(member.alert_id, member.group_key, at, acknowledgements=seen)
    return member


def escalates(member: Member, alert: AlertRow) -> bool:
    """Whether a level that was told nothing has to be told that a deadline was missed."""
    return member.state != "waiting" and alert.level > member.level
