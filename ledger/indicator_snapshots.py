"""Frozen months: what every indicator said of every region when a month was over, for good.

A frozen number never changes; what is corrected later shows as a difference to it. Each row's hash
covers the row before it, and the audit chain notes the newest hash of each month: a row that was
changed, removed or put in is found, also one that was cut off at the end.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, text

from contracts.indicators import Indicator, Indicators
from contracts.periods import Period, around, read_period
from ledger import audit
from ledger.indicator_basis import Basis
from ledger.indicators import Figure, Figures, Question
from ledger.schema import audit as audit_table
from ledger.schema import indicator_snapshots
from ledger.sql import among_these, chunks, typed

LOCK_KEY = 0x66730005
"""PostgreSQL advisory lock under which months are frozen."""
GENESIS = "0" * 64
ACTION = "indicators.frozen"
DEEPEST = 2
"""City, counties and towns are frozen; grid cells are not."""
ACTOR = "clock"


class Snapshot(msgspec.Struct, frozen=True):
    """One frozen number."""

    number: int
    period: str
    region: str
    indicator: str
    part: float | None
    whole: float | None
    records: int
    value: float | None
    target: float | None
    met: bool | None
    definition: str
    """SHA-256 of the definition that it was told by."""
    frozen_at: datetime
    previous_hash: str
    hash: str


class Held(msgspec.Struct, frozen=True):
    """What following the chain has shown."""

    rows: int
    head: str
    fault: str = ""


def due(conn: Connection, now: datetime) -> list[Period]:
    """Months that are over and not frozen, the oldest first.

    The first one that is ever frozen is the last that is over; from then on none is left out.
    """
    last = around(now).before
    newest = conn.scalar(select(func.max(indicator_snapshots.c.period)))
    if newest is None:
        return [last]
    found: list[Period] = []
    while last.name > newest:
        found.append(last)
        last = last.before
    return found[::-1]


def freeze(
    conn: Connection,
    indicators: Indicators,
    basis: Basis,
    period: Period,
    now: datetime,
    actor: str = ACTOR,
) -> int:
    """Freeze a month that is over; returns how many numbers, 0 if it was frozen before.

    Raises ValueError for a period that is no month, is not over, or lies before one that is frozen.
    """
    if period.size != "month":
        raise ValueError(f"{period.name} is no month")
    if period.ends_at > now:
        raise ValueError(f"{period.name} is not over")
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
    newest = conn.scalar(select(func.max(indicator_snapshots.c.period)))
    if is_frozen(conn, period.name):
        return 0
    if newest is not None and newest > period.name:
        raise ValueError(f"{period.name} lies before {newest}, which is frozen")
    head, number = _head(conn)
    rows = []
    for row in _counted(conn, indicators, basis, period, now):
        number += 1
        one = Snapshot(number=number, previous_hash=head, hash="", **row)
        head = digest_of(one)
        rows.append(msgspec.structs.asdict(one) | {"hash": head})
    for part in chunks(rows, 500):
        conn.execute(indicator_snapshots.insert(), list(part))
    detail = {"period": period.name, "numbers": len(rows), "head": head, "last": number}
    audit.append(conn, actor, ACTION, f"indicators/{period.name}", detail, now)
    return len(rows)


def _counted(
    conn: Connection, indicators: Indicators, basis: Basis, period: Period, now: datetime
) -> Iterator[dict[str, Any]]:
    figures = Figures(conn, indicators, basis, Question(period, now))
    codes = sorted(one for one in figures.tree.parents if figures.tree.depth(one) <= DEEPEST)
    for one in figures.definitions:
        definition = digest_of_definition(one)
        for figure in figures.of(one, codes):
            yield {
                "period": period.name,
                "region": figure.region,
                "indicator": one.id,
                "part": None if figure.unknown else figure.part,
                "whole": None if figure.unknown else figure.whole,
                "records": figure.records,
                "value": figure.value,
                "target": figure.target,
                "met": figure.met,
                "definition": definition,
                "frozen_at": now.astimezone(UTC),
            }


def is_frozen(conn: Connection, period: str) -> bool:
    """Whether a month is frozen."""
    found = select(indicator_snapshots.c.number).where(indicator_snapshots.c.period == period)
    return conn.scalar(found.limit(1)) is not None


def of_period(conn: Connection, period: str, codes: Sequence[str] | None = None) -> list[Snapshot]:
    """A month's frozen numbers of these regions (None: all), in the order of their freezing."""
    found = select(indicator_snapshots).where(indicator_snapshots.c.period == period)
    if codes is not None:
        found = found.where(among_these(indicator_snapshots.c.region, codes))
    rows = conn.execute(found.order_by(indicator_snapshots.c.number))
    return [typed(row, Snapshot) for row in rows]


def of_indicator(
    conn: Connection, indicator: str, region: str, months: Sequence[str]
) -> dict[str, Snapshot]:
    """An indicator's frozen numbers of a region, by month."""
    found = select(indicator_snapshots).where(
        indicator_snapshots.c.indicator == indicator,
        indicator_snapshots.c.region == region,
        indicator_snapshots.c.period.in_(months),
    )
    return {row.period: typed(row, Snapshot) for row in conn.execute(found)}


def difference(frozen: Snapshot, now: Figure) -> bool:
    """Whether a month's number is another one now than when it was frozen."""
    if frozen.whole is None:
        return not now.unknown
    told = (frozen.part, frozen.whole, frozen.records, frozen.value)
    return now.unknown or told != (now.part, now.whole, now.records, now.value)


def verify(conn: Connection) -> Held:
    """Follow the whole chain; what the audit chain noted of each month must be there."""
    head, count = GENESIS, 0
    heads: dict[int, str] = {}
    while part := _part(conn, count):
        for row in part:
            count += 1
            if row.number != count:
                return Held(count - 1, head, f"number {count} is missing")
            if row.previous_hash != head:
                return Held(count - 1, head, f"number {count} does not follow the one before it")
            if row.hash != digest_of(row):
                where = f"{row.period} {row.region} {row.indicator}"
                return Held(count - 1, head, f"number {count} ({where}) was changed")
            head = heads[count] = row.hash
    noted = select(audit_table.c.detail, audit_table.c.subject).where(
        audit_table.c.action == ACTION
    )
    for detail, subject in conn.execute(noted.order_by(audit_table.c.id)):
        said = msgspec.json.decode(detail, type=dict[str, Any])
        if heads.get(said["last"], GENESIS if not said["last"] else "") != said["head"]:
            return Held(count, head, f"{subject}: not what the audit chain noted of it")
    return Held(count, head)


def _part(conn: Connection, after: int) -> list[Snapshot]:
    table = indicator_snapshots
    found = select(table).where(table.c.number > after).order_by(table.c.number).limit(1000)
    return [typed(row, Snapshot) for row in conn.execute(found)]


def _head(conn: Connection) -> tuple[str, int]:
    table = indicator_snapshots
    newest = select(table.c.hash, table.c.number).order_by(table.c.number.desc()).limit(1)
    row = conn.execute(newest).one_or_none()
    return (row.hash, row.number) if row else (GENESIS, 0)


def digest_of(row: Snapshot) -> str:
    """A row's hash, over the one before it."""
    covered = msgspec.structs.asdict(row)
    del covered["hash"]
    covered["frozen_at"] = row.frozen_at.astimezone(UTC).isoformat(timespec="microseconds")
    for name in ("part", "whole", "value", "target"):
        covered[name] = None if covered[name] is None else repr(float(covered[name]))
    return hashlib.sha256(msgspec.json.encode(covered, order="sorted")).hexdigest()


def digest_of_definition(indicator: Indicator) -> str:
    """What a definition is known by: another word in it is another hash."""
    return hashlib.sha256(msgspec.json.encode(indicator, order="sorted")).hexdigest()


def read_month(name: str) -> Period:
    """A month. Raises ValueError."""
    period = read_period(name)
    if period.size != "month":
        raise ValueError(f"{name} is no month")
    return period
