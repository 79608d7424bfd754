"""What a rule remembers of a series between events: since when above the limit, and so on."""

from collections.abc import Iterable, Mapping, Set
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from ledger.bulk import plain, sqlite_time, to_json, write_rows
from ledger.schema import rule_state
from ledger.sql import insert_into

Key = tuple[str, str]
"""Rule id, series."""


def get(conn: Connection, keys: Iterable[Key], *, lock: bool = True) -> dict[Key, dict[str, Any]]:
    """The state kept for each key ({} if none is).

    Within a writing transaction the keys are locked until its end (in one order, so ask for all
    at once): two gateways take turns. With ``lock=False`` this only reads.
    """
    wanted = set(keys)
    held = texts(conn, wanted, lock=lock)
    return {key: msgspec.json.decode(held[key]) if key in held else {} for key in wanted}


def texts(conn: Connection, wanted: Set[Key], *, lock: bool = True) -> dict[Key, str]:
    """The same as JSON, for whoever reads it as a type; keys of which nothing is kept are left out.

    PostgreSQL may say ``{}`` for these.
    """
    held = _read(conn, wanted, lock=lock)
    if lock and conn.dialect.name == "postgresql":
        missing = wanted - held.keys()
        if missing:  # a row must exist to be locked
            rows = [
                {"rule": rule, "series": series, "body": {}} for rule, series in sorted(missing)
            ]
            conn.execute(insert_into(conn, rule_state).on_conflict_do_nothing(), rows)
            held |= _read(conn, missing, lock=True)
    return held


def put(
    conn: Connection, states: Mapping[Key, Mapping[str, Any] | msgspec.Struct], at: datetime
) -> None:
    """Keep these states (what becomes JSON) in place of the old ones."""
    made = ((plain(rule), plain(series), to_json(body)) for (rule, series), body in states.items())
    rows = sorted(made)
    if not rows:
        return
    stored_at = at if conn.dialect.name == "postgresql" else sqlite_time(at)
    write_rows(conn, _PUT_SQLITE, _PUT_POSTGRESQL, [(*row, stored_at) for row in rows])


def series_of(conn: Connection, rule: str) -> dict[str, dict[str, Any]]:
    """Every series that `rule` remembers, with its state."""
    query = select(rule_state.c.series, rule_state.c.body).where(rule_state.c.rule == rule)
    return {row.series: row.body for row in conn.execute(query)}


_PUT_SQLITE = """
INSERT INTO rule_state (rule, series, body, changed_at) VALUES (?, ?, ?, ?)
ON CONFLICT (rule, series) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at
"""
_PUT_POSTGRESQL = """
INSERT INTO rule_state (rule, series, body, changed_at)
SELECT * FROM unnest(%s::text[], %s::text[], %s::jsonb[], %s::timestamptz[])
ON CONFLICT (rule, series) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at
"""


_READ_SQLITE = """
SELECT rule, series, body FROM rule_state WHERE series IN (SELECT value FROM json_each(?))
"""
_READ_POSTGRESQL = """
SELECT rule, series, body::text FROM rule_state WHERE series = ANY(%s) ORDER BY rule, series
"""


def _read(conn: Connection, keys: Set[Key], *, lock: bool) -> dict[Key, str]:
    """The states held under `keys`; with `lock`, all states of their series are locked."""
    if not keys:
        return {}
    wanted = sorted({plain(series) for _, series in keys})
    if conn.dialect.name == "postgresql":
        statement = f"{_READ_POSTGRESQL} FOR UPDATE" if lock else _READ_POSTGRESQL
        result = conn.exec_driver_sql(statement, (wanted,))
    else:
        result = conn.exec_driver_sql(_READ_SQLITE, (to_json(wanted),))
    # As the driver has them: SQLAlchemy's own work on a row costs more than reading it.
    rows = result.cursor.fetchall() if result.cursor is not None else []
    result.close()
    return {key: body for rule, series, body in rows if (key := (rule, series)) in keys}
