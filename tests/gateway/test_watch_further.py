"""Tests of the watch besides absence: devices' own words, what is expected, windows."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import pytest
from gateway_town import NOON, READER, inbound, market, registry, result, status

from contracts.words import DeviceState, Severity, Verdict
from gateway.alerts.book import RuleBook
from gateway.alerts.day_times import Schedule
from gateway.alerts.kinds import CountOf, DeviceIs, Expected, When
from gateway.alerts.rule import Rule
from gateway.health import Health
from gateway.intake.store import take_in
from gateway.metrics import Metrics
from gateway.registry import Devices
from gateway.unpack import Accepted, unpack
from gateway.watch import Watch
from ledger import alerts
from ledger.devices import mark_seen
from ledger.engine import Engine, reading, writing

WORDS = dict.fromkeys(("title_zh", "title_en"), "x")


def rule(rule_id: str, when: When, said: str = "x", **options: object) -> Rule:
    told = {"summary_zh": said, "summary_en": said, **WORDS, **options}
    return Rule(id=rule_id, version="1", severity=Severity.DEADLINE, when=when, **told)  # type: ignore[arg-type]


RULES = [
    rule("clock", DeviceIs("clock_offset_s != null && clock_offset_s > 60.0", ("agent",), 600)),
    rule("thinning", DeviceIs("thinned_grown > 0", ("agent",), window_s=3600), "{grown}"),
    rule("no_tests", Expected("tests", by="10:30", since="04:00"), "{by}"),
    rule(
        "no_camera",
        Expected("heard", by="10:30", since="04:00", device_kinds=("camera",)),
        schedule=Schedule(weekdays=(1,)),
    ),
    rule("many", CountOf("tests", 3600, 2, ("site",), verdicts=(Verdict.SUSPECT,)), "{count}"),
]


class Town:
    """A gateway's watch over the small town, with a clock of its own."""

    def __init__(self, ledger: Engine) -> None:
        self.ledger = ledger
        self.now = NOON.replace(hour=1)  # 09:00 on a Monday
        self.listening_since = NOON - timedelta(days=1)
        self.book = RuleBook(RULES, None)  # type: ignore[arg-type]
        self._number = 0
        self._watch = self.restarted()

    def restarted(self) -> Watch:
        return Watch(
            self.ledger,
            Devices(self.ledger),
            self.book,
            every_s=1,
            gaps_every_s=30,
            listening_since=lambda: self.listening_since,
            on_alerts=lambda: None,
            metrics=Metrics(),
            health=Health(),
            clock=lambda: self.now,
        )

    def look(self, **later: float) -> list[tuple[str, str]]:
        """Move the clock and look; every alert with its state."""
        self.now += timedelta(**later)
        self._watch = self.restarted()  # nothing is remembered but in the ledger
        self._watch.look_once()
        with reading(self.ledger) as conn:
            return sorted((row.rule, row.state.value) for row in alerts.list_in(conn, None))

    def told(self, **figures: object) -> None:
        """The market's agent says how it is; its site's devices were heard."""
        made = msgspec.structs.replace(status(at=self.now), **figures)
        self._take(inbound(market("agent"), made, at=self.now, received_at=self.now))
        with writing(self.ledger) as conn:
            mark_seen(conn, {market("agent"): self.now})

    def tested(self, verdict: Verdict = Verdict.PASS) -> None:
        self._number += 1
        test = result(verdict, "45.00", self.now)
        self._take(inbound(READER, test, self._number, at=self.now, received_at=self.now))

    def _take(self, message: object) -> None:
        one = unpack(message, registry())  # type: ignore[arg-type]
        assert isinstance(one, Accepted)
        with writing(self.ledger) as conn:
            take_in(conn, [one], [], self.book, self.now)


@pytest.fixture
def town(ledger: Engine) -> Iterator[Town]:
    yield Town(ledger)


def test_a_clock_is_wrong_after_its_time_and_right_again(town: Town) -> None:
    town.told(clock_offset_s=61.0)
    assert town.look() == []
    assert town.look(seconds=599) == []
    assert town.look(seconds=1) == [("clock", "firing")]
    town.told(clock_offset_s=60.0)
    assert town.look(seconds=1) == [("clock", "resolved")]


def test_thinning_is_told_by_what_grew(town: Town) -> None:
    town.told(thinned=500)
    assert town.look() == []
    town.told(thinned=507)
    assert town.look(minutes=10) == [("thinning", "firing")]
    with reading(town.ledger) as conn:
        (alert,) = alerts.list_in(conn, None)
    assert alert.summary_en == "7" and alert.facts["thinned_grown"] == 7
    assert town.look(minutes=30) == [("thinning", "firing")]
    for _ in range(8):  # the hour passes; looks leave their marks
        found = town.look(minutes=9)
    assert found[0] == ("thinning", "resolved") or ("thinning", "resolved") in found


def test_a_silent_agent_is_not_judged_by_its_old_words(town: Town) -> None:
    town.told(state=DeviceState.OFFLINE, clock_offset_s=100.0)
    town.look()
    assert town.look(minutes=20) == []


def at(town: Town, hour: int, minute: int) -> list[tuple[str, str]]:
    local = town.now + timedelta(hours=8)
    wanted = local.replace(hour=hour, minute=minute, second=0)
    return town.look(seconds=(wanted - local).total_seconds())


def test_no_result_by_its_time(town: Town) -> None:
    town.told()
    assert at(town, 10, 29) == []
    assert at(town, 10, 30) == [("no_camera", "firing"), ("no_tests", "firing")]
    town.tested()
    assert at(town, 10, 31) == [("no_camera", "firing"), ("no_tests", "resolved")]
    assert at(town, 23, 59) == [("no_camera", "firing"), ("no_tests", "resolved")]
    assert town.look(minutes=2) == [("no_camera", "resolved"), ("no_tests", "resolved")]
    assert at(town, 10, 29) == [("no_camera", "resolved"), ("no_tests", "resolved")]
    # A Tuesday: the camera's rule counts on Mondays. The same alert fires again.
    assert at(town, 10, 30) == [("no_camera", "resolved"), ("no_tests", "firing")]


def test_a_result_in_time_says_nothing(town: Town) -> None:
    town.told()
    town.tested()
    assert ("no_tests", "firing") not in at(town, 10, 30)


def test_what_we_could_not_have_heard_is_not_missed(town: Town) -> None:
    town.told()
    town.listening_since = NOON.replace(hour=2, minute=31)  # 10:31
    assert at(town, 10, 40) == []


def test_an_offline_site_is_not_missed(town: Town) -> None:
    town.told(state=DeviceState.OFFLINE)
    found = at(town, 10, 40)
    assert ("no_tests", "firing") not in found


def test_a_window_ends_by_the_clock(town: Town) -> None:
    for _ in range(2):
        town.tested(Verdict.SUSPECT)
        town.now += timedelta(minutes=59)
    assert ("many", "firing") in town.look()
    last: datetime = town.now - timedelta(minutes=59)
    town.now = last + timedelta(hours=1)
    assert ("many", "firing") in town.look()
    assert ("many", "resolved") in town.look(seconds=1)
