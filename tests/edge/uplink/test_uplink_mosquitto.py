"""The uplink against a real mosquitto that is killed, stopped, strict and forgetful."""

import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from facts import observation, picture, readings, result
from fake_city import FakeCity, until
from servers import Mosquitto, free_port

from contracts.clock import utc_now
from contracts.envelope import decode
from contracts.events import Receipt, Status
from contracts.topics import Identity
from contracts.words import DeviceState, Phase
from edge_agent.uplink.pace import FIRST
from edge_agent.uplink.settings import UplinkSettings

pytestmark = pytest.mark.real


def status_of(city: FakeCity, who: Identity) -> Status | None:
    payload = city.statuses.get(who.source)
    data = decode(payload).data if payload else None
    assert data is None or isinstance(data, Status)
    return data


def test_a_backlog_travels_and_leaves_only_by_receipt(mosquitto, uplink, agent) -> None:
    for n in range(20):
        uplink.put(*[readings(3, agent=agent) for _ in range(99)], result(n, agent=agent))
    sent_unreceipted = 20 + FIRST
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        city.receipting = False
        uplink.start(mosquitto.port, UplinkSettings(receipt_timeout_s=60))
        until(lambda: len(city.sequences()) == sent_unreceipted)
        assert uplink.outbox.state().backlog == 2000, "acknowledged by the broker is not stored"
        city.receipting = True
        uplink.drained()
        assert city.sequences() == list(range(1, 2001))
        assert all(len(payloads) == 1 for payloads in city.events.values())
        assert len(city.order) == 2000, "nothing was sent twice"
        assert city.kinds()[:20] == ["tests"] * 20, "alarms go first"


def test_birth_death_and_last_will(mosquitto, uplink, agent) -> None:
    who = agent.sibling("lz-1")
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        uplink.start(mosquitto.port, client_id=f"a-{agent.site}")
        uplink.sink.report(who, Status(DeviceState.ONLINE, utc_now(), "ready"))
        uplink.sink.report(agent, Status(DeviceState.ONLINE, utc_now()))
        until(lambda: status_of(city, who) and status_of(city, agent))
        assert uplink.stop() < 1.5
        until(lambda: status_of(city, agent).state is DeviceState.OFFLINE)
        assert status_of(city, agent).detail == "stopped"
        uplink.start(mosquitto.port, client_id=f"a-{agent.site}")
        uplink.sink.report(agent, Status(DeviceState.ONLINE, utc_now()))
        until(lambda: status_of(city, agent).state is DeviceState.ONLINE)
        # another client takes our name away: the broker tells, and sends the last will
        pub = ["mosquitto_pub", "-p", str(mosquitto.port), "-V", "5", "-i", f"a-{agent.site}"]
        if subprocess.run([*pub, "-t", "x", "-m", "x"], capture_output=True).returncode == 0:
            until(lambda: uplink.state.connections > 1)
    with FakeCity(mosquitto.port, agent.region, agent.site) as late:
        until(lambda: status_of(late, who) is not None)  # retained


def test_the_broker_dies_again_and_again_under_load(tmp_path: Path, uplink, agent) -> None:
    config = "allow_anonymous true\nmax_queued_messages 0\n"
    with (
        Mosquitto(tmp_path / "broker", config) as broker,
        FakeCity(broker.port, agent.region, agent.site) as city,
    ):
        uplink.start(broker.port)
        put = 0
        for _ in range(4):
            for _ in range(10):
                uplink.put(*[readings(agent=agent) for _ in range(20)], result(put, agent=agent))
                put += 21
            until(lambda: uplink.state.connected)
            broker.kill()
            uplink.put(result(put, agent=agent))
            put += 1
            until(lambda: not uplink.state.connected)
            broker.start()
        uplink.drained(60)
        assert city.sequences() == list(range(1, put + 1))
        assert all(len(payloads) == 1 for payloads in city.events.values()), "the same bytes"
        assert uplink.state.connections >= 4


def test_a_broker_that_hangs_is_left_and_found_again(
    tmp_path: Path, uplink, agent, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Mosquitto(tmp_path / "broker") as broker,
        FakeCity(broker.port, agent.region, agent.site) as city,
    ):
        uplink.start(broker.port, keepalive_s=60)  # so that the acknowledgement is missed first
        uplink.put(readings(agent=agent))
        uplink.drained()
        broker.signal(signal.SIGSTOP)  # half-open: the line stands, nobody answers
        uplink.put(result(1, agent=agent))
        until(lambda: "does not acknowledge" in caplog.text)  # its state may be the next already
        until(lambda: "does not answer the connect" in uplink.state.problem)
        broker.signal(signal.SIGCONT)
        uplink.drained()
        assert city.sequences() == [1, 2]


def test_what_is_not_receipted_is_sent_again_as_the_same_bytes(mosquitto, uplink, agent) -> None:
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        city.receipting = False
        uplink.start(mosquitto.port)
        uplink.put(result(1, agent=agent), readings(agent=agent))
        until(lambda: len(city.order) >= 4)
        assert all(len(payloads) == 1 for payloads in city.events.values())
        city.receipting = True
        uplink.drained()


def test_a_receipt_for_what_was_never_sent_removes_nothing(mosquitto, uplink, agent) -> None:
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        city.receipting = False
        settings = UplinkSettings(unreceipted_limit=10, receipt_timeout_s=60)
        uplink.start(mosquitto.port, settings)
        uplink.put(*[readings(agent=agent) for _ in range(50)])
        until(lambda: len(city.sequences()) == 10)
        epoch = uplink.outbox.state().epoch
        city.send_receipt(agent, Receipt(epoch, [(20, 50)]))
        city.send_receipt(agent, Receipt("0123456789abcdef", [(1, 50)]))
        city.send_receipt(agent, Receipt(epoch, [(5, 1)]))
        city.send_receipt(agent, Receipt(epoch, [(1, 10)]))
        until(lambda: len(city.sequences()) == 20)
        assert uplink.outbox.state().backlog == 40


def test_a_fresh_alarm_passes_a_backlog_that_is_not_receipted(mosquitto, uplink, agent) -> None:
    uplink.put(*[readings(agent=agent) for _ in range(100)])
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        city.receipting = False
        uplink.start(mosquitto.port, UplinkSettings(unreceipted_limit=10, receipt_timeout_s=60))
        until(lambda: len(city.sequences()) == 10)
        uplink.put(
            observation("o1", Phase.OPEN, agent=agent),
            picture(agent=agent),
            observation("o1", Phase.CLOSED, agent=agent),
        )
        until(lambda: len(city.sequences()) == 12)
        assert city.kinds()[10:] == ["observations", "observations"]
        assert [n for _, n, _ in city.order[10:]] == [101, 103], "in order"


def test_newest_alarms_first_in_blocks_then_pictures_then_readings(
    mosquitto, uplink, agent
) -> None:
    uplink.put(*[result(n, agent=agent) for n in range(100)])
    uplink.put(
        *[picture(agent=agent) for _ in range(3)], *[readings(agent=agent) for _ in range(9)]
    )
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        uplink.start(mosquitto.port)
        uplink.drained()
        order = [n for _, n, _ in city.order]
    assert order == [*range(37, 101), *range(1, 37), 103, 102, 101, *range(104, 113)]


def test_the_window_of_a_default_mosquitto_is_kept(tmp_path: Path, uplink, agent) -> None:
    """Without configuration it allows twenty; one more and it ends the connection."""
    with (
        Mosquitto(tmp_path / "broker", "allow_anonymous true\nmax_queued_messages 0\n") as broker,
        FakeCity(broker.port, agent.region, agent.site),
    ):
        uplink.start(broker.port)
        for n in range(30):
            who = agent.sibling(f"d{n}")
            uplink.sink.report(who, Status(DeviceState.ONLINE, utc_now()))
        uplink.put(*[readings(agent=agent) for _ in range(500)])
        uplink.drained()
        assert uplink.state.connections == 1


def test_wrong_credentials_are_named_and_lose_nothing(tmp_path: Path, uplink, agent) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    words = folder / "words"
    subprocess.run(["mosquitto_passwd", "-b", "-c", words, "right", "secret"], check=True)
    words.chmod(0o644)
    config = f"allow_anonymous false\npassword_file {words}\n"
    with Mosquitto(folder, config) as broker:
        uplink.start(broker.port, username="right", password="wrong")
        uplink.put(result(1, agent=agent))
        until(lambda: "Not authorized" in uplink.state.problem)
        assert "user 'right'" in uplink.state.problem
        assert uplink.outbox.state().backlog == 1
        uplink.stop()
        uplink.start(broker.port, username="right", password="secret")
        until(lambda: uplink.state.connected)
        uplink.stop()


def test_what_the_acl_forbids_is_named_held_and_blocks_nothing(
    tmp_path: Path, uplink, agent
) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    acl = folder / "acl"
    acl.write_text(
        "topic write fs/v1/+/+/+/tests\ntopic read #\ntopic write fs/v1/+/+/+/receipts\n"
    )
    acl.chmod(0o644)
    with (
        Mosquitto(folder, f"allow_anonymous true\nacl_file {acl}\n") as broker,
        FakeCity(broker.port, agent.region, agent.site) as city,
    ):
        uplink.start(broker.port)
        uplink.put(readings(agent=agent), result(1, agent=agent), result(2, agent=agent))
        until(lambda: city.sequences() == [2, 3])
        until(lambda: uplink.outbox.state().backlog == 1)
        until(lambda: uplink.state.held)
        assert "event 1 of epoch 1: refused by the broker: Not authorized" in uplink.state.held[0]


def test_what_is_too_large_for_the_broker_is_named_held_and_blocks_nothing(
    tmp_path: Path, uplink, agent
) -> None:
    config = "allow_anonymous true\nmax_packet_size 5000\n"
    with (
        Mosquitto(tmp_path / "broker", config) as broker,
        FakeCity(broker.port, agent.region, agent.site) as city,
    ):
        uplink.start(broker.port)
        uplink.put(picture(20_000, agent=agent), result(1, agent=agent), readings(agent=agent))
        until(lambda: city.sequences() == [2, 3])
        until(lambda: uplink.outbox.state().backlog == 1)
        assert "exceed the broker's limit of 5000" in uplink.state.held[0]
        assert uplink.state.connections == 1


def test_the_clock_offset_is_told_by_receipts(mosquitto, uplink, agent) -> None:
    ahead = lambda: utc_now() + timedelta(seconds=90)  # noqa: E731
    with FakeCity(mosquitto.port, agent.region, agent.site, clock=ahead):
        uplink.start(mosquitto.port)
        uplink.put(readings(agent=agent))
        uplink.drained()
        until(lambda: uplink.offset.seconds() is not None)
        assert -90.5 < uplink.offset.seconds() < -89.5


def test_without_a_network_it_waits_quietly(uplink, agent) -> None:
    port = free_port()
    uplink.start(port, UplinkSettings(reconnect_max_s=0.3))
    began, cpu = time.monotonic(), time.process_time()
    puts = 0
    while time.monotonic() - began < 2:
        uplink.put(readings(agent=agent))
        puts += 1
        time.sleep(0.2)  # the pace of a probe
    assert time.process_time() - cpu < 0.5
    assert "cannot reach the broker" in uplink.state.problem
    assert uplink.outbox.state().backlog == puts
    assert uplink.stop() < 1.0
