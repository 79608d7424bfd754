"""Tests of the publisher (cursor, lease, renewal of the retained) and of the watch, on a ledger."""

import alert_steps
import pytest
from gateway_town import CAMERA, COLD, NOON, canteen, inbound, observation, picture, registry
from sender_parts import Clock

from contracts.envelope import decode
from contracts.events import Alert
from contracts.words import DeviceState
from gateway.alerts.book import RuleBook
from gateway.broker import Outbound
from gateway.health import Health
from gateway.intake.store import take_in
from gateway.lease import LEASE_S
from gateway.metrics import Metrics
from gateway.publish import Publisher
from gateway.registry import Devices
from gateway.unpack import Accepted, unpack
from gateway.watch import Watch
from ledger import alerts, devices, officers
from ledger.engine import Engine, reading, writing


class FakeBroker:
    """Notes what is published; refuses on demand."""

    def __init__(self) -> None:
        self.trouble = ""
        self.new_sessions = 1
        self.takes = True
        self.out: list[Outbound] = []

    def publish_and_wait(self, messages: list[Outbound], timeout_s: float) -> bool:
        if self.takes:
            self.out += messages
        return self.takes

    def alerts(self) -> list[tuple[str, str]]:
        told = []
        for message in self.out:
            assert message.retain
            data = decode(message.payload).data if message.payload else None
            assert data is None or isinstance(data, Alert)
            told.append((data.rule, data.state.value) if data else ("", "cleared"))
        self.out.clear()
        return told


@pytest.fixture
def clock() -> Clock:
    return Clock()


def publisher(
    ledger: Engine,
    broker: FakeBroker,
    clock: Clock,
    name: str = "one",
    health: Health | None = None,
) -> Publisher:
    return Publisher(
        ledger,
        broker,  # type: ignore[arg-type]
        name=name,
        group="g",
        metrics=Metrics(),
        health=health or Health(),
        clock=clock,
    )


def take(ledger: Engine, book: RuleBook, data: object, number: int) -> None:
    unpacked = unpack(inbound(CAMERA, data, number), registry())
    assert isinstance(unpacked, Accepted)
    with writing(ledger) as conn:
        take_in(conn, [unpacked], [], book, NOON)


def close_all(ledger: Engine) -> None:
    with writing(ledger) as conn:
        officer = officers.Officer(
            login="li", name="李", password_hash="x", role="county", region="440703"
        )
        officers.add(conn, officer)
        for row in alerts.list_in(conn, None):
            alert_steps.close(conn, row.alert_id, officer.id, NOON)


def test_each_change_is_published_until_the_broker_has_it(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    broker = FakeBroker()
    one = publisher(ledger, broker, clock)
    one.publish_once()
    take(ledger, book, observation(), 1)
    broker.takes = False
    one.publish_once()
    assert broker.alerts() == []
    broker.takes = True
    one.publish_once()
    assert broker.alerts() == [("no_hat", "firing")]
    one.publish_once()
    assert broker.alerts() == []
    close_all(ledger)
    one.publish_once()
    assert broker.alerts() == [("", "cleared")]


def test_crash_before_the_cursor_moved_publishes_again(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    broker = FakeBroker()
    first = publisher(ledger, broker, clock)
    first.publish_once()
    take(ledger, book, observation(), 1)
    broker.takes = False
    first.publish_once()  # and then it is killed
    broker.takes = True
    publisher(ledger, broker, clock).publish_once()
    assert ("no_hat", "firing") in broker.alerts()


def test_alert_closed_while_nobody_published_is_cleared(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    broker = FakeBroker()
    one = publisher(ledger, broker, clock)
    take(ledger, book, observation(), 1)
    one.publish_once()
    broker.alerts()
    close_all(ledger)
    publisher(ledger, broker, clock).publish_once()
    assert broker.alerts() == [("", "cleared")]


def test_forgetful_broker_gets_every_open_alert_again(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    broker = FakeBroker()
    one = publisher(ledger, broker, clock)
    take(ledger, book, observation("o1"), 1)
    take(ledger, book, observation("o2"), 2)
    one.publish_once()
    broker.alerts()
    broker.new_sessions += 1
    one.publish_once()
    assert broker.alerts() == [("no_hat", "firing")] * 2


def test_late_picture_is_published_with_its_alert(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    broker = FakeBroker()
    one = publisher(ledger, broker, clock)
    take(ledger, book, observation(evidence=("p1",)), 1)
    one.publish_once()
    broker.out.clear()
    take(ledger, book, picture("p2", observation_id="o1"), 2)
    one.publish_once()
    (message,) = broker.out
    data = decode(message.payload).data
    assert isinstance(data, Alert) and data.evidence == ("p1", "p2")


def test_one_of_two_publishes_and_the_other_takes_over(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    a, b = FakeBroker(), FakeBroker()
    one, two = publisher(ledger, a, clock, "one"), publisher(ledger, b, clock, "two")
    one.publish_once()
    two.publish_once()
    take(ledger, book, observation(), 1)
    one.publish_once()
    two.publish_once()
    assert a.alerts() == [("no_hat", "firing")] and b.alerts() == []
    take(ledger, book, observation("o2"), 2)
    clock.wait(LEASE_S + 1)  # the first one is dead
    two.publish_once()
    assert b.alerts()[-1] == ("no_hat", "firing")
    one.publish_once()  # and back again: it keeps still
    assert a.alerts() == []


def test_what_one_could_not_publish_is_no_trouble_of_its_once_another_publishes(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    a, b, health = FakeBroker(), FakeBroker(), Health()
    one = publisher(ledger, a, clock, "one", health)
    take(ledger, book, observation(), 1)
    a.takes = False
    one.publish_once()
    assert "publisher" in health.report().reasons
    clock.wait(LEASE_S + 1)
    publisher(ledger, b, clock, "two").publish_once()
    assert b.alerts()[-1] == ("no_hat", "firing")
    one.publish_once()
    assert health.report().reasons == {}


def test_watch_raises_for_the_site_and_makes_its_devices_unknown(
    ledger: Engine, book: RuleBook, clock: Clock
) -> None:
    watches = [
        Watch(
            ledger,
            Devices(ledger),
            book,
            every_s=1,
            listening_since=lambda: NOON,
            on_alerts=lambda: None,
            metrics=Metrics(),
            health=Health(),
            clock=clock,
        )
        for _ in range(2)
    ]
    for number, who in enumerate((canteen("agent"), COLD)):
        with writing(ledger) as conn:
            state = DeviceState.OFFLINE if not number else DeviceState.ONLINE
            unpacked = unpack(inbound(who, _status(state)), registry())
            assert isinstance(unpacked, Accepted)
            take_in(conn, [unpacked], [], book, NOON)
    for _ in range(6):
        for watch in watches:
            watch.look_once()
        clock.wait(10)
    with reading(ledger) as conn:
        (alert,) = alerts.list_in(conn, None)
        cold = devices.get(conn, COLD)
    assert (alert.rule, alert.site, alert.count) == ("agent_offline", "canteen1", 1)
    assert cold is not None and cold.state is DeviceState.UNKNOWN


def test_deaf_watch_judges_nothing(ledger: Engine, book: RuleBook, clock: Clock) -> None:
    watch = Watch(
        ledger,
        Devices(ledger),
        book,
        every_s=1,
        listening_since=lambda: None,
        on_alerts=lambda: None,
        metrics=Metrics(),
        health=Health(),
        clock=clock,
    )
    assert watch.look_once() is None


def _status(state: DeviceState) -> object:
    from gateway_town import status

    return status(state)
