"""Silences and maintenance windows: which alerts nobody is told of, from when until when, and why.

A silence hides messages, never alerts: they stand on the console as ever. Class 1 is told whatever
is silenced; only a maintenance window that says so may hide it, and the city is told of that.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Literal

import msgspec
from sqlalchemy import Connection, bindparam, or_, select, update

from contracts.words import Severity
from ledger import journal, regions
from ledger.alert_types import AlertRow
from ledger.ids import new_id
from ledger.schema import alerts as alerts_table
from ledger.schema import silences
from ledger.sql import typed, typed_or_none

Kind = Literal["silence", "maintenance"]


Refusal = Literal["scope", "reason", "times", "class1"]


class SilenceRefused(ValueError):
    """A silence that must not be; the text says why, `kind` what is wrong with it."""

    def __init__(self, kind: Refusal, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Matchers(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which alerts: all that is given must fit, what is empty fits everything."""

    rule: str = ""
    """A rule's id, or a pattern of ids (``camera_*``)."""
    region: str = ""
    """This region and everything below it."""
    site: str = ""
    device: str = ""
    """A device's id, or a pattern of ids."""
    zone: str = ""
    """A camera's zone, by its name in the alert's facts."""
    severity: tuple[Severity, ...] = ()
    establishment: str = ""

    @property
    def empty(self) -> bool:
        """Whether they fit every alert."""
        return self == Matchers()

    def fit(self, alert: AlertRow, above: Collection[str] = ()) -> bool:
        """Whether they fit; `above`: the regions above the alert's own one."""
        return (
            _fits(self.rule, alert.rule)
            and (not self.site or self.site == alert.site)
            and _fits(self.device, alert.device)
            and (not self.zone or self.zone == alert.facts.get("zone"))
            and (not self.severity or alert.severity in self.severity)
            and (not self.establishment or self.establishment == alert.establishment_id)
            and (not self.region or self.region == alert.region or self.region in above)
        )


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Who hides what, from when until when, and why. `author` is an officer's id."""

    id: str = msgspec.field(default_factory=new_id)
    kind: Kind = "silence"
    matchers: Matchers
    starts_at: datetime
    ends_at: datetime
    reason: str
    author: str
    created_at: datetime
    includes_class_1: bool = False
    city_told_at: datetime | None = None
    ending_told_at: datetime | None = None
    expired_told_at: datetime | None = None

    def hides(self, alert: AlertRow, at: datetime, above: Collection[str] = ()) -> bool:
        """Whether nobody is told of this alert at that moment."""
        if alert.severity is Severity.AT_ONCE and not self.includes_class_1:
            return False
        return self.starts_at <= at < self.ends_at and self.matchers.fit(alert, above)


def add(conn: Connection, new: Silence) -> None:
    """Begin one. Raises SilenceRefused for what must not be hidden, LedgerRefused for an author
    who is no officer.
    """
    if new.matchers.empty:
        raise SilenceRefused("scope", "a silence that fits every alert is refused: say which")
    if not new.reason.strip():
        raise SilenceRefused("reason", "a silence needs a reason")
    if new.ends_at <= new.starts_at or new.ends_at <= new.created_at:
        raise SilenceRefused("times", "a silence must end after it begins, and not in the past")
    if new.includes_class_1 and new.kind != "maintenance":
        raise SilenceRefused(
            "class1", "class 1 is never silenced; a maintenance window may include it"
        )
    if Severity.AT_ONCE in new.matchers.severity and not new.includes_class_1:
        raise SilenceRefused("class1", "class 1 is never silenced; leave it out of the classes")
    row = msgspec.structs.asdict(new) | {"matchers": msgspec.to_builtins(new.matchers)}
    conn.execute(silences.insert(), row)
    _note(conn, new, new.created_at)


def end(conn: Connection, silence_id: str, at: datetime) -> bool:
    """End one before its time; False if it has ended already or does not exist."""
    row = conn.execute(
        update(silences)
        .where(silences.c.id == silence_id, silences.c.ends_at > at)
        .values(ends_at=at)
        .returning(*silences.c)
    ).one_or_none()
    if row is None:
        return False
    _note(conn, typed(row, Silence), at)
    return True


def get(conn: Connection, silence_id: str) -> Silence | None:
    """The silence of that id."""
    row = conn.execute(select(silences).where(silences.c.id == silence_id)).one_or_none()
    return typed_or_none(row, Silence)


_ACTIVE = (
    select(silences)
    .where(silences.c.starts_at <= bindparam("at"), silences.c.ends_at > bindparam("at"))
    .order_by(silences.c.ends_at, silences.c.id)
)


def active(conn: Connection, at: datetime) -> list[Silence]:
    """Those that hide something now, the first to end first."""
    return [typed(row, Silence) for row in conn.execute(_ACTIVE, {"at": at})]


def list_all(conn: Connection, at: datetime, *, ended: bool = False) -> list[Silence]:
    """Those that hide something now or later, or (`ended`) those that are over, the last first."""
    found = select(silences)
    found = found.where(silences.c.ends_at <= at if ended else silences.c.ends_at > at)
    rows = conn.execute(found.order_by(silences.c.ends_at.desc(), silences.c.id))
    return [typed(row, Silence) for row in rows]


def untold(conn: Connection, at: datetime, ending_before: datetime) -> list[Silence]:
    """Those of which a notice is due: hides class 1 untold, ends before then, has ended."""
    found = select(silences).where(
        silences.c.expired_told_at.is_(None),
        or_(
            silences.c.includes_class_1 & silences.c.city_told_at.is_(None),
            silences.c.ending_told_at.is_(None) & (silences.c.ends_at <= ending_before),
            silences.c.ends_at <= at,
        ),
    )
    return [typed(row, Silence) for row in conn.execute(found.order_by(silences.c.id))]


def next_notice(conn: Connection, before: timedelta) -> datetime | None:
    """When the next notice is due, if authors are reminded so long before the end."""
    open_ones = select(silences).where(silences.c.expired_told_at.is_(None))
    due: list[datetime] = []
    for row in conn.execute(open_ones):
        silence = typed(row, Silence)
        if silence.includes_class_1 and silence.city_told_at is None:
            due.append(silence.created_at)
        reminded = silence.ending_told_at is not None
        due.append(silence.ends_at if reminded else silence.ends_at - before)
    return min(due, default=None)


def mark_told(
    conn: Connection,
    silence_id: str,
    which: Literal["city_told_at", "ending_told_at", "expired_told_at"],
    at: datetime,
) -> None:
    """Its notice was made."""
    conn.execute(update(silences).where(silences.c.id == silence_id).values({which: at}))


def preview(
    conn: Connection,
    matchers: Matchers,
    since: datetime,
    until: datetime,
    *,
    includes_class_1: bool = False,
    limit: int = 1000,
) -> list[AlertRow]:
    """Stored alerts raised from `since` to `until` that such a silence would have hidden.

    Newest first, at most `limit`.
    """
    query = select(alerts_table).where(
        alerts_table.c.raised_at >= since, alerts_table.c.raised_at < until
    )
    if matchers.site:
        query = query.where(alerts_table.c.site == matchers.site)
    if matchers.establishment:
        query = query.where(alerts_table.c.establishment_id == matchers.establishment)
    if not includes_class_1:
        query = query.where(alerts_table.c.severity != int(Severity.AT_ONCE))
    below = set(regions.subtree(conn, matchers.region)) if matchers.region else set()
    if matchers.region:
        begins = alerts_table.c.region.startswith(matchers.region, autoescape=True)
        query = query.where(or_(alerts_table.c.region.in_(below), begins))
    for column, pattern in (
        (alerts_table.c.rule, matchers.rule),
        (alerts_table.c.device, matchers.device),
    ):
        if pattern and not set(pattern) & set("*?["):
            query = query.where(column == pattern)
    order = (alerts_table.c.raised_at.desc(), alerts_table.c.number.desc())
    found: list[AlertRow] = []
    for row in conn.execute(query.order_by(*order)):
        alert = typed(row, AlertRow)
        if matchers.fit(alert, (matchers.region,) if alert.region in below else ()):
            found.append(alert)
            if len(found) == limit:
                break
    return found


def hidden_by(
    known: Iterable[Silence], alert: AlertRow, at: datetime, above: Collection[str] = ()
) -> Silence | None:
    """Which of the silences `known` hides this alert now: of several, the last to end."""
    hiding = [one for one in known if one.hides(alert, at, above)]
    return max(hiding, key=lambda one: (one.ends_at, one.id), default=None)


def _fits(pattern: str, text: str) -> bool:
    return not pattern or fnmatchcase(text, pattern)


def _note(conn: Connection, silence: Silence, at: datetime) -> None:
    """So that whoever tells people of alerts looks again."""
    journal.append(
        conn,
        journal.SILENCE,
        at=at,
        region=silence.matchers.region,
        site=silence.matchers.site,
        ref=silence.id,
        body=msgspec.to_builtins(silence),
    )
