"""Tests of one batch's ledger transaction: claims, storage, alerts, dead letters, statuses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import msgspec
import pytest
from gateway_town import (
    CAMERA,
    COLD,
    MARKET,
    NOON,
    READER,
    canteen,
    inbound,
    market,
    observation,
    picture,
    readings,
    registry,
    result,
    status,
)

from contracts.events import Evidence
from contracts.topics import Identity
from contracts.words import AlertState, DeviceState, Phase, Verdict
from edge_agent.custody.device_key import DeviceKey
from gateway.alerts.book import RuleBook
from gateway.broker import Inbound
from gateway.intake.store import Taken, take_in
from gateway.unpack import Accepted, Refused, unpack
from ledger import (
    alerts,
    dead_letters,
    devices,
    evidence,
    evidence_keys,
    journal,
    observations,
    results,
)
from ledger.alerts import AlertRow
from ledger.engine import Engine, open_engine, writing
from ledger.evidence import Vouched
from ledger.evidence_keys import Standing


def take(
    ledger: Engine, book: RuleBook, *messages: Inbound, now: datetime = NOON, replay: bool = False
) -> Taken:
    unpacked = [unpack(message, registry()) for message in messages]
    with writing(ledger) as conn:
        return take_in(
            conn,
            [one for one in unpacked if isinstance(one, Accepted)],
            [one for one in unpacked if isinstance(one, Refused)],
            book,
            now,
            replay=replay,
        )


def open_alerts(ledger: Engine) -> list[AlertRow]:
    with writing(ledger) as conn:
        return alerts.list_in(conn, None)


def rules(ledger: Engine) -> list[tuple[str, str, int]]:
    return sorted((row.rule, row.state.value, row.count) for row in open_alerts(ledger))


def test_positive_result_is_stored_and_raises_once(ledger: Engine, book: RuleBook) -> None:
    message = inbound(READER, result(), 1)
    taken = take(ledger, book, message, message)
    assert len(taken.fresh) == 1 and taken.duplicates == 1
    again = take(ledger, book, message)
    assert again.fresh == [] and again.duplicates == 1 and not again.outcomes
    (alert,) = open_alerts(ledger)
    assert (alert.rule, alert.severity, alert.count) == ("pesticide_positive", 1, 1)
    assert alert.title_zh == "农药残留快检阳性：菜心"
    assert "52.31 %" in alert.summary_zh and "< 50 %" in alert.summary_en
    assert alert.establishment_id == f"e-{MARKET}"
    with writing(ledger) as conn:
        stored = results.get(conn, alert.result_id or "")
    assert stored is not None and stored.verdict is Verdict.POSITIVE


@pytest.mark.parametrize(
    ("verdict", "rule"),
    [
        (Verdict.PASS, None),
        (Verdict.NONE, None),
        (Verdict.SUSPECT, "pesticide_suspect"),
        (Verdict.INVALID, "test_invalid"),
    ],
)
def test_each_verdict_has_its_rule(
    ledger: Engine, book: RuleBook, verdict: Verdict, rule: str | None
) -> None:
    take(ledger, book, inbound(READER, result(verdict, "45.00"), 1))
    assert [row.rule for row in open_alerts(ledger)] == ([rule] if rule else [])


def test_two_results_are_two_alerts(ledger: Engine, book: RuleBook) -> None:
    take(ledger, book, inbound(READER, result(), 1), inbound(READER, result(), 2))
    assert rules(ledger) == [("pesticide_positive", "firing", 1)] * 2


def test_cold_store_fires_after_its_time_and_resolves(ledger: Engine, book: RuleBook) -> None:
    warm = [(after_s, 9.5) for after_s in range(0, 601, 60)]
    take(ledger, book, inbound(COLD, readings(*warm[:6]), 1))
    assert open_alerts(ledger) == []
    take(ledger, book, inbound(COLD, readings(*warm[6:]), 2))
    (alert,) = open_alerts(ledger)
    assert (alert.rule, alert.state) == ("cold_store_warm", AlertState.FIRING)
    assert "9.5 °C" in alert.summary_zh and "< 8 °C" in alert.summary_zh
    assert "10 分钟" in alert.summary_zh and "10 min" in alert.summary_en
    assert alert.facts["limit_source"].endswith("[S]")
    take(ledger, book, inbound(COLD, readings(*warm), 3))  # late: changes nothing
    assert rules(ledger) == [("cold_store_warm", "firing", 1)]
    take(ledger, book, inbound(COLD, readings((660, 7.8), (720, 7.8), (780, 7.8)), 4))
    assert rules(ledger) == [("cold_store_warm", "firing", 1)]  # not well inside yet
    take(ledger, book, inbound(COLD, readings((840, 7.0), (900, 7.0)), 5))
    assert rules(ledger) == [("cold_store_warm", "resolved", 1)]


def test_other_probes_are_not_cold_stores(ledger: Engine, book: RuleBook) -> None:
    values = [(after_s, 30.0) for after_s in range(0, 1200, 60)]
    take(ledger, book, inbound(COLD, readings(*values, metric="humidity"), 1))
    assert open_alerts(ledger) == []


def test_observation_fires_while_open(ledger: Engine, book: RuleBook) -> None:
    take(ledger, book, inbound(CAMERA, observation(evidence=("p1",)), 1))
    (alert,) = open_alerts(ledger)
    assert (alert.rule, alert.state, alert.evidence) == ("no_hat", AlertState.FIRING, ("p1",))
    take(ledger, book, inbound(CAMERA, observation(after_s=5), 2))
    assert rules(ledger) == [("no_hat", "firing", 1)]
    take(ledger, book, inbound(CAMERA, observation(phase=Phase.CLOSED), 3))
    assert rules(ledger) == [("no_hat", "resolved", 1)]


def test_closing_that_overtakes_its_opening_leaves_a_resolved_alert(
    ledger: Engine, book: RuleBook
) -> None:
    take(ledger, book, inbound(CAMERA, observation(phase=Phase.CLOSED), 2))
    take(ledger, book, inbound(CAMERA, observation(), 1))
    assert rules(ledger) == [("no_hat", "resolved", 1)]
    with writing(ledger) as conn:
        stored = observations.get(conn, CAMERA, "o1")
    assert stored is not None and stored.phase is Phase.CLOSED


@pytest.mark.parametrize(
    ("zone_kind", "fires"),
    [("special_room", True), ("special_area", True), ("cooking", False), ("", False)],
)
def test_mask_counts_only_in_special_zones(
    ledger: Engine, book: RuleBook, zone_kind: str, fires: bool
) -> None:
    take(ledger, book, inbound(CAMERA, observation(kind="no_mask", zone_kind=zone_kind), 1))
    assert [row.rule for row in open_alerts(ledger)] == (["no_mask"] if fires else [])


def test_late_picture_is_noted_with_its_alert(ledger: Engine, book: RuleBook) -> None:
    take(ledger, book, inbound(CAMERA, observation(), 1))
    taken = take(ledger, book, inbound(CAMERA, picture(observation_id="o1"), 2))
    assert taken.news
    (alert,) = open_alerts(ledger)
    with writing(ledger) as conn:
        noted = [row.ref for row in journal.after(conn, 0) if row.kind == "alert.evidence"]
    assert noted == [alert.alert_id]
    assert not take(ledger, book, inbound(CAMERA, picture("p2", observation_id="o9"), 3)).news


def test_refused_is_kept_once_and_counts_as_taken(ledger: Engine, book: RuleBook) -> None:
    unknown = inbound(market("nobody"), result(), 4)
    first = take(ledger, book, unknown)
    assert [one.kind for one in first.refused] == ["unregistered"]
    assert take(ledger, book, unknown).refused == []
    garbage = Inbound("fs/v1/440703/market1/reader1/tests", b"\xff{", NOON)
    take(ledger, book, garbage)
    with writing(ledger) as conn:
        letters = dead_letters.list(conn)
    assert [letter.payload for letter in letters] == [garbage.payload, unknown.payload]
    assert "not registered" in letters[1].reason and "not JSON" in letters[0].reason


def test_forged_source_does_not_use_up_the_victims_number(ledger: Engine, book: RuleBook) -> None:
    forged = inbound(READER, result(), 1, topic_of=COLD)
    assert [one.kind for one in take(ledger, book, forged).refused] == ["forged"]
    assert len(take(ledger, book, inbound(READER, result(), 1)).fresh) == 1


def test_replay_takes_claimed_numbers(ledger: Engine, book: RuleBook) -> None:
    message = inbound(READER, result(), 1)
    take(ledger, book, message)
    taken = take(ledger, book, message, replay=True)
    assert len(taken.fresh) == 1
    with writing(ledger) as conn:
        assert len(results.list_in(conn, ["440703"])) == 1


def state_of(ledger: Engine, who: Identity) -> tuple[DeviceState, datetime | None]:
    with writing(ledger) as conn:
        found = devices.get(conn, who)
    assert found is not None
    return found.state, found.state_at


def test_status_is_taken_over(ledger: Engine, book: RuleBook) -> None:
    take(ledger, book, inbound(canteen("agent"), status()))
    assert state_of(ledger, canteen("agent"))[0] is DeviceState.ONLINE
    gone = inbound(canteen("agent"), status(DeviceState.OFFLINE), received_at=NOON)
    take(ledger, book, gone)
    assert state_of(ledger, canteen("agent"))[0] is DeviceState.OFFLINE


def test_stale_retained_status_does_not_undo_unknown(ledger: Engine, book: RuleBook) -> None:
    take(ledger, book, inbound(COLD, status()))
    later = NOON + timedelta(seconds=60)
    with writing(ledger) as conn:
        devices.set_site_unknown(conn, canteen("agent"), "offline", later)
    take(ledger, book, inbound(COLD, status(), received_at=later, retained=True))
    assert state_of(ledger, COLD)[0] is DeviceState.UNKNOWN
    news = status(at=later + timedelta(seconds=1))
    take(ledger, book, inbound(COLD, news, received_at=later, retained=True))
    assert state_of(ledger, COLD)[0] is DeviceState.ONLINE


def test_clock_ahead_does_not_stop_judging(ledger: Engine, book: RuleBook) -> None:
    """An edge an hour ahead for one message must not make all later readings "late"."""
    ahead = NOON + timedelta(hours=1)
    wrong = inbound(COLD, readings((3600, 4.0)), 1, at=ahead)
    take(ledger, book, wrong)
    warm = [(after_s, 9.5) for after_s in range(60, 721, 60)]
    received_at = NOON + timedelta(seconds=720)
    take(ledger, book, inbound(COLD, readings(*warm), 2, received_at=received_at))
    assert rules(ledger) == [("cold_store_warm", "firing", 1)]


@pytest.mark.real
def test_two_gateways_with_two_ends_of_one_episode(town_database: str, book: RuleBook) -> None:
    """Whoever comes first: the alert is raised once, and resolved.

    Of different epochs (the outbox began anew in between): one epoch's claims take turns anyway.
    """
    ledger = open_engine(town_database)
    ends = (Phase.OPEN, Phase.CLOSED)
    together = threading.Barrier(len(ends))

    def take_end(phase: Phase) -> None:
        for index in range(15):
            seen = observation(f"o{index}", phase)
            together.wait(10)
            take(ledger, book, inbound(CAMERA, seen, index + 1, epoch=phase.value))

    with ThreadPoolExecutor(len(ends)) as pool:
        list(pool.map(take_end, ends))
    assert rules(ledger) == [("no_hat", "resolved", 1)] * 15
    ledger.dispose()


def sign(one: Evidence, number: int) -> Evidence:
    return DeviceKey("agent", bytes([number]) * 32, NOON).sign(CAMERA, one)


def test_a_new_signing_key_raises_and_a_person_ends_it(ledger: Engine, book: RuleBook) -> None:
    agent = CAMERA.sibling("agent")
    take(ledger, book, inbound(CAMERA, sign(picture("p1"), 1), 1))
    assert open_alerts(ledger) == []  # the first is trusted at first use
    taken = take(
        ledger, book,
        inbound(CAMERA, sign(picture("p2", content=b"2"), 2), 2),
        inbound(CAMERA, sign(picture("p3", content=b"3"), 2), 3),
    )  # fmt: skip
    assert len(taken.fresh) == 2 and taken.news
    (alert,) = open_alerts(ledger)
    key_id = alert.facts["key_id"]
    assert (alert.rule, alert.device, alert.count) == ("evidence_key_new", "agent", 1)
    assert key_id[:4] in alert.summary_zh and key_id[:4] in alert.summary_en
    with writing(ledger) as conn:
        row = evidence.get(conn, "p2")
        assert row is not None and row.vouched is Vouched.NEW_KEY
        key = evidence_keys.find(conn, agent, key_id)
        evidence_keys.set_standing(conn, key, Standing.TRUSTED, "console", NOON)
    assert rules(ledger) == [("evidence_key_new", "resolved", 1)]


def test_a_picture_whose_signature_does_not_hold_is_kept(ledger: Engine, book: RuleBook) -> None:
    changed = msgspec.structs.replace(sign(picture("p1"), 1), observation_id="another")
    taken = take(ledger, book, inbound(CAMERA, changed, 1))
    assert len(taken.fresh) == 1 and taken.refused == []
    with writing(ledger) as conn:
        row = evidence.get(conn, "p1")
    assert row is not None and row.vouched is Vouched.INVALID
