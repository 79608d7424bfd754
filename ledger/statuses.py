"""What devices say of their own state, taken over for a whole batch: one look, one write.

Rows are locked in one order (`locked`), by everyone who writes devices, so that two gateways don't
block each other for good; and with a lock that lets facts of the same devices be stored meanwhile.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from contracts.events import Status
from contracts.topics import Identity
from contracts.words import DeviceState
from ledger import journal
from ledger.bulk import plain, sqlite_time, to_json, write_rows


class Told(msgspec.Struct, frozen=True):
    """A status as it was received."""

    who: Identity
    status: Status
    received_at: datetime
    only_news: bool = False
    """Ignore it unless the edge said it later than what is on file: a retained one comes again."""


def take_over(conn: Connection, told: Iterable[Told]) -> set[Identity]:
    """Take over devices' own words; returns whose state or detail changed (each journalled).

    Those of one device count in the order given. One that was received before the one on file is
    ignored, and an unknown device changes nothing. A last will knows nothing of the outbox: what
    was last said of it stays.
    """
    # By device, as it always was: the journal names a batch's changes in this order.
    in_order = sorted(told, key=lambda one: one.who)
    known = locked(conn, {one.who for one in in_order})
    health: dict[Identity, Told] = {}
    outbox: dict[Identity, Told] = {}
    changed = set()
    for one in in_order:
        row = known.get(one.who)
        if row is None or not _counts(one, row):
            continue
        health[one.who] = one
        if _knows_outbox(one.status):
            outbox[one.who] = one
        if row.take(one):
            note(conn, one.who, one.status.state, one.status.detail, one.received_at)
            changed.add(one.who)
    whole = [(_health(conn, health[who]) + _outbox(conn, outbox[who]), who) for who in outbox]
    rest = [(_health(conn, one), who) for who, one in health.items() if who not in outbox]
    _write(conn, _HEALTH + _OUTBOX, whole)
    _write(conn, _HEALTH, rest)
    return changed


class Known(msgspec.Struct):
    """What a locked device's row says of its state."""

    state: str
    detail: str
    state_at: datetime | None
    received_at: datetime | None

    def take(self, one: Told) -> bool:
        """Say what `one` says; True if that is another state or detail."""
        before = (self.state, self.detail)
        self.state, self.detail = one.status.state.value, plain(one.status.detail)
        self.state_at, self.received_at = one.status.at, one.received_at
        return before != (self.state, self.detail)


def locked(conn: Connection, wanted: Iterable[Identity]) -> dict[Identity, Known]:
    """The devices of these identities, locked in one order; unknown ones are left out."""
    keys = sorted((who.site, who.device, who.region) for who in wanted)
    if not keys:
        return {}
    if conn.dialect.name == "postgresql":
        columns = tuple(list(column) for column in zip(*keys, strict=True))
        rows: Iterable[Sequence[Any]] = conn.exec_driver_sql(_LOCK_POSTGRESQL, columns)
    else:
        found = conn.exec_driver_sql(_LOCK_SQLITE, (to_json(keys),))
        rows = [(*row[:5], _utc(row[5]), _utc(row[6])) for row in found]
    return {Identity(row[0], row[1], row[2]): Known(*row[3:]) for row in rows}


def note(conn: Connection, who: Identity, state: DeviceState, detail: str, at: datetime) -> None:
    """Write a change of state into the journal."""
    journal.append(
        conn,
        journal.DEVICE,
        at=at,
        region=who.region,
        site=who.site,
        ref=who.source,
        body={"device": who.device, "state": state.value, "detail": detail},
    )


_HEALTH = (
    ("state", "text"),
    ("state_detail", "text"),
    ("state_at", "timestamptz"),
    ("status_received_at", "timestamptz"),
    ("software", "text"),
    ("discarded_bytes", "bigint"),
    ("clock_offset_s", "float8"),
    ("figures", "jsonb"),
)
"""Columns that every status sets, with their types on PostgreSQL."""
_OUTBOX = (
    ("epoch", "text"),
    ("lowest_unreceipted", "bigint"),
    ("oldest_unsent_age_s", "float8"),
    ("backlog", "bigint"),
    ("outbox_bytes", "bigint"),
    ("thinned", "bigint"),
    ("numbering", "jsonb"),
    ("waiting_since", "timestamptz"),
)
"""Columns that only a status sets which knows its outbox."""
_AGE_MOST_S = 10 * 366 * 86_400.0

_LOCK_SQLITE = """
SELECT region, site, device, state, state_detail, state_at, status_received_at FROM devices
WHERE (site, device, region) IN (
  SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
  FROM json_each(?))
"""
_LOCK_POSTGRESQL = """
SELECT devices.region, devices.site, devices.device, state, state_detail, state_at,
  status_received_at
FROM devices JOIN unnest(%s::text[], %s::text[], %s::text[]) AS wanted (site, device, region)
ON devices.site = wanted.site AND devices.device = wanted.device AND devices.region = wanted.region
ORDER BY devices.site COLLATE "C", devices.device COLLATE "C" FOR NO KEY UPDATE OF devices
"""


def _counts(one: Told, known: Known) -> bool:
    if one.only_news and known.state_at is not None and known.state_at >= one.status.at:
        return False
    return known.received_at is None or known.received_at <= one.received_at


def _knows_outbox(status: Status) -> bool:
    return bool(status.state is not DeviceState.OFFLINE or status.epoch or status.numbering)


def _health(conn: Connection, one: Told) -> tuple[Any, ...]:
    status = one.status
    return (
        status.state.value,
        plain(status.detail),
        _time(conn, status.at),
        _time(conn, one.received_at),
        plain(status.software),
        status.discarded_bytes,
        _number(status.clock_offset_s),
        to_json(status.figures),
    )


def _outbox(conn: Connection, one: Told) -> tuple[Any, ...]:
    status = one.status
    age = timedelta(seconds=max(0.0, min(status.oldest_unsent_age_s, _AGE_MOST_S)))
    return (
        plain(status.epoch),
        status.lowest_unreceipted,
        float(status.oldest_unsent_age_s),
        status.backlog,
        status.outbox_bytes,
        status.thinned,
        to_json(status.numbering),
        _time(conn, one.received_at - age) if status.backlog else None,
    )


def _write(
    conn: Connection,
    columns: Sequence[tuple[str, str]],
    rows: Sequence[tuple[tuple[Any, ...], Identity]],
) -> None:
    if not rows:
        return
    names = [name for name, _ in columns]
    sqlite = ", ".join(f"{name} = ?" for name in names)
    new = ", ".join(f"{name} = new.{name}" for name in names)
    types = ", ".join(f"%s::{kind}[]" for kind in (*(kind for _, kind in columns), "text", "text"))
    where = "devices.site = new.of_site AND devices.device = new.of_device"
    source = f"unnest({types}) AS new ({', '.join(names)}, of_site, of_device)"
    write_rows(
        conn,
        f"UPDATE devices SET {sqlite} WHERE site = ? AND device = ?",  # noqa: S608 - our own names
        f"UPDATE devices SET {new} FROM {source} WHERE {where}",  # noqa: S608 - our own names
        [(*values, who.site, who.device) for values, who in rows],
    )


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _time(conn: Connection, at: datetime) -> datetime | str:
    if at.tzinfo is None:
        raise ValueError(f"time {at.isoformat()} has no time zone")
    return at if conn.dialect.name == "postgresql" else sqlite_time(at)


def _utc(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
