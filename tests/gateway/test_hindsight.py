"""Tests of replay: stored facts under the present rules, under others, and those of their day."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from gateway_town import (
    CAMERA,
    COLD,
    NOON,
    READER,
    inbound,
    observation,
    readings,
    registry,
    result,
)

from contracts.settings import SettingsError
from contracts.words import Phase, Verdict
from foodsentry.cli import main
from gateway.alerts.book import RuleBook
from gateway.alerts.hindsight import Hindsight, replay
from gateway.alerts.rules import read_rules
from gateway.intake.points import points_of
from gateway.intake.store import take_in
from gateway.run import CONFIGS, book_of
from gateway.unpack import Accepted, unpack
from ledger import devices
from ledger.engine import Engine, reading, writing
from timeseries.settings import SeriesSettings, open_store

LIMITS = CONFIGS / "limits" / "storage_temperatures.csv"
WARM = [(minute * 60, 8.0) for minute in range(12)] + [(900, 5.0), (1000, 5.0)]
RULE = """
[[rule]]
id = "pesticide_positive"
version = "{version}"
severity = 1
title_zh = "第 {version} 版"
title_en = "x"
summary_zh = "x"
summary_en = "x"
{effect}
[rule.when]
kind = "verdict"
verdicts = [{verdicts}]
"""


@pytest.fixture
def told(ledger: Engine, book: RuleBook, tmp_path: Path) -> Engine:
    """A town that told a positive, a suspect, an episode and a warm store, each alerted."""
    store = open_store(SeriesSettings(api="sqlite", path="series.db"), tmp_path)
    messages = [
        inbound(READER, result(), 1),
        inbound(READER, result(Verdict.SUSPECT, "45.00"), 2),
        inbound(CAMERA, observation("o1"), 1),
        inbound(CAMERA, observation("o1", Phase.CLOSED), 2),
        inbound(COLD, readings(*WARM), 3),
    ]
    for message in messages:
        one = unpack(message, registry())
        assert isinstance(one, Accepted)
        store.write(points_of(one.who, one.event))
        with writing(ledger) as conn:
            take_in(conn, [one], [], book, NOON)
    store.close()
    return ledger


@pytest.fixture
def again(told: Engine, tmp_path: Path) -> Callable[[RuleBook], Hindsight]:
    def play(book: RuleBook) -> Hindsight:
        store = open_store(SeriesSettings(api="sqlite", path="series.db"), tmp_path)
        with reading(told) as conn:
            town = list(devices.registry(conn).values())
            found = replay(
                conn, store, book, town, NOON - timedelta(hours=1), NOON + timedelta(hours=1)
            )
        store.close()
        return found

    return play


def lines(found: Hindsight) -> dict[str, tuple[int, int, int]]:
    return {line.rule: (line.would, line.was, line.both) for line in found.lines}


def test_the_same_rules_raise_the_same(
    again: Callable[[RuleBook], Hindsight], book: RuleBook
) -> None:
    found = again(book)
    once = (1, 1, 1)
    assert lines(found) == {
        "pesticide_positive": once,
        "pesticide_suspect": once,
        "no_hat": once,
        "cold_store_warm": once,
    }
    assert found.more == [] and found.fewer == []
    assert found.facts == 4 + len(WARM)  # an episode's two ends are two
    assert "device_silent" in found.not_played


def test_other_rules_raise_more_and_fewer(
    again: Callable[[RuleBook], Hindsight], tmp_path: Path
) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    for file in (CONFIGS / "rules").glob("*.toml"):
        text = file.read_text("utf-8").replace("for_s = 600", "for_s = 900")
        text = text.replace(
            'kinds = ["no_mask"]', 'kinds = ["no_mask", "no_hat"]\nif = "people > 0"'
        )
        text = text.replace('zone_kinds = ["special_room", "special_area"]\n', "")
        (folder / file.name).write_text(text, "utf-8")
    found = again(book_of(folder, LIMITS))
    assert lines(found)["cold_store_warm"] == (0, 1, 0)
    assert lines(found)["no_mask"] == (1, 0, 0)
    assert [one.rule for one in found.fewer] == ["cold_store_warm"]
    assert [one.fingerprint for one in found.more] == [f"no_mask|{CAMERA.source}|o1"]


def versions(tmp_path: Path, last_of_first: str, first_of_second: str) -> Path:
    file = tmp_path / "versions.toml"
    first = RULE.replace("{version}", "1").replace("{verdicts}", '"positive"')
    second = RULE.replace("{version}", "2").replace("{verdicts}", '"positive", "suspect"')
    first = first.replace("{effect}", f"effective_until = {last_of_first}")
    second = second.replace("{effect}", f"effective_from = {first_of_second}")
    file.write_text(first + second, "utf-8")
    return file


@pytest.mark.parametrize(
    ("last", "first", "raised"),
    [("2026-03-01", "2026-03-02", 2), ("2026-03-02", "2026-03-03", 1)],
)
def test_old_facts_are_judged_by_the_version_of_their_day(
    again: Callable[[RuleBook], Hindsight], tmp_path: Path, last: str, first: str, raised: int
) -> None:
    found = again(book_of(versions(tmp_path, last, first), LIMITS))
    assert lines(found)["pesticide_positive"] == (raised, 1, 1)
    assert {one.version for one in found.more} == ({"2"} if raised == 2 else set())


def test_versions_must_not_overlap(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="already taken; versions of a rule"):
        read_rules(versions(tmp_path, "2026-03-02", "2026-03-02"))


def test_the_command(
    told: Engine, ledger_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "gateway.toml"
    settings.write_text(
        f'[ledger]\nurl = "sqlite:///{ledger_file}"\n[series]\napi = "sqlite"\npath = "series.db"\n'
    )
    span = ["--settings", str(settings), "--from", "2026-03-02", "--to", "2026-03-03T00:00"]
    assert main(["gateway", "replay", *span, "--list"]) == 0
    said = capsys.readouterr().out
    assert "cold_store_warm\t2\t1\t1\t1\t0\t0" in said and "without history" in said
    file = versions(tmp_path, "2026-03-01", "2026-03-02")
    assert main(["gateway", "replay", *span, "--rules", str(file), "--list"]) == 0
    assert f"2026-03-02 12:00\tpesticide_positive|{READER.source}|e1-2\t第 2 版" in (
        capsys.readouterr().out
    )
    assert main(["gateway", "replay", *span, "--json", "--no-readings"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["rule"] for one in found["fewer"]] == ["cold_store_warm"]
    assert main(["gateway", "replay", *span, "--region", "999999"]) == 2
    assert main(["gateway", "replay", *span[:2], "--from", "2026-03-03", *span[4:]]) == 2
