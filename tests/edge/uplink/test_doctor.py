"""The doctor finds each cause on real parts: brokers, a silent city, a full disk, clocks."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from facts import readings, result
from fake_city import FakeCity, until
from servers import Mosquitto, free_port

from contracts.clock import utc_now
from contracts.topics import Identity
from contracts.words import in_chinese, in_english
from edge_agent.doctor import Diagnosis, as_text, examine
from edge_agent.doctor_words import Cause, Finding
from edge_agent.outbox.store import Outbox
from edge_agent.ports import OutboxError
from edge_agent.settings import load_edge_settings
from edge_agent.uplink.probe import probe_broker
from edge_agent.uplink.settings import UplinkSettings

pytestmark = pytest.mark.real
LATER = timedelta(minutes=5)
Ask = Callable[..., dict[Cause, Finding]]
CALM = UplinkSettings(receipt_timeout_s=60)


@pytest.fixture
def ask(tmp_path: Path, agent: Identity) -> Ask:
    """What the doctor finds five minutes from now, by cause."""

    def examined(port: int, mqtt: str = "", folder: Path = tmp_path) -> dict[Cause, Finding]:
        path = folder / "site.toml"
        if not path.exists() or mqtt or path.stat().st_size:
            text = f'[agent]\nregion = "{agent.region}"\nsite = "{agent.site}"\n'
            path.write_text(f"{text}[mqtt]\nport = {port}\n{mqtt}", "utf-8")
        found = examine(load_edge_settings(path), path, utc_now() + LATER, probe_broker)
        told(found)
        return {one.cause: one for one in found.findings}

    return examined


def told(found: Diagnosis) -> None:
    """Every finding is said in both languages, and each language alone has all of it."""
    for one in found.findings:
        for text in (one.what, one.advice):
            if one.cause is not Cause.CERTIFICATE:
                assert in_chinese(text) != in_english(text), text
        assert in_chinese(one.what) in as_text(found, "zh")
        assert in_english(one.advice) in as_text(found, "en")


def test_no_broker(ask: Ask, uplink, agent) -> None:
    uplink.put(result(1, agent=agent))
    found = ask(free_port())
    assert "cannot reach the broker" in found[Cause.UNREACHABLE].what
    assert "1 events are not receipted" in found[Cause.WAITING].what
    assert found[Cause.WAITING].since is not None
    assert Cause.NO_AGENT not in found, "somebody has the outbox open"


def test_a_broker_that_refuses_us(tmp_path: Path, ask: Ask, uplink, agent) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    words = folder / "words"
    subprocess.run(["mosquitto_passwd", "-b", "-c", words, "right", "secret"], check=True)
    words.chmod(0o644)
    with Mosquitto(folder, f"allow_anonymous false\npassword_file {words}\n") as broker:
        found = ask(broker.port)
        assert "Not authorized" in found[Cause.REFUSED].what
        assert "mqtt.username" in found[Cause.REFUSED].advice
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "secret").chmod(0o600)
        assert ask(broker.port, 'username = "right"\npassword_file = "secret"\n') == {}


def test_a_broker_whose_acl_keeps_our_receipts_from_us(
    tmp_path: Path, ask: Ask, uplink, agent
) -> None:
    folder = tmp_path / "broker"
    folder.mkdir()
    acl = folder / "acl"
    acl.write_text("topic write #\ntopic read fs/v1/+/+/+/tests\n")
    acl.chmod(0o644)
    with (
        Mosquitto(folder, f"allow_anonymous true\nacl_file {acl}\n") as broker,
        FakeCity(broker.port, agent.region, agent.site) as city,
    ):
        uplink.start(broker.port, CALM)
        uplink.put(result(1, agent=agent))
        until(lambda: city.sequences() == [1])
        found = ask(broker.port)
        assert set(found) == {Cause.NO_RECEIPTS}
        assert "ACL" in found[Cause.NO_RECEIPTS].advice


def test_a_broker_whose_certificate_we_do_not_trust_and_one_that_has_none(
    tmp_path: Path, ask: Ask, mosquitto, uplink, agent
) -> None:
    for name in ("ours", "theirs"):
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9"]
        files = ["-keyout", str(tmp_path / f"{name}.key"), "-out", str(tmp_path / f"{name}.pem")]
        subprocess.run([*command, "-subj", f"/CN={name}", *files], check=True, capture_output=True)
        (tmp_path / f"{name}.key").chmod(0o644)
    found = ask(mosquitto.port, 'tls_ca_file = "ours.pem"\n')
    assert "mqtt.port" in found[Cause.TLS].advice
    assert "in 8 days" in found[Cause.CERTIFICATE].what
    config = (
        f"allow_anonymous true\ncertfile {tmp_path}/theirs.pem\nkeyfile {tmp_path}/theirs.key\n"
    )
    with Mosquitto(tmp_path / "broker", config) as broker:
        found = ask(broker.port, 'tls_ca_file = "ours.pem"\n')
        assert "certificate" in found[Cause.TLS].what


def test_nobody_subscribes_to_our_events(ask: Ask, mosquitto, uplink, agent) -> None:
    uplink.start(mosquitto.port, CALM)
    uplink.put(result(1, agent=agent))
    until(lambda: uplink.state.unheard)
    found = ask(mosquitto.port)
    assert set(found) == {Cause.NOBODY_LISTENS}
    with FakeCity(mosquitto.port, agent.region, agent.site):
        uplink.drained()
        assert not uplink.state.unheard
    assert ask(mosquitto.port) == {}, "all is well again"


def test_a_city_that_takes_and_receipts_nothing(ask: Ask, mosquitto, uplink, agent) -> None:
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        city.receipting = False
        uplink.start(mosquitto.port, CALM)
        uplink.put(readings(agent=agent))
        until(lambda: city.sequences() == [1])
        found = ask(mosquitto.port)
        assert set(found) == {Cause.NO_RECEIPTS}
        assert "registered" in found[Cause.NO_RECEIPTS].advice


def test_a_city_whose_time_series_is_dead(ask: Ask, mosquitto, uplink, agent) -> None:
    with FakeCity(mosquitto.port, agent.region, agent.site) as city:
        city.stores = False
        uplink.start(mosquitto.port, CALM)
        uplink.put(readings(agent=agent), readings(agent=agent))
        until(lambda: uplink.state.taken_in == 2)
        found = ask(mosquitto.port)
        assert set(found) == {Cause.TAKEN_IN}
        assert "2 of them are in the city's ledger and judged" in found[Cause.TAKEN_IN].what
        assert "time-series store" in found[Cause.TAKEN_IN].advice
        assert uplink.outbox.state().backlog == 2


def test_a_clock_that_is_off_and_one_that_was_set_back(ask: Ask, mosquitto, uplink, agent) -> None:
    ahead = lambda: utc_now() + timedelta(seconds=600)  # noqa: E731
    with FakeCity(mosquitto.port, agent.region, agent.site, clock=ahead):
        uplink.start(mosquitto.port)
        uplink.put(readings(agent=agent))
        uplink.drained()
        until(lambda: uplink.state.clock_offset_s is not None)
        assert "-600 s off" in ask(mosquitto.port)[Cause.CLOCK].what
        assert "慢 600 秒" in ask(mosquitto.port)[Cause.CLOCK].what
    uplink.stop()
    uplink.outbox.note("uplink", b"{}")
    uplink.put(readings(agent=agent))
    tomorrow = (utc_now() + timedelta(days=1)).timestamp()
    uplink.outbox._writer.execute("UPDATE events SET put_at = ?", (tomorrow,))
    assert "set back" in ask(mosquitto.port)[Cause.CLOCK].what


def test_a_full_disk_and_a_read_only_one(small_disk: Path, ask: Ask, agent) -> None:
    with Outbox(small_disk / "outbox.sqlite", agent, utc_now) as outbox:
        outbox.put([readings(agent=agent)])
        assert Cause.DISK_LOW in ask(free_port(), folder=small_disk)
        (small_disk / "others").write_bytes(bytes(9 << 20))  # somebody else's
        batch = [readings(200, agent=agent) for _ in range(20)]
        with pytest.raises(OutboxError, match="the disk is full"):
            while True:
                outbox.put(batch)
        outbox._reserve.release()  # a receipt needed the room
        with pytest.raises(OutboxError, match="the disk is full"):
            outbox.put(batch)
        assert Cause.DISK_FULL in ask(free_port(), folder=small_disk)
    (small_disk / "others").unlink()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    site = small_disk / "site.toml"
    found = examine(load_edge_settings(site), site, utc_now() + LATER, lambda *_: "")
    assert Cause.DISK_READ_ONLY in {one.cause for one in found.findings}
