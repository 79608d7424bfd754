"""The committed rules: every boundary on both sides, by the examples that stand beside them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from gateway_town import COLD, device

from contracts.limits import Limits, load_limits
from contracts.settings import SettingsError
from contracts.workdays import Calendar
from foodsentry.cli import main
from gateway.alerts.absence import AbsenceState, View, look
from gateway.alerts.book import RuleBook
from gateway.alerts.check import check_schedules
from gateway.alerts.day_times import LOCAL, MondayToFriday, Schedule, Timetable, read_timetable
from gateway.alerts.examples import failing, fires
from gateway.alerts.gaps import look_for_gaps
from gateway.alerts.outcomes import Raise
from gateway.alerts.rule import Rule, json_schema
from gateway.alerts.rules import read_rules
from gateway.run import CONFIGS, book_of
from ledger.devices import Device, DeviceKind

RULES = CONFIGS / "rules"
LIMITS = CONFIGS / "limits"
PACKS = {
    "": book_of(RULES, LIMITS / "storage_temperatures.csv"),
    "optional": book_of(RULES / "optional", LIMITS / "storage_temperatures.csv"),
}
EXAMPLES = [
    pytest.param(pack, rule.id, place, id=f"{rule.id}: {example.name}")
    for pack, book in PACKS.items()
    for rule in book.rules
    for place, example in enumerate(rule.example)
]
BY_CLOCK = {
    "device_silent",
    "agent_offline",
    "data_waiting",
    "data_lost",
    "evidence_key_new",
    "no_tests_today",
    "canteen_cameras_at_lunch",
}
"""Rules that wait for what does not come: no example can show it; they have tests of their own."""


def rule_of(book: RuleBook, rule_id: str) -> Rule:
    return next(rule for rule in book.rules if rule.id == rule_id)


@pytest.fixture(scope="module")
def tests() -> Limits:
    return load_limits(LIMITS)


@pytest.mark.parametrize(("pack", "rule_id", "place"), EXAMPLES)
def test_an_example(pack: str, rule_id: str, place: int, tests: Limits) -> None:
    book = PACKS[pack]
    rule = rule_of(book, rule_id)
    assert fires(book, tests, rule, rule.example[place]) is rule.example[place].fires


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_shows_both_sides(pack: str) -> None:
    for rule in PACKS[pack].rules:
        if rule.id not in BY_CLOCK:
            assert {example.fires for example in rule.example} == {True, False}, rule.id


def test_each_number_has_its_mark() -> None:
    for book in PACKS.values():
        for rule in book.rules:
            if rule.source:
                assert any(mark in rule.source for mark in ("[V]", "[S]", "[U]")), rule.id


def test_an_example_that_lies_is_named(tests: Limits, tmp_path: Path) -> None:
    text = (RULES / "storage.toml").read_text("utf-8")
    folder = tmp_path / "rules"
    folder.mkdir()
    lie = text.replace('"7.99 °C is cold enough"\nfires = false', '"lie"\nfires = true')
    (folder / "storage.toml").write_text(lie, "utf-8")
    book = book_of(folder, LIMITS / "storage_temperatures.csv")
    rule = rule_of(book, "cold_store_warm")
    assert list(failing(book, tests, rule)) == ["example 'lie': does not fire, and must"]
    assert main(["gateway", "check-rules", str(folder)]) == 2


def test_the_schema_is_the_present_one() -> None:
    # To renew it: make docs
    published = json.loads((RULES / "rule.schema.json").read_text("utf-8"))
    assert published == json_schema()
    for name, definition in published["$defs"].items():
        for key, spec in definition.get("properties", {}).items():
            if key == "kind" and len(spec.get("enum", ())) == 1:
                continue  # the tag of a union
            assert "description" in spec, f"{name}.{key}"


def test_rule_files_name_it_for_editors() -> None:
    for path in RULES.rglob("*.toml"):
        assert path.read_text("utf-8").startswith("#:schema "), path


AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def silent_for(seconds: float, kind: DeviceKind, book: RuleBook) -> list[str]:
    """Rules that fire of a device that may be silent for 60 s, and was for so long."""
    heard_at = AT - timedelta(seconds=seconds)
    one = Device("440703", "s", "d", kind, "d", AT - timedelta(days=1), "", 60.0)
    seen = Device(
        **{**{f: getattr(one, f) for f in one.__struct_fields__}, "last_seen_at": heard_at}
    )
    view = View(AT, AT - timedelta(days=1), [seen])
    states: dict[tuple[str, str], AbsenceState] = {}
    found = look(book, view, states)
    return [raised.rule.id for raised in found.outcomes if isinstance(raised, Raise)]


def test_silence_on_both_sides_of_its_time() -> None:
    book = PACKS[""]
    assert silent_for(60, DeviceKind.PROBE, book) == []
    assert silent_for(60.001, DeviceKind.PROBE, book) == ["device_silent"]


def waiting(age_s: float, backlog: int) -> list[str]:
    agent = Device(
        "440703",
        "s",
        "agent",
        DeviceKind.AGENT,
        "",
        AT,
        last_seen_at=AT,
        backlog=backlog,
        waiting_since=AT - timedelta(seconds=age_s),
    )
    found = look_for_gaps(PACKS[""], AT, [agent], [], {})
    return [raised.rule.id for raised in found.outcomes if isinstance(raised, Raise)]


def test_a_backlog_on_both_sides_of_its_bounds() -> None:
    assert waiting(1799, 99_999) == []
    assert waiting(1800, 1) == waiting(1, 100_000) == ["data_waiting"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL)


TIMETABLE = read_timetable(LIMITS, Calendar.read(CONFIGS / "calendars"))


@pytest.mark.parametrize(
    ("schedule", "moment", "holds"),
    [
        (Schedule(), "2026-03-02 12:00", True),
        (Schedule(times=("06:00-09:30",)), "2026-03-02 05:59", False),
        (Schedule(times=("06:00-09:30",)), "2026-03-02 06:00", True),
        (Schedule(times=("06:00-09:30",)), "2026-03-02 09:29", True),
        (Schedule(times=("06:00-09:30",)), "2026-03-02 09:30", False),
        (Schedule(times=("22:00-05:00",)), "2026-03-02 21:59", False),
        (Schedule(times=("22:00-05:00",)), "2026-03-02 22:00", True),
        (Schedule(times=("night",)), "2026-03-03 04:59", True),
        (Schedule(times=("night",)), "2026-03-03 05:00", False),
        # The night to Saturday is Friday's; the night to Monday is Sunday's.
        (Schedule(times=("night",), weekdays=(5,)), "2026-03-07 04:00", True),
        (Schedule(times=("night",), weekdays=(5,)), "2026-03-06 04:00", False),
        # National Day 2026: off through 7 October, made up for on 20 September and 10 October.
        (Schedule(days="workday"), "2026-09-30 12:00", True),
        (Schedule(days="workday"), "2026-10-01 12:00", False),
        (Schedule(days="workday"), "2026-10-07 23:59", False),
        (Schedule(days="workday"), "2026-10-08 00:00", True),
        (Schedule(days="workday"), "2026-10-10 12:00", True),
        (Schedule(days="restday"), "2026-10-11 12:00", True),
        (Schedule(days="workday"), "2026-09-20 12:00", True),
        (Schedule(days="school"), "2026-10-10 12:00", True),
        (Schedule(days="school"), "2026-08-31 12:00", False),
        (Schedule(days="no_school"), "2026-08-31 12:00", True),
        (Schedule(days="school"), "2026-09-01 00:00", True),
        # Nobody has announced that year's days off yet: Monday to Friday.
        (Schedule(days="workday"), "2031-10-01 12:00", True),
    ],
)
def test_schedules_at_the_minute(schedule: Schedule, moment: str, holds: bool) -> None:
    assert TIMETABLE.holds(schedule, at(moment)) is holds


def test_without_a_calendar_the_week_has_five_days() -> None:
    week = MondayToFriday()
    assert [week.is_workday(at(f"2026-03-0{day} 12:00").date()) for day in (6, 7, 9)] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("times", ["6:00-9:00", "noon", "06:00-25:00", "06:00"])
def test_a_time_of_the_day_that_is_none_is_refused(times: str) -> None:
    rule = rule_of(PACKS[""], "no_hat")

    wrong = msgspec.structs.replace(rule, schedule=Schedule(times=(times,)))
    with pytest.raises(SettingsError, match=r"here: rule no_hat: schedule\.times"):
        check_schedules([wrong], Timetable(), "here")


def test_devices_are_found_by_name_as_well() -> None:
    book = PACKS[""]
    by_id = book.own(device(COLD)).readings["temperature"]

    named = msgspec.structs.replace(device(COLD), device="probe7", name="二号冷藏库")
    assert [rule.id for rule in book.own(named).readings["temperature"]] == [
        rule.id for rule in by_id
    ]
    other = msgspec.structs.replace(named, device="probe8", name="切配间")
    assert book.own(other).readings == {}


def test_a_device_that_changes_gets_its_rules_anew() -> None:

    book = RuleBook(read_rules(RULES), PACKS[""].limits)
    probe = msgspec.structs.replace(device(COLD), device="probe7", name="切配间")
    assert book.own(probe).readings == {}
    assert book.own(msgspec.structs.replace(probe, name="冷藏库")).readings
