"""`setup-influx` on 2.x and 3 Core as they are documented (our own server), and VictoriaMetrics."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from influx_contract import TOKEN, InfluxContract
from servers import VictoriaMetrics, free_port

from foodsentry.cli import main
from timeseries.setup.others import victoria_days
from timeseries.setup.v2 import flux_means, flux_task

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(
        url: str,
        *options: str,
        org: str = "city",
        bucket: str = "fs",
        keep: str = "",
        api: str = "v2",
    ) -> tuple[int, str, str]:
        (tmp_path / "token").write_text(TOKEN, "utf-8")
        file = tmp_path / "gateway.toml"
        file.write_text(
            f'[ledger]\n[series]\napi = "v2"\nurl = "{url}"\nbucket = "fs"\norg = "{org}"\n'
            f'token_file = "token"\n[series.keep]\n{keep}\n',
            "utf-8",
        )
        code = main(["gateway", "setup-influx", str(file), *options])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def changes(server: InfluxContract) -> list[tuple[str, str, Any]]:
    return [one for one in server.requests if one[0] in ("POST", "PATCH")]


def test_buckets_names_and_tasks_of_2(run: Run) -> None:
    with InfluxContract(2) as server:
        code, said, _ = run(server.url, "--dry-run")
        assert code == 0 and said.count("would]") == 6 and not changes(server)
        code, said, _ = run(server.url)
        assert code == 0 and said.count("done]") == 6 and "2.x 2.7.12" in said
        assert server.buckets["fs"]["retentionRules"] == [
            {"type": "expire", "everySeconds": 400 * 86400}
        ]
        assert server.buckets["fs/means"]["retentionRules"][0]["everySeconds"] == 1830 * 86400
        names = {(row["database"], row["retention_policy"], row["default"]) for row in server.dbrps}
        assert names == {("fs", "autogen", True), ("fs", "means", False)}
        assert [row["bucketID"] for row in server.dbrps] == [
            server.buckets[name]["id"] for name in ("fs", "fs/means")
        ]
        assert len(server.tasks) == 2
        server.requests.clear()
        code, said, _ = run(server.url)
        assert code == 0 and said.count("there]") == 6 and not changes(server)


def test_what_differs_in_2_is_changed_but_not_shortened(run: Run) -> None:
    with InfluxContract(2) as server:
        server.buckets["fs"] = {"id": "b", "name": "fs", "retentionRules": []}
        code, said, _ = run(server.url)
        assert code == 1 and "[做不到 / cannot] 存储桶 fs" in said and "--shorten" in said
        assert run(server.url, "--shorten")[0] == 0
        assert server.buckets["fs"]["retentionRules"][0]["everySeconds"] == 400 * 86400
        code, said, _ = run(server.url, keep="raw_days = 0\nlate_days = 9")
        assert code == 0 and said.count("done]") == 2
        assert server.buckets["fs"]["retentionRules"] == []
        (late,) = [task for name, task in server.tasks.items() if name.endswith("late")]
        assert "-9d" in late["flux"] and late["status"] == "active"


def test_a_name_that_leads_elsewhere_is_left_alone(run: Run) -> None:
    with InfluxContract(2) as server:
        server.dbrps.append(
            {"id": "1", "database": "fs", "retention_policy": "x", "default": True, "bucketID": "9"}
        )
        code, said, _ = run(server.url)
        assert code == 1 and "leads to another bucket, 9" in said
        # What the server maps by itself is no obstacle.
        server.dbrps[0]["virtual"] = True
        assert run(server.url)[0] == 0


def test_backfill_of_2_goes_day_by_day(run: Run) -> None:
    with InfluxContract(2) as server:
        run(server.url)
        code, said, _ = run(server.url, "--backfill", "3")
        # Our own server knows no Flux: what cannot be done is told, and why.
        assert code == 1 and "补算 readings 最近 3 天的均值" in said and "HTTP 404" in said
        (asked,) = [table for _, where, table in server.requests if "/api/v2/query" in where]
        assert asked["type"] == "flux" and 'bucket: "fs/means"' in asked["query"]


def test_the_flux_of_a_task() -> None:
    flux = flux_task("n", "10m", "1m", "2h", 'b"\\${x}', "b/means", "城市", "readings", "value")
    assert flux.startswith('import "date"\n\noption task = {name: "n", every: 10m, offset: 1m}\n')
    assert 'from(bucket: "b\\"\\\\\\${x}")' in flux
    assert "range(start: date.truncate(t: -2h, unit: 10m), stop: date.truncate(t: now()" in flux
    assert flux.count("kept(fn: ") == 5 and 'to(bucket: "b/means", org: "城市")' in flux
    for opened, closed in ("()", "[]", "{}"):
        assert flux.count(opened) == flux.count(closed)
    assert "2026-01-01T00:00:00+00:00" in flux_means(
        "2026-01-01T00:00:00+00:00", "x", "b", "m", "o", "readings", "value"
    )


def test_2_without_its_organisation_or_with_a_wrong_one(run: Run) -> None:
    with InfluxContract(2) as server:
        code, _, err = run(server.url, org="")
        assert code == 2 and "series.org" in err
        code, _, err = run(server.url, org="other")
        assert code == 1 and "HTTP 404" in err


def test_3_core_can_do_little_and_it_is_said(run: Run) -> None:
    with InfluxContract(3) as server:
        code, said, _ = run(server.url)
        assert code == 1 and "[已做 / done] 数据库 fs：400 天" in said and "no tasks" in said
        assert server.buckets["fs"] == {"db": "fs", "retention_period": "400d"}
        code, said, _ = run(server.url)
        assert code == 1 and "there] 数据库 fs" in said and "neither tell nor change" in said


@pytest.mark.real
def test_victoria_says_what_it_keeps(run: Run, tmp_path: Path, victoria: VictoriaMetrics) -> None:
    code, said, _ = run(victoria.url, keep="raw_days = 0")
    assert code == 1 and "VictoriaMetrics\n" in said and "there] 保留 永久" in said
    assert "charts read the values" in said
    code, said, _ = run(victoria.url)
    assert code == 1 and "it keeps 36500 days" in said and "-retentionPeriod=400d" in said


@pytest.mark.parametrize(
    ("flags", "days"),
    [
        ("-a=1\n-retentionPeriod=100y\n", 36500),
        ('-retentionPeriod="400d"\n', 400),
        ("-retentionPeriod=12\n", 372),
        ("-retentionPeriod=2w", 14),
        ("-httpListenAddr=x\n", 31),
    ],
)
def test_victorias_flags(flags: str, days: float) -> None:
    assert victoria_days(flags) == days


def test_nobody_there(run: Run) -> None:
    code, _, err = run(f"http://127.0.0.1:{free_port()}")
    assert code == 1 and "foodsentry: http://127.0.0.1" in err


def test_sqlite_needs_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[ledger]\n[series]\npath = "s.db"\n', "utf-8")
    assert main(["gateway", "setup-influx", str(file)]) == 0
    assert "needs no setup" in capsys.readouterr().out
