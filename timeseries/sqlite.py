"""The SQLite door: one file (WAL), the default of a small installation.

A value is kept under (series, field, time), so that writing again replaces it by itself. Booleans
are kept as one-byte blobs, which tells them from numbers.
"""

import logging
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from timeseries.expiry import Expiry
from timeseries.names import Series, fault, plain_measurement, plain_tags, plain_text, series_of
from timeseries.port import Point, Sample, SeriesDown, SeriesRejected, Value, from_ns, to_ns

log = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 15.0
KNOWN_SERIES = 100_000
"""Ids of series kept in memory at most."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, measurement TEXT NOT NULL, "
    "tags TEXT NOT NULL, UNIQUE (measurement, tags))",
    "CREATE TABLE IF NOT EXISTS tags (series INTEGER NOT NULL REFERENCES series(id), "
    "name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, value, series)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS fields (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS samples (series INTEGER NOT NULL, field INTEGER NOT NULL, "
    "at_ns INTEGER NOT NULL, value NOT NULL, PRIMARY KEY (series, field, at_ns)) WITHOUT ROWID",
)
_PUT = "INSERT OR REPLACE INTO samples (series, field, at_ns, value) VALUES (?, ?, ?, ?)"
_FIELD = "SELECT id FROM fields WHERE name = ?"
_FALSE, _TRUE = b"\x00", b"\x01"


class SqliteStore:
    """A SeriesStore in a file; opened (and made) at the first use."""

    def __init__(self, path: Path, expiry: Expiry | None = None) -> None:
        self._path = path
        self._expiry = expiry
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._series: dict[Series, int] = {}
        self._fields: dict[str, int] = {}

    def write(self, points: Sequence[Point]) -> None:
        """Store points in one transaction. Raises SeriesDown or SeriesRejected."""
        rejected = []
        good = []
        for index, point in enumerate(points):
            reason = fault(point)
            if reason:
                rejected.append((index, reason))
            else:
                good.append(point)
        with self._lock:
            try:
                self._store(self._opened(), good)
            except (sqlite3.Error, OSError) as error:
                # Ids learnt in a transaction that is gone are not to be believed.
                self._series.clear()
                self._fields.clear()
                raise SeriesDown(f"{self._path}: {error}") from error
            self._expire(good)
        if rejected:
            raise SeriesRejected(rejected)

    def samples(
        self,
        measurement: str,
        field: str,
        tags: Mapping[str, str],
        start_at: datetime,
        end_at: datetime,
        every_s: float | None = None,
    ) -> list[Sample]:
        """Values by time; see `SeriesStore.samples`. Raises SeriesDown."""
        ids, parameters = _matching(measurement, tags)
        where = (
            f"FROM samples WHERE series IN ({ids}) AND field = ({_FIELD}) "
            "AND at_ns >= ? AND at_ns < ?"
        )
        parameters += [plain_text(field), to_ns(start_at), to_ns(end_at)]
        if every_s is None:
            query = f"SELECT at_ns, value {where} ORDER BY at_ns, series"
        else:
            every_ns = round(every_s * 1_000_000_000)
            if every_ns <= 0:
                raise ValueError(f"every_s {every_s} is not positive")
            # % takes the sign of the time; the second % makes it floor before 1970 as well.
            bucket = f"at_ns - ((at_ns % {every_ns}) + {every_ns}) % {every_ns}"
            query = (
                f"SELECT {bucket} AS bucket, avg(value) {where} "
                "AND typeof(value) IN ('real', 'integer') GROUP BY bucket ORDER BY bucket"
            )
        return [Sample(from_ns(at), _read(value)) for at, value in self._all(query, parameters)]

    def latest(self, measurement: str, field: str, tags: Mapping[str, str]) -> Sample | None:
        """The newest value; see `SeriesStore.latest`. Raises SeriesDown."""
        ids, parameters = _matching(measurement, tags)
        query = (
            f"WITH wanted(id) AS ({ids}), named(id) AS ({_FIELD}) "  # noqa: S608 - parameters only
            "SELECT at_ns, value FROM wanted CROSS JOIN named JOIN samples "
            "ON series = wanted.id AND field = named.id AND at_ns = "
            "(SELECT max(at_ns) FROM samples WHERE series = wanted.id AND field = named.id) "
            "ORDER BY at_ns DESC LIMIT 1"
        )
        rows = self._all(query, [*parameters, plain_text(field)])
        return Sample(from_ns(rows[0][0]), _read(rows[0][1])) if rows else None

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                # FULL: a receipt that left this machine survives a power cut.
                connection.execute("PRAGMA synchronous = FULL")
                for statement in _SCHEMA:
                    connection.execute(statement)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _store(self, connection: sqlite3.Connection, points: Sequence[Point]) -> None:
        if not points:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            rows = []
            for point in points:
                series = self._series_id(connection, series_of(point))
                for name, value in point.fields.items():
                    field = self._field_id(connection, plain_text(name))
                    rows.append((series, field, point.at_ns, _kept(value)))
            connection.executemany(_PUT, rows)
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _expire(self, points: Sequence[Point]) -> None:
        """Remove some old values. What was just written is stored, whatever comes of this."""
        if not points or self._expiry is None:
            return
        written = sum(len(point.fields) for point in points)
        try:
            self._expiry.step(self._opened(), written, max(point.at_ns for point in points))
        except (sqlite3.Error, OSError) as error:
            log.warning("%s: old values could not be removed: %s", self._path, error)

    def _series_id(self, connection: sqlite3.Connection, wanted: Series) -> int:
        known = self._series.get(wanted)
        if known is not None:
            return known
        text = msgspec.json.encode(wanted.tags).decode()
        made = connection.execute(
            "INSERT INTO series (measurement, tags) VALUES (?, ?) "
            "ON CONFLICT DO UPDATE SET tags = excluded.tags RETURNING id",
            (wanted.measurement, text),
        ).fetchall()
        series: int = made[0][0]
        connection.executemany(
            "INSERT OR IGNORE INTO tags (series, name, value) VALUES (?, ?, ?)",
            [(series, name, value) for name, value in wanted.tags],
        )
        if len(self._series) >= KNOWN_SERIES:
            self._series.clear()
        self._series[wanted] = series
        return series

    def _field_id(self, connection: sqlite3.Connection, name: str) -> int:
        known = self._fields.get(name)
        if known is not None:
            return known
        made = connection.execute(
            "INSERT INTO fields (name) VALUES (?) "
            "ON CONFLICT DO UPDATE SET name = excluded.name RETURNING id",
            (name,),
        ).fetchall()
        field: int = made[0][0]
        self._fields[name] = field
        return field

    def _all(self, query: str, parameters: Sequence[Any]) -> list[tuple[int, Any]]:
        with self._lock:
            try:
                return self._opened().execute(query, parameters).fetchall()
            except (sqlite3.Error, OSError) as error:
                raise SeriesDown(f"{self._path}: {error}") from error


def _matching(measurement: str, tags: Mapping[str, str]) -> tuple[str, list[Any]]:
    """A query for the ids of the series that carry `tags`, and its parameters."""
    query = "SELECT id FROM series WHERE measurement = ?"
    parameters: list[Any] = [plain_measurement(measurement)]
    for name, value in plain_tags(tags):
        query += " AND id IN (SELECT series FROM tags WHERE name = ? AND value = ?)"
        parameters += [name, value]
    return query, parameters


def _kept(value: Value) -> float | int | str | bytes:
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    return value


def _read(value: float | int | str | bytes) -> Value:
    return value == _TRUE if isinstance(value, bytes) else value
