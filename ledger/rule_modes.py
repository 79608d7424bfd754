"""Rules that were moved from push to the day's digest, for a place, until a date."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from contracts.words import Severity
from ledger.alert_types import AlertRow
from ledger.ids import new_id
from ledger.schema import rule_modes
from ledger.sql import plain, typed


class RuleMode(msgspec.Struct, frozen=True, kw_only=True):
    """Whose alerts wait for the digest, where (empty: everywhere), until when, and why."""

    id: str = msgspec.field(default_factory=new_id)
    rule: str
    region: str = ""
    """This region and everything below it."""
    site: str = ""
    mode: Literal["digest"] = "digest"
    starts_at: datetime
    until: datetime
    author: str
    """Officer id."""
    reason: str
    created_at: datetime

    def holds(self, alert: AlertRow, at: datetime, above: Collection[str] = ()) -> bool:
        """Whether this alert waits for the digest; `above`: the regions above its own."""
        return (
            alert.severity is not Severity.AT_ONCE
            and self.rule == alert.rule
            and self.starts_at <= at < self.until
            and (not self.site or self.site == alert.site)
            and (not self.region or self.region == alert.region or self.region in above)
        )


def add(conn: Connection, new: RuleMode) -> None:
    """Move a rule to the digest. Raises ValueError if it would never hold or has no reason."""
    if new.until <= new.starts_at or not new.reason.strip() or not new.rule:
        raise ValueError("a rule's mode needs a rule, a reason, and an end after its beginning")
    conn.execute(rule_modes.insert(), plain(new))


def end(conn: Connection, mode_id: str, at: datetime) -> bool:
    """Back to push before its time; False if it has ended already or does not exist."""
    ended = update(rule_modes).where(rule_modes.c.id == mode_id, rule_modes.c.until > at)
    return conn.execute(ended.values(until=at)).rowcount == 1


_ACTIVE = (
    select(rule_modes)
    .where(rule_modes.c.starts_at <= bindparam("at"), rule_modes.c.until > bindparam("at"))
    .order_by(rule_modes.c.rule, rule_modes.c.until, rule_modes.c.id)
)


def active(conn: Connection, at: datetime) -> list[RuleMode]:
    """Those that hold now, by rule."""
    return [typed(row, RuleMode) for row in conn.execute(_ACTIVE, {"at": at})]


def mode_of(
    known: Iterable[RuleMode], alert: AlertRow, at: datetime, above: Collection[str] = ()
) -> RuleMode | None:
    """Which of the modes `known` holds for this alert now."""
    return next((one for one in known if one.holds(alert, at, above)), None)
