"""The SQLite door alone: files that are locked, broken or full, two processes, many threads."""

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.settings import SettingsError, convert_settings
from timeseries import sqlite
from timeseries.influx import InfluxStore
from timeseries.port import Point, SeriesDown, to_ns
from timeseries.settings import SeriesSettings, open_store
from timeseries.sqlite import SqliteStore

AT = datetime(2026, 3, 2, tzinfo=UTC)
LATER = AT + timedelta(days=1)


def points(count: int, **tags: str) -> list[Point]:
    return [Point("m", tags, {"value": n / 2}, to_ns(AT) + n * 1000) for n in range(count)]


def test_two_stores_on_one_file(tmp_path: Path) -> None:
    writer, reader = (SqliteStore(tmp_path / "deep" / "series.db") for _ in range(2))
    writer.write(points(10))
    assert len(reader.samples("m", "value", {}, AT, LATER)) == 10
    reader.write(points(20))
    writer.write(points(30))
    assert len(reader.samples("m", "value", {}, AT, LATER)) == 30
    for store in (writer, reader):
        store.close()
    assert len(reader.samples("m", "value", {}, AT, LATER)) == 30
    reader.close()


def test_many_threads(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "series.db")
    threads = [
        threading.Thread(target=store.write, args=(points(50, device=f"d{n % 4}"),))
        for n in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.samples("m", "value", {}, AT, LATER)) == 200
    store.close()


def test_a_locked_file_is_down_and_reads_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)
    path = tmp_path / "series.db"
    store = SqliteStore(path)
    store.write(points(1))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SeriesDown, match=r"series.db: database is locked"):
        store.write(points(2, device="new"))
    assert len(store.samples("m", "value", {}, AT, LATER)) == 1
    other.execute("ROLLBACK")
    other.close()
    store.write(points(2, device="new"))
    assert len(store.samples("m", "value", {"device": "new"}, AT, LATER)) == 2
    store.close()


def test_a_full_disk_is_down_and_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "series.db")
    store.write(points(10))
    assert store._connection is not None
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(SeriesDown, match="full"):
        store.write(points(10_000, device="new"))
    assert len(store.samples("m", "value", {}, AT, LATER)) == 10
    store._connection.execute("PRAGMA max_page_count = 1073741823")
    store.write(points(10_000, device="new"))
    assert len(store.samples("m", "value", {"device": "new"}, AT, LATER)) == 10_000
    store.close()


def test_what_is_no_database_is_down(tmp_path: Path) -> None:
    (tmp_path / "series.db").write_bytes(b"this is not a database" * 100)
    (tmp_path / "file").write_text("x", "utf-8")
    for path in (tmp_path / "series.db", tmp_path / "file" / "series.db"):
        store = SqliteStore(path)
        with pytest.raises(SeriesDown, match=r"series.db"):
            store.write(points(1))
        with pytest.raises(SeriesDown, match=r"series.db"):
            store.latest("m", "value", {})
        store.close()


def test_settings_open_the_store_beside_them(tmp_path: Path) -> None:
    store = open_store(SeriesSettings(path="data/series.db"), tmp_path)
    store.write(points(1))
    store.close()
    assert (tmp_path / "data" / "series.db").exists()


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"api": "v3"}, "series: api: Invalid enum value 'v3'"),
        ({"colour": 1}, "unknown field `colour`"),
        ({"api": "v1"}, "series.url: api 'v1' needs"),
        ({"api": "v1", "url": "http://x"}, "series.database: api 'v1' needs"),
        ({"api": "v2", "url": "http://x"}, "series.bucket: api 'v2' needs"),
        ({"api": "v2", "url": "x", "bucket": "b"}, "series.url: 'x' is not an http"),
        (
            {"api": "v1", "url": "http://x", "database": "d", "token_file": "none"},
            "series.token_file: secret file .*none",
        ),
    ],
)
def test_wrong_settings_name_the_key(tmp_path: Path, table: dict[str, str], reason: str) -> None:
    with pytest.raises(SettingsError, match=reason):
        open_store(convert_settings(table, SeriesSettings, "series"), tmp_path)


def test_a_token_comes_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n", "utf-8")
    settings = SeriesSettings(
        api="v2", url="http://127.0.0.1:1", bucket="b", token_file="token", timeout_s=0.2
    )
    store = open_store(settings, tmp_path)
    assert isinstance(store, InfluxStore)
    with pytest.raises(SeriesDown) as error:
        store.write(points(1))
    assert "secret" not in str(error.value)
    store.close()
