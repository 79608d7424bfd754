"""Tests of the intake and series threads' work, with real stores and a broker that only notes."""

import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from gateway_process import until
from gateway_town import (
    CAMERA,
    COLD,
    NOON,
    READER,
    canteen,
    inbound,
    picture,
    readings,
    result,
    status,
)

from contracts.clock import utc_now
from contracts.envelope import decode
from contracts.events import Receipt
from contracts.sequences import RangeSet
from gateway.alerts.book import RuleBook
from gateway.broker import Inbound, Outbound
from gateway.health import Health
from gateway.intake import intake as intake_module
from gateway.intake import store as store_module
from gateway.intake.inbox import Inbox
from gateway.intake.intake import Intake
from gateway.intake.series import SeriesWriter
from gateway.metrics import Metrics
from gateway.registry import Devices
from gateway.settings import IntakeSettings
from ledger import alerts, dead_letters, devices, results
from ledger.engine import Engine, LedgerDown, open_engine, reading, writing
from timeseries.port import Point, SeriesDown, SeriesRejected
from timeseries.sqlite import SqliteStore

pytestmark = pytest.mark.slow


class Store(SqliteStore):
    """A series store that can be told to fail."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.down = False
        self.rejects = ""
        self.writes = 0

    def write(self, points: Sequence[Point]) -> None:
        self.writes += 1
        if self.down:
            raise SeriesDown("told to")
        bad = [index for index, point in enumerate(points) if point.measurement == self.rejects]
        super().write([point for index, point in enumerate(points) if index not in bad])
        if bad:
            raise SeriesRejected([(index, "told to") for index in bad])


class Rig:
    """Intake and series writer in their threads; the broker's side is noted."""

    def __init__(
        self,
        ledger: Engine,
        folder: Path,
        book: RuleBook,
        queue_bytes: int = 10_000_000,
        store: Store | None = None,
    ) -> None:
        self.stop, self.series_stop = threading.Event(), threading.Event()
        self.acknowledged: list[Inbound] = []
        self.connected = True
        self.published: list[Outbound] = []
        self.health, self.metrics = Health(), Metrics()
        self.store = store or Store(folder / "series.db")
        self.inbox = Inbox(10, lambda: None)
        settings = IntakeSettings(batch_messages=50, retry_most_s=0.1, receipt_every_s=0.01)
        self.series = SeriesWriter(
            self.store,
            ledger,
            publish=self._publish,
            queue_bytes=queue_bytes,
            receipt_every_s=0.01,
            retry_most_s=0.1,
            metrics=self.metrics,
            health=self.health,
            clock=utc_now,
        )
        self.intake = Intake(
            self.inbox,
            ledger,
            Devices(ledger),
            book,
            self.series,
            settings=settings,
            acknowledge=self.acknowledged.extend,
            on_alerts=lambda: None,
            metrics=self.metrics,
            health=self.health,
            clock=utc_now,
        )
        self.threads = [
            threading.Thread(target=self.intake.run, args=(self.stop,)),
            threading.Thread(target=self.series.run, args=(self.series_stop,)),
        ]
        for thread in self.threads:
            thread.start()

    def _publish(self, messages: list[Outbound]) -> bool:
        if self.connected:
            self.published += messages
        return self.connected

    def put(self, *messages: Inbound) -> None:
        for message in messages:
            self.inbox.put([message])

    def receipted(self, *, taken: bool = False) -> list[int]:
        told = RangeSet()
        for message in self.published:
            receipt = decode(message.payload).data
            assert isinstance(receipt, Receipt)
            for first, last in receipt.taken if taken else receipt.ranges:
                told.add_range(first, last)
        return list(told)

    def close(self) -> None:
        self.stop.set()
        self.threads[0].join(10)
        self.series_stop.set()
        self.threads[1].join(10)
        self.store.close()
        assert not any(thread.is_alive() for thread in self.threads)


def stored(ledger: Engine) -> int:
    """Results in the ledger."""
    with reading(ledger) as conn:
        return len(results.list_in(conn, ["440703"]))


@pytest.fixture
def rig(ledger: Engine, tmp_path: Path, book: RuleBook) -> Iterator[Rig]:
    made = Rig(ledger, tmp_path, book)
    yield made
    made.close()


def test_drains_on_stop(ledger: Engine, tmp_path: Path, book: RuleBook) -> None:
    rig = Rig(ledger, tmp_path, book)
    rig.put(*(inbound(READER, result(), number) for number in range(1, 201)))
    rig.close()
    assert len(rig.acknowledged) == 200
    assert rig.receipted() == list(range(1, 201))


def test_every_message_is_acknowledged_once(rig: Rig) -> None:
    message = inbound(READER, result(), 1)
    rig.put(message, message, Inbound("x", b"y", NOON))
    until(lambda: len(rig.acknowledged) == 3)
    rig.put(message)
    until(lambda: len(rig.acknowledged) == 4)


def test_culprit_in_a_batch_is_set_aside(
    rig: Rig, ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only the ledger finds: here a result for which it raises something unheard of."""
    add = results.add

    def picky(conn: object, rows: list[results.NewResult]) -> None:
        if any(row.sequence == 13 for row in rows):
            raise OverflowError("13 does not fit")
        add(conn, rows)  # type: ignore[arg-type]

    monkeypatch.setattr(store_module.results, "add", picky)
    rig.put(*(inbound(READER, result(), number) for number in range(1, 31)))
    until(lambda: rig.receipted() == list(range(1, 31)))
    assert len(rig.acknowledged) == 30
    with reading(ledger) as conn:
        stored = {row.sequence for row in results.list_in(conn, ["440703"])}
        (letter,) = dead_letters.list(conn)
    assert stored == set(range(1, 31)) - {13}
    assert letter.reason == "ledger: OverflowError: 13 does not fit"


def test_nothing_is_acknowledged_while_the_ledger_is_down(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = threading.Event()
    down.set()

    def sometimes(engine: Engine, **how: bool) -> object:
        if down.is_set():
            raise LedgerDown("told to")
        return writing(engine, **how)

    monkeypatch.setattr(intake_module, "writing", sometimes)
    rig.put(inbound(READER, result(), 1))
    until(lambda: rig.health.report().reasons == {"ledger": "ledger: told to"})
    assert rig.acknowledged == [] and rig.published == []
    down.clear()
    until(lambda: rig.receipted() == [1])
    assert len(rig.acknowledged) == 1
    assert rig.health.report().status == "ok"


def test_half_stored_batch_is_not_acknowledged_twice(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message id may mean another message by the time of a second acknowledgement."""
    take_in, calls = intake_module.take_in, []

    def failing(conn: object, accepted: Sequence[object], *rest: object) -> object:
        calls.append(len(accepted))
        if len(calls) == 1:
            raise OverflowError("halve it")
        if len(calls) == 3:
            raise LedgerDown("in the middle")
        return take_in(conn, accepted, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(intake_module, "take_in", failing)
    messages = [inbound(READER, result(), number) for number in range(1, 5)]
    rig.intake._handle(messages, rig.stop)
    assert calls == [4, 2, 2, 2]
    assert rig.acknowledged == messages


def test_dead_series_store_never_delays_acknowledgement(
    ledger: Engine, tmp_path: Path, book: RuleBook
) -> None:
    rig = Rig(ledger, tmp_path, book, queue_bytes=3000)
    rig.store.down = True
    for number in range(1, 21):
        rig.put(inbound(READER, result(), number))
        until(lambda number=number: len(rig.acknowledged) == number)  # type: ignore[misc]
    with reading(ledger) as conn:
        assert len(results.list_in(conn, ["440703"])) == 20
    assert rig.receipted() == [] and "series" in rig.health.report().reasons
    rig.store.down = False
    until(lambda: rig.receipted())
    until(lambda: rig.health.report().status == "ok")
    assert len(rig.receipted()) < 20
    # What was dropped in the meantime is sent again by the edge, and then receipted.
    for number in range(1, 21):
        rig.put(inbound(READER, result(), number))
        until(lambda number=number: number in rig.receipted())  # type: ignore[misc]
    rig.close()
    with reading(ledger) as conn:
        assert len(results.list_in(conn, ["440703"])) == 20


def test_a_slow_series_store_slows_the_broker_down_for_a_while(
    ledger: Engine, tmp_path: Path, book: RuleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acknowledgements are held back, not the alerts; nothing is dropped, and all comes in."""
    monkeypatch.setattr(intake_module, "HOLD_S", 60.0)
    rig = Rig(ledger, tmp_path, book, queue_bytes=10_000)
    slow = threading.Event()
    write = rig.store.write

    def wait_and_write(points: Sequence[Point]) -> None:
        slow.wait(10)
        write(points)

    monkeypatch.setattr(rig.store, "write", wait_and_write)
    for number in range(1, 8):
        rig.put(inbound(READER, result(), number))
        until(lambda number=number: stored(ledger) == number)  # type: ignore[misc]
    assert rig.series.crowded()
    with reading(ledger) as conn:
        assert len(alerts.list_in(conn, None)) == 7
    assert 1 < len(rig.acknowledged) < 7 and rig.published == []
    slow.set()
    until(lambda: rig.receipted() == list(range(1, 8)))
    until(lambda: len(rig.acknowledged) == 7)
    rig.close()


def test_a_held_acknowledgement_is_given_after_a_while(
    ledger: Engine, tmp_path: Path, book: RuleBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "HOLD_S", 0.05)
    rig = Rig(ledger, tmp_path, book)
    monkeypatch.setattr(rig.series, "crowded", lambda: True)
    rig.put(inbound(READER, result(), 1))
    until(lambda: len(rig.acknowledged) == 1)
    rig.close()


def test_refused_lines_are_asked_for_point_by_point(
    ledger: Engine, tmp_path: Path, book: RuleBook
) -> None:
    taken: list[bytes] = []

    class Lines(Store):
        def write_lines(self, lines: bytes) -> bool:
            taken.append(lines)
            return b"tests" not in lines

    rig = Rig(ledger, tmp_path, book, store=Lines(tmp_path / "series.db"))
    rig.store.rejects = "tests"
    rig.put(inbound(COLD, readings((0, 4.0), (60, 5.0)), 1))
    until(lambda: rig.receipted() == [1])
    rig.put(inbound(READER, result(), 2))
    until(lambda: rig.receipted() == [1, 2])
    rig.close()
    assert taken[0].count(b"\n") == 1 and rig.store.writes == 1
    with reading(ledger) as conn:
        (letter,) = dead_letters.list(conn)
    assert letter.reason == "time series: told to"


def test_receipts_wait_for_a_connection(rig: Rig) -> None:
    rig.connected = False
    rig.put(inbound(READER, result(), 1))
    until(lambda: len(rig.acknowledged) == 1)
    rig.put(inbound(READER, result(), 2))
    until(lambda: len(rig.acknowledged) == 2)
    rig.connected = True
    until(lambda: rig.receipted() == [1, 2])


def test_while_the_store_is_down_what_is_judged_is_told_as_taken_in(
    ledger: Engine, tmp_path: Path, book: RuleBook
) -> None:
    rig = Rig(ledger, tmp_path, book, queue_bytes=2500)
    try:
        rig.store.down = True
        rig.connected = False
        rig.put(inbound(READER, result(), 1))  # queued before anybody knows
        until(lambda: rig.store.writes > 1)
        rig.connected = True
        for number in range(2, 6):  # one of them is queued, too, the rest is dropped
            rig.put(inbound(READER, result(), number))
        until(lambda: rig.receipted(taken=True) == [1, 2, 3, 4, 5])
        assert rig.receipted() == []
        assert rig.metrics.series_dropped._value.get() > 0
        rig.store.down = False
        until(lambda: 1 in rig.receipted())
        assert 5 not in rig.receipted()
        rig.put(*(inbound(READER, result(), number) for number in range(2, 6)))
        until(lambda: rig.receipted() == [1, 2, 3, 4, 5])
        rig.put(inbound(READER, result(), 6))
        until(lambda: 6 in rig.receipted())
        assert rig.receipted(taken=True) == [1, 2, 3, 4, 5], "only while it is down"
    finally:
        rig.close()
    with reading(ledger) as conn:
        assert len(results.list_in(conn, ["440703"], 10)) == 6
        assert len(alerts.list_in(conn, None, limit=10)) == 6


def test_rejected_points_move_aside_and_the_rest_is_stored(rig: Rig, ledger: Engine) -> None:
    rig.store.rejects = "tests"
    rig.put(inbound(READER, result(), 1), inbound(COLD, readings((0, 4.0)), 2))
    until(lambda: rig.receipted() == [1, 2])
    told = len(rig.published)
    rig.put(inbound(READER, result(), 1))  # sent again: the receipt came late
    until(lambda: len(rig.published) > told)
    with reading(ledger) as conn:
        (letter,) = dead_letters.list(conn)
    assert letter.reason == "time series: told to"
    stored = rig.store.samples("readings", "value", {}, NOON, NOON + timedelta(seconds=1))
    assert [sample.value for sample in stored] == [4.0]


def test_copies_in_one_batch_are_one_dead_letter(rig: Rig, ledger: Engine) -> None:
    rig.store.rejects = "tests"
    rig.put(*(inbound(READER, result(), 1) for _ in range(3)))
    until(lambda: rig.receipted() == [1])
    with reading(ledger) as conn:
        (letter,) = dead_letters.list(conn)
    assert letter.reason == "time series: told to"


def test_kinds_without_series_are_receipted_while_the_store_is_down(rig: Rig) -> None:
    rig.store.down = True
    rig.put(inbound(CAMERA, picture(), 1))
    until(lambda: rig.receipted() == [1])
    assert rig.store.writes == 0


def test_new_device_is_known_soon(rig: Rig, ledger: Engine) -> None:
    rig.put(inbound(READER, result(), 1))
    until(lambda: rig.acknowledged)
    who = canteen("reader2")
    with writing(ledger) as conn:
        devices.add(
            conn,
            devices.Device(
                region=who.region,
                site=who.site,
                device=who.device,
                kind=devices.DeviceKind.ANALYZER,
                name="",
                registered_at=NOON,
            ),
        )
    intake_module_devices = rig.intake._devices
    until(intake_module_devices.may_be_old)
    rig.put(inbound(who, result(), 1))
    until(lambda: len(rig.acknowledged) == 2)
    with reading(ledger) as conn:
        assert dead_letters.list(conn) == []


@pytest.mark.real
def test_postgres_refusals_are_set_aside_too(
    town_database: str, tmp_path: Path, book: RuleBook
) -> None:
    """A number beyond 64 bits is fine in JSON, and is nothing for a database."""
    engine = open_engine(town_database)
    rig = Rig(engine, tmp_path, book)
    try:
        bad = inbound(READER, result(), 2)
        payload = bad.payload.replace(b'"item":', b'"record_number":18446744073709551616,"item":')
        rig.put(
            inbound(READER, result(), 1),
            Inbound(bad.topic, payload, NOON),
            inbound(READER, result(), 3),
        )
        until(lambda: rig.receipted() == [1, 2, 3])
        with reading(engine) as conn:
            assert {row.sequence for row in results.list_in(conn, ["440703"])} == {1, 3}
            assert "out of range" in dead_letters.list(conn)[0].reason
    finally:
        rig.close()
        engine.dispose()


def test_what_is_refused_again_and_again_is_kept_once(rig: Rig, ledger: Engine) -> None:
    garbage = Inbound("fs/v1/440703/market1/reader1/tests", b"{", NOON)
    ghost = [
        inbound(canteen("ghost"), status(at=NOON + timedelta(seconds=index))) for index in range(5)
    ]
    for index in range(5):
        rig.put(garbage, ghost[index])
        until(lambda index=index: len(rig.acknowledged) == 2 * index + 2)  # type: ignore[misc]
    with reading(ledger) as conn:
        assert len(dead_letters.list(conn)) == 2
