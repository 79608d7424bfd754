"""Rooms' books: composed, retained until the broker has them, and tasks counted as uploads come."""

from datetime import timedelta

import pytest
from gateway_town import MARKET, NOON, READER, REGION, inbound, market, registry, result
from sender_parts import Clock
from sqlalchemy import update
from test_publish_watch import FakeBroker
from test_room_intake import record

from contracts.envelope import decode
from contracts.room import RoomBook
from contracts.words import Verdict
from gateway.alerts.book import RuleBook
from gateway.broker import Inbound
from gateway.health import Health
from gateway.intake.store import take_in
from gateway.metrics import Metrics
from gateway.rooms import SWEEP, RoomKeeper
from gateway.unpack import Accepted, unpack
from ledger import regions, room_books, schema, sites, tasks
from ledger.engine import Engine, reading, writing
from ledger.sheets.retire import bring_back, retire

TASK = tasks.Task(
    id="t1", title="蔬菜农残", region=REGION, wanted=3, starts_at=NOON - timedelta(hours=1),
    due_at=NOON + timedelta(days=7), created_at=NOON, food_group="vegetable",
)  # fmt: skip


@pytest.fixture
def clock() -> Clock:
    return Clock()


def keeper(ledger: Engine, broker: FakeBroker, clock: Clock, name: str = "one") -> RoomKeeper:
    return RoomKeeper(
        ledger,
        broker,  # type: ignore[arg-type]
        name=name,
        group="g",
        metrics=Metrics(),
        health=Health(),
        clock=clock,
    )


def books(broker: FakeBroker) -> list[RoomBook]:
    told = []
    for message in broker.out:
        assert message.retain and message.topic == f"fs/v1/{REGION}/{MARKET}/agent/room"
        data = decode(message.payload).data
        assert isinstance(data, RoomBook)
        told.append(data)
    broker.out.clear()
    return told


def take(ledger: Engine, book: RuleBook, *messages: Inbound) -> None:
    accepted = [
        one for one in (unpack(m, registry()) for m in messages) if isinstance(one, Accepted)
    ]
    assert len(accepted) == len(messages)
    with writing(ledger) as conn:
        take_in(conn, accepted, [], book, NOON)


def look(one: RoomKeeper, clock: Clock) -> None:
    clock.at += timedelta(seconds=4)
    while one.look_once():
        pass


def test_a_book_follows_what_is_known_of_the_room(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    broker = FakeBroker()
    one = keeper(ledger, broker, clock)
    with writing(ledger) as conn:
        sites.add_stalls(conn, [sites.Stall(MARKET, "B2")])
    look(one, clock)
    (first,) = books(broker)
    assert (first.revision, first.site_name_zh, first.tasks) == (1, MARKET, ())
    assert [stall.code for stall in first.stalls] == ["B2"]
    assert {"菜心", "韭菜"} <= {product.name for product in first.products}
    assert next(one for one in first.products if one.name == "韭菜").matrix_note_zh
    look(one, clock)
    assert books(broker) == []
    with writing(ledger) as conn:
        tasks.add(conn, TASK)
    look(one, clock)
    (second,) = books(broker)
    assert (second.revision, [task.task_id for task in second.tasks]) == (2, ["t1"])
    said = {"stall": "A12", "supplier": "鹤山合作社", "task_id": "t1"}
    take(ledger, book, inbound(market("agent"), record(1, 7, **said), 1))
    look(one, clock)
    (third,) = books(broker)
    assert [(stall.code, stall.supplier) for stall in third.stalls] == [
        ("A12", "鹤山合作社"), ("B2", ""),
    ]  # fmt: skip
    assert (third.suppliers, third.tasks[0].done) == (("鹤山合作社",), 0)
    take(ledger, book, inbound(READER, result(Verdict.PASS, "4.1"), 7))
    look(one, clock)
    (fourth,) = books(broker)
    assert fourth.tasks[0].done == 1
    with writing(ledger) as conn:
        stored = tasks.get(conn, "t1")
        tasks.withdraw(conn, "t1", "li", "改期", clock())
    assert stored is not None and stored.done == 1
    look(one, clock)
    assert [told.tasks for told in books(broker)] == [()]


def test_a_book_is_published_until_a_broker_has_it_whoever_does_it(
    ledger: Engine, clock: Clock
) -> None:
    broker = FakeBroker()
    broker.takes = False
    one, other = keeper(ledger, broker, clock), keeper(ledger, broker, clock, "two")
    look(one, clock)
    with reading(ledger) as conn:
        (waits,) = room_books.unpublished(conn, 9)
    assert waits.who == market("agent")
    broker.takes = True
    look(other, clock)
    assert books(broker) == []  # the first one has the lease, until it falls silent
    clock.at += timedelta(minutes=1)
    look(other, clock)
    (told,) = books(broker)
    assert told.revision == 1
    broker.new_sessions += 1  # the broker was killed, and has forgotten what it retained
    look(other, clock)
    (again,) = books(broker)
    assert again == told


def test_what_is_retained_is_cleared_where_a_room_has_left_and_once(
    ledger: Engine, clock: Clock
) -> None:
    broker = FakeBroker()
    one = keeper(ledger, broker, clock)

    def sweep() -> list[tuple[str, int]]:
        """Topic and revision of all that is published; 0: it is cleared."""
        clock.at += SWEEP
        look(one, clock)
        told = []
        for message in broker.out:
            assert message.retain
            data = decode(message.payload).data if message.payload else None
            told.append((message.topic, data.revision if isinstance(data, RoomBook) else 0))
        broker.out.clear()
        return told

    def move(region: str) -> None:
        of = schema.sites.c.id == MARKET
        with writing(ledger) as conn:
            conn.execute(update(schema.sites).where(of).values(region=region))

    home, away = (f"fs/v1/{region}/{MARKET}/agent/room" for region in (REGION, "440704"))
    with writing(ledger) as conn:
        regions.add(conn, regions.Region("440704", "江海区", "Jianghai"))
    assert sweep() == [(home, 1)]
    broker.takes = False
    move("440704")
    sweep()
    move(REGION)  # back before the broker was told: nothing of it may be cleared
    sweep()
    broker.takes = True
    assert sorted(sweep()) == [(home, 3), (away, 0)]
    move("440704")
    assert sorted(sweep()) == [(home, 0), (away, 4)]
    with writing(ledger) as conn:
        retire(conn, "sites", MARKET, "wang", clock.at)
    assert sweep() == [(away, 0)]
    broker.new_sessions += 1  # a broker that has forgotten everything
    assert sweep() == []
    with writing(ledger) as conn:
        bring_back(conn, "sites", MARKET, "wang", clock.at)
        bring_back(conn, "devices", f"{MARKET}/agent", "wang", clock.at)
    assert sweep() == [(away, 5)]
