"""`setup-influx` on a real InfluxDB 1.x: made once, left alone, never shortened unasked; means."""

import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from influx_door import influx_door
from servers import Influx, ask

from foodsentry.cli import main
from timeseries.port import Point, to_ns
from timeseries.setup.v1 import duration_s, normal, shard_days

pytestmark = pytest.mark.real

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def fresh() -> str:
    return f"城市 {secrets.token_hex(4)}"


@pytest.fixture
def run(influx: Influx, fresh: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*options: str, keep: str = "", database: str = fresh) -> tuple[int, str]:
        file = tmp_path / "gateway.toml"
        file.write_text(
            f'[ledger]\n[series]\napi = "v1"\nurl = "{influx.url}"\ndatabase = "{database}"\n'
            f"[series.keep]\n{keep}\n",
            "utf-8",
        )
        code = main(["gateway", "setup-influx", str(file), *options])
        return code, capsys.readouterr().out

    return call


def shown(influx: Influx, statement: str) -> str:
    return ask(influx.url, statement)


def test_made_once_and_then_left_alone(influx: Influx, fresh: str, run: Run) -> None:
    code, said = run("--dry-run")
    assert code == 0 and said.count("would]") == 5
    assert fresh not in shown(influx, "SHOW DATABASES")
    code, said = run()
    assert code == 0 and said.count("done]") == 5 and "1.x 1.6.7" in said
    policies = shown(influx, f'SHOW RETENTION POLICIES ON "{fresh}"')
    assert '["autogen","9600h0m0s","168h0m0s",1,true]' in policies
    assert '["means","43920h0m0s","720h0m0s",1,false]' in policies
    before = shown(influx, "SHOW CONTINUOUS QUERIES")
    code, said = run()
    assert code == 0 and said.count("there]") == 5
    code, said = run("--dry-run")
    assert code == 0 and said.count("there]") == 5
    assert shown(influx, "SHOW CONTINUOUS QUERIES") == before


def test_two_databases_on_one_server(run: Run, fresh: str) -> None:
    run()
    code, said = run(database=f"{fresh} 2")
    assert code == 0 and said.count("done]") == 5
    for database in (fresh, f"{fresh} 2"):
        assert run(database=database)[1].count("there]") == 5


def test_nothing_is_shortened_unasked(influx: Influx, fresh: str, run: Run) -> None:
    run(keep="raw_days = 100\nlate_days = 3")
    code, said = run(keep="raw_days = 50\nlate_days = 4")
    assert code == 1 and "[做不到 / cannot] 保留策略 autogen" in said and "--shorten" in said
    assert said.count("done]") == 1  # the daily query, with its new span
    assert '"2400h0m0s"' in shown(influx, f'SHOW RETENTION POLICIES ON "{fresh}"')
    assert run("--shorten", keep="raw_days = 5")[0] == 0
    assert '["autogen","120h0m0s","24h0m0s"' in shown(
        influx, f'SHOW RETENTION POLICIES ON "{fresh}"'
    )
    code, said = run(keep="raw_days = 0")
    assert code == 0 and "永久" in said and "done]" in said
    assert run(keep="raw_days = 0")[1].count("there]") == 5


def test_the_default_policy_keeps_its_name(influx: Influx, fresh: str, run: Run) -> None:
    shown(influx, f'CREATE DATABASE "{fresh}" WITH DURATION 1000d NAME "theirs"')
    code, said = run(keep="raw_days = 2000")
    assert code == 0 and "retention policy theirs: 2000 days" in said
    assert f"FROM {fresh}.theirs.readings" in shown(influx, "SHOW CONTINUOUS QUERIES").replace(
        '\\"', ""
    )


def test_means_outlive_the_values_and_late_ones_are_read(
    influx: Influx, fresh: str, run: Run
) -> None:
    """Means of two days; a day of values is deleted, an hour comes late: charts show all of it."""
    run()
    store = influx_door(api="v1", url=influx.url, database=fresh)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    start, tags = now - timedelta(days=2), {"device": "探头=1, 冷库"}
    late = (now - timedelta(hours=5), now - timedelta(hours=4))

    def points(first: datetime, last: datetime) -> list[Point]:
        minutes = int((last - first).total_seconds() // 60)
        return [
            Point("readings", tags, {"value": n % 7 + 0.5}, to_ns(first + timedelta(minutes=n)))
            for n in range(minutes)
        ]

    store.write(points(start, late[0]) + points(late[1], now))
    whole = store.samples("readings", "value", tags, start, now, 3600)
    assert len(whole) == 47
    code, said = run("--backfill", "3")
    assert code == 0 and "补算" in said
    shown(influx, f"DROP SHARD {_first_shard(influx, fresh)}")
    assert store.samples("readings", "value", tags, start, now, 3600) == whole
    assert len(store.samples("readings", "value", tags, start, now)) < 47 * 60
    store.write(points(*late))
    with_late = store.samples("readings", "value", tags, start, now, 3600)
    assert len(with_late) == 48 and [s for s in with_late if s.at != late[0]] == whole
    row = json.loads(
        ask(influx.url, 'SELECT * FROM "means"."readings" LIMIT 1', db=fresh, epoch="ns")
    )["results"][0]["series"][0]
    assert row["columns"] == ["time", "count", "device", "max", "min", "sum", "value"]
    assert row["values"][0][1:4] == [10, "探头=1, 冷库", 6.5]
    store.close()


def _first_shard(influx: Influx, database: str) -> int:
    """The oldest shard of the values."""
    tables = json.loads(ask(influx.url, "SHOW SHARDS"))["results"][0]["series"]
    rows = next(table["values"] for table in tables if table["name"] == database)
    return int(min((row[5], row[0]) for row in rows if row[2] == "autogen")[1])


def test_a_user_who_may_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Influx(tmp_path / "server", user="yes") as server:
        ask(server.url, "CREATE USER admin WITH PASSWORD 'p' WITH ALL PRIVILEGES")
        ask(server.url, "CREATE USER gateway WITH PASSWORD 'g'", u="admin", p="p")
        (tmp_path / "g").write_text("g", "utf-8")
        (tmp_path / "p").write_text("p", "utf-8")
        file = tmp_path / "gateway.toml"
        file.write_text(
            f'[ledger]\n[series]\napi = "v1"\nurl = "{server.url}"\ndatabase = "d"\n'
            'username = "gateway"\ntoken_file = "g"\n',
            "utf-8",
        )
        assert main(["gateway", "setup-influx", str(file)]) == 1
        assert "cannot" in capsys.readouterr().out
        admin = ["--username", "admin", "--token-file", str(tmp_path / "p")]
        assert main(["gateway", "setup-influx", str(file), *admin]) == 0
        assert capsys.readouterr().out.count("done]") == 5


def test_statements_are_compared_as_the_server_writes_them() -> None:
    assert duration_s("9600h0m0s") == 9600 * 3600 and duration_s("5w") == 35 * 86400
    assert normal('ON "d" RESAMPLE EVERY 86400s') == normal("ON d RESAMPLE EVERY 1d")
    assert [shard_days(days, 7) for days in (0, 400, 14, 13, 5, 1)] == [7, 7, 7, 3, 1, 1]
