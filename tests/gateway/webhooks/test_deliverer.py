"""Delivering to webhooks: at least once, in order, to those who may know, and not for ever."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from hook_parts import (
    COLD,
    Clock,
    add_hook,
    deliverer,
    deliveries,
    hook_now,
    market,
    raise_alert,
    resolve,
    turn,
)
from receiver import Receiver, status

from gateway.webhooks.deliverer import Deliverer
from gateway.webhooks.post import Posted
from ledger import audit, journal, notifications, officers, regions, webhook_deliveries, webhooks
from ledger.engine import Engine, LedgerDown, open_engine, reading, writing
from ledger.hook_events import FAMILIES, PATTERNS, event_of, wanted
from ledger.officers import Role
from ledger.regions import Region
from server.access import RIGHTS, Right


@contextmanager
def ended(one: Deliverer) -> Iterator[Deliverer]:
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_what_happens_after_it_was_made_is_told_signed(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    raise_alert(ledger, "before")
    hook = add_hook(ledger, receiver.url)
    alert_id = raise_alert(ledger, "a")
    resolve(ledger, "a")
    with ended(deliverer(ledger, clock)) as one:
        turn(one)
    told = [got.told for got in receiver.got]
    assert [one["type"] for one in told] == ["alert.raised", "alert.changed"]
    assert {one["data"]["id"] for one in told} == {alert_id}
    assert told[0]["data"]["severity"] == 2 and told[1]["data"]["state"] == "resolved"
    assert told[0]["data"]["api"] == f"/api/v1/alerts/{alert_id}"
    assert "facts" not in told[0]["data"] and "evidence" not in told[0]["data"]
    assert receiver.got[0].headers["webhook-signature"].startswith("v1,")
    assert [one.state for one in deliveries(ledger, hook)] == ["sent", "sent"]


def test_only_what_was_asked_for_and_lies_in_sight(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    with writing(ledger) as conn:
        regions.add(conn, Region("440703-x", "某街", "X", "440703"))
    add_hook(ledger, receiver.url, events=("alert.closed", "result.*"))
    add_hook(ledger, receiver.url, region="440703-x", name="下级")
    raise_alert(ledger, "a")
    with ended(deliverer(ledger, clock)) as one:
        turn(one)
    assert receiver.got == []


def test_a_maker_who_may_no_longer_is_told_nothing_more(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    hook = add_hook(ledger, receiver.url)
    raise_alert(ledger, "a")
    with writing(ledger) as conn:
        officers.set_active(conn, "city", False)
    with ended(deliverer(ledger, clock)) as one:
        turn(one)
    assert receiver.got == []
    now = hook_now(ledger, hook)
    assert (now.state, now.reason) == ("paused", "maker")
    with reading(ledger) as conn:
        assert audit.entries(conn, 1)[0].action == "webhook_paused"


def test_each_object_in_order_and_none_holds_up_another(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    hook = add_hook(ledger, receiver.url)
    first = raise_alert(ledger, "a")
    resolve(ledger, "a")
    second = raise_alert(ledger, "b", market("reader1"))
    receiver.script = [status(400)]
    with ended(deliverer(ledger, clock)) as one:
        turn(one)
        assert [(got.told["data"]["id"], got.told["type"]) for got in receiver.got] == [
            (first, "alert.raised"), (second, "alert.raised"),
        ]  # fmt: skip
        clock.wait(minutes=1)
        turn(one)
    assert [(got.told["data"]["id"], got.told["type"]) for got in receiver.got[2:]] == [
        (first, "alert.raised"), (first, "alert.changed"),
    ]  # fmt: skip
    assert receiver.got[0].id == receiver.got[2].id, "the same message, once more"
    assert {one.state for one in deliveries(ledger, hook)} == {"sent"}


@pytest.mark.parametrize("code", [500, 503, 429])
def test_a_receiver_in_trouble_is_left_in_peace_for_longer_and_longer(
    ledger: Engine, receiver: Receiver, clock: Clock, code: int
) -> None:
    hook = add_hook(ledger, receiver.url)
    for key in "abc":
        raise_alert(ledger, key)
    receiver.always = status(code)
    with ended(deliverer(ledger, clock)) as one:
        turn(one, 5)
        assert len(receiver.got) == 1, "nothing else is tried meanwhile"
        waits = []
        for _ in range(4):
            until = hook_now(ledger, hook).next_at
            assert until is not None
            waits.append((until - clock.at).total_seconds())
            clock.at = until
            turn(one, 1)
        assert waits == [5, 10, 20, 40]
        receiver.always = status(200)
        clock.wait(hours=1)
        turn(one)
    assert hook_now(ledger, hook).failures == 0
    assert [one.state for one in deliveries(ledger, hook)] == ["sent"] * 3


def test_what_never_arrives_pauses_it_and_tells_its_maker_once(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    hook = add_hook(ledger, receiver.url)
    raise_alert(ledger, "a")
    receiver.always = status(500)
    with ended(deliverer(ledger, clock)) as one:
        turn(one)
        clock.wait(days=3, seconds=1)
        turn(one)
        assert (hook_now(ledger, hook).state, hook_now(ledger, hook).reason) == (
            "paused", "failing"
        )  # fmt: skip
        assert deliveries(ledger, hook)[0].state == "dead"
        with reading(ledger) as conn:
            (notice,) = notifications.list(conn, recipient="city")
        assert notice.kind == "notice" and "127.0.0.1" in notice.body_zh
        asked = len(receiver.got)
        raise_alert(ledger, "b")
        clock.wait(days=1)
        turn(one)
        assert len(receiver.got) == asked
        receiver.always = status(200)
        with writing(ledger) as conn:
            assert webhooks.resume(conn, hook.id, clock())
        turn(one)
    assert [one.told["data"]["title_zh"] for one in receiver.got[asked:]] == ["冷库 b"]
    with writing(ledger) as conn:
        dead = next(
            one for one in webhook_deliveries.list_of(conn, hook.id, 9) if one.state == "dead"
        )
        webhook_deliveries.again(conn, dead)
    with ended(deliverer(ledger, clock)) as one:
        turn(one)
    assert receiver.got[-1].id == dead.message_id


def test_a_receiver_that_is_gone_is_paused_at_once(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    hook = add_hook(ledger, receiver.url)
    raise_alert(ledger, "a")
    receiver.always = status(410)
    with ended(deliverer(ledger, clock)) as one:
        turn(one)
    assert hook_now(ledger, hook).reason == "gone" and len(receiver.got) == 1


def test_a_hanging_receiver_holds_up_no_other(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    slow = Receiver()
    release = threading.Event()
    slow.always = lambda *_: release.wait(10) and None
    try:
        add_hook(ledger, slow.url, name="slow")
        add_hook(ledger, receiver.url, name="quick")
        with ended(deliverer(ledger, clock, settings={"timeout_s": 8.0})) as one:
            raise_alert(ledger, "a")
            one.look_once()
            slow.wait(1)
            receiver.wait(1)
            raise_alert(ledger, "b")
            deadline = time.monotonic() + 5
            while len(receiver.got) < 2 and time.monotonic() < deadline:
                one.look_once()
                time.sleep(0.02)
            assert len(receiver.got) == 2 and len(slow.got) == 1
            release.set()
    finally:
        release.set()
        slow.close()


def test_a_crash_between_post_and_mark_posts_again_under_the_same_id(
    ledger: Engine, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = add_hook(ledger, receiver.url)
    raise_alert(ledger, "a")

    def crash(*_: object, **__: object) -> None:
        raise LedgerDown("killed here")

    with monkeypatch.context() as broken, ended(deliverer(ledger, clock)) as one:
        broken.setattr("gateway.webhooks.deliverer.webhook_deliveries.settle", crash)
        turn(one, 1)
    assert deliveries(ledger, hook)[0].state == "waiting"
    with ended(deliverer(ledger, clock, "g2")) as other:
        turn(other)
    assert len(receiver.got) == 2
    assert receiver.got[0].id == receiver.got[1].id
    assert receiver.got[0].body == receiver.got[1].body


def test_a_crash_between_messages_and_place_makes_none_twice(ledger: Engine, clock: Clock) -> None:
    hook = add_hook(ledger, "https://hooks.example/")
    raise_alert(ledger, "a")
    sent: list[str] = []

    def send(_: str, __: bytes, headers: Mapping[str, str]) -> Posted:
        sent.append(headers["webhook-id"])
        return Posted(200, "")

    with ended(deliverer(ledger, clock, send=send)) as one:
        turn(one)
        with writing(ledger) as conn:  # its place is put back, as from an old copy
            conn.exec_driver_sql("UPDATE webhooks SET position = 0")
        turn(one)
    assert sent == [one.message_id for one in deliveries(ledger, hook)]


def test_of_two_processes_one_delivers_and_the_other_takes_over(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    add_hook(ledger, receiver.url)
    first, second = deliverer(ledger, clock, "g1"), deliverer(ledger, clock, "g2")
    try:
        raise_alert(ledger, "a")
        for one in (first, second, first, second):
            turn(one, 1)
        assert len(receiver.got) == 1
        clock.wait(seconds=20)  # the first is silent: killed
        raise_alert(ledger, "b")
        turn(second, 2)
        assert [got.told["data"]["title_zh"] for got in receiver.got] == ["冷库 a", "冷库 b"]
        raise_alert(ledger, "c")
        turn(first, 2)
        assert len(receiver.got) == 2, "the first has lost it"
        second.end()
        clock.wait(seconds=4)
        turn(first, 2)
        assert len(receiver.got) == 3
    finally:
        first.end()
        second.end()


def test_so_many_wait_and_the_rest_stays_in_the_journal(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    hook = add_hook(ledger, receiver.url)
    receiver.always = status(500)
    for number in range(25):
        raise_alert(ledger, f"a{number}")
    with ended(deliverer(ledger, clock, settings={"waiting_most": 10})) as one:
        turn(one)
        assert len(deliveries(ledger, hook)) == 10
        receiver.always = status(200)
        clock.wait(hours=1)
        turn(one, 8)
    assert [got.told["data"]["title_zh"] for got in receiver.got[1:]] == [
        f"冷库 a{number}" for number in range(25)
    ]


def test_what_went_is_forgotten_after_a_while(
    ledger: Engine, receiver: Receiver, clock: Clock
) -> None:
    hook = add_hook(ledger, receiver.url)
    raise_alert(ledger, "a")
    with ended(deliverer(ledger, clock)) as one:
        turn(one)
        assert len(deliveries(ledger, hook)) == 1
        clock.wait(days=15)
        turn(one)
    assert deliveries(ledger, hook) == []


@pytest.mark.real
def test_the_same_on_postgresql(town_database: str, receiver: Receiver, clock: Clock) -> None:
    engine = open_engine(town_database)
    try:
        hook = add_hook(engine, receiver.url)
        raise_alert(engine, "a")
        resolve(engine, "a")
        stop = threading.Event()
        both = [deliverer(engine, clock, name, settings={"poll_s": 0.02}) for name in ("g1", "g2")]
        threads = [threading.Thread(target=one.run, args=(stop,)) for one in both]
        for thread in threads:
            thread.start()
        receiver.wait(2)
        raise_alert(engine, "b", COLD)
        receiver.wait(3)
        stop.set()
        for one in both:
            one.wake()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
        assert [got.told["type"] for got in receiver.got] == [
            "alert.raised", "alert.changed", "alert.raised",
        ]  # fmt: skip
        assert {one.state for one in deliveries(engine, hook)} == {"sent"}
    finally:
        engine.dispose()


def test_every_kind_of_the_journal_is_told_or_left_out_on_purpose() -> None:
    kinds = {value for name, value in vars(journal).items() if name.isupper()}
    told = {kind: event_of(kind) for kind in kinds}
    left_out = {kind for kind, event in told.items() if event is None}
    assert left_out == {
        journal.ALERT_DUE, journal.CARD, journal.CARD_ANNULLED, journal.LOOK, journal.OBSERVATION,
        journal.SAMPLE, journal.SILENCE, journal.STALL, journal.TASK,
    }  # fmt: skip
    for event in filter(None, told.values()):
        assert event.partition(".")[0] in FAMILIES
        assert any(wanted(event, (pattern,)) for pattern in PATTERNS), event


def test_who_may_make_webhooks_is_said_once() -> None:
    assert {
        Role(role) for role, rights in RIGHTS.items() if Right.CONNECT in rights
    } == webhooks.MAKERS
