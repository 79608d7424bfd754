"""Tests of the road's security on the real mosquitto as deployed: TLS, certificates, revocation."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from broker_parts import OTHER, SITE, City, Client
from gateway_process import until
from gateway_town import REGION

from contracts.clock import utc_now
from contracts.mqtt_settings import MqttSettings
from contracts.tls import TlsFiles, TlsUnusable
from contracts.topics import Identity
from edge_agent.uplink.certificates import look_at_certificates
from edge_agent.uplink.mqtt import Endpoint
from edge_agent.uplink.probe import probe_broker
from gateway.accounts.certificates import Authority, make_authority
from gateway.broker import Broker, Outbound, publish_once
from ledger.engine import Engine

pytestmark = pytest.mark.real

MINE, ITS = f"fs/v1/{SITE}", f"fs/v1/{OTHER}"
WHO = Identity(REGION, "market1", "agent")
Enter = Callable[..., Client]


@pytest.fixture
def city(tmp_path: Path, ledger: Engine) -> Iterator[City]:
    made = City(tmp_path / "city", ledger)
    with made.broker:
        yield made


@pytest.fixture
def enter(city: City) -> Iterator[Enter]:
    """Sign in with a password, or with a certificate."""
    made: list[Client] = []

    def sign_in(name: str, certificate: TlsFiles | None = None) -> Client:
        if certificate is not None:
            made.append(Client(city.tls_port, certificate))
        else:
            made.append(Client(city.port, city.tls, name, city.passwords[name]))
        return made[-1]

    yield sign_in
    for one in made:
        one.close()


def other_ca() -> Authority:
    made = make_authority("somebody's CA", utc_now(), None)
    return Authority.read(made.pem, made.key_pem, None)


def probe(city: City, port: int, tls: TlsFiles | None, host: str = "127.0.0.1") -> str:
    """What the doctor hears at the broker, as an agent with a certificate or a password."""
    name = "" if tls and tls.certificate else SITE
    end = Endpoint(host, port, "probe", name, city.passwords[SITE] if name else None, tls, 5, 0)
    return probe_broker(end, f"{MINE}/agent/receipts", limit_s=5.0)


def listening(city: City, port: int, tls: TlsFiles, name: str = "") -> Broker:
    """A gateway's door to the broker."""
    return Broker(
        MqttSettings(host="127.0.0.1", port=port, username=name),
        client_id="g",
        password=city.passwords.get(name),
        tls=tls,
        subscriptions=["fs/v1/+/+/+/tests"],
        receive_maximum=10,
        session_expiry_s=0,
        deliver=lambda _messages: None,
        full=lambda: False,
        clock=utc_now,
    )


def test_certificates_and_passwords_open_the_same_rights(city: City, enter: Enter) -> None:
    with_certificate, with_password = enter(SITE, city.certificate(SITE)), enter(SITE)
    other, server, gateway = enter(OTHER), enter("server"), enter("gateway")
    for topic in (f"{ITS}/agent/config", f"{MINE}/agent/config"):
        assert server.may_publish(topic, retain=True)
    for agent in (with_certificate, with_password):
        assert agent.may_publish(f"{MINE}/reader1/tests")
        for topic in (f"{ITS}/reader1/tests", f"{MINE}/agent/receipts", f"{MINE}/agent/config"):
            assert not agent.may_publish(topic), topic
        for everything in ("#", "fs/v1/+/+/+/config", f"{ITS}/agent/receipts", "$SYS/#"):
            agent.listen(everything)
    assert other.may_publish(f"{ITS}/cam1/observations")
    assert gateway.may_publish(f"{ITS}/agent/receipts")
    assert gateway.may_publish(f"{MINE}/agent/receipts")
    for agent in (with_certificate, with_password):
        until(lambda agent=agent: (f"{MINE}/agent/receipts", b"x") in agent.got)  # type: ignore[misc]
        assert {topic for topic, _ in agent.got} == {
            f"{MINE}/agent/receipts",
            f"{MINE}/agent/config",
        }


def test_what_is_too_large_ends_at_the_broker(enter: Enter) -> None:
    agent = enter(SITE)
    assert agent.may_publish(f"{MINE}/reader1/tests", b"x" * 1_000_001)
    assert not agent.may_publish(f"{MINE}/reader1/tests", b"x" * 1_200_000)


def test_every_failure_says_what_to_do(city: City, tmp_path: Path) -> None:
    good = city.certificate(SITE)
    assert probe(city, city.port, city.tls) == ""
    assert probe(city, city.tls_port, good) == ""
    assert "demands a client certificate" in probe(city, city.tls_port, city.tls)
    stranger = city.certificate(SITE, ca=other_ca())
    assert "does not know the CA that signed our certificate" in probe(
        city, city.tls_port, stranger
    )
    old = city.certificate(SITE, utc_now() - timedelta(days=30), days=10)
    assert "our certificate (mqtt.tls_cert_file) has expired" in probe(city, city.tls_port, old)
    assert "certificate is not for 'localhost'" in probe(city, city.port, city.tls, "localhost")
    strange = tmp_path / "strange.crt"
    strange.write_bytes(make_authority("somebody's CA", utc_now(), None).pem)
    assert "not signed by the CA of mqtt.tls_ca_file" in probe(city, city.port, TlsFiles(strange))
    assert "connection lost" in probe(city, city.port, None)
    for broken, words in (
        (TlsFiles(tmp_path / "none.crt"), "mqtt.tls_ca_file: .*none.crt: No such file"),
        (TlsFiles(good.key or tmp_path), "mqtt.tls_ca_file: .*not a PEM file"),
        (TlsFiles(good.ca, good.certificate, old.key), "the key does not belong"),
    ):
        with pytest.raises(TlsUnusable, match=words):
            broken.context()


def test_an_expired_broker_is_named_with_its_day_on_both_sides(city: City) -> None:
    city.serve(utc_now() - timedelta(days=30), days=10)
    city.reload()
    problem = probe(city, city.port, city.tls)
    assert "the broker's certificate, or that of its CA, has expired" in problem
    end = Endpoint("127.0.0.1", city.port, "x", SITE, "", city.tls, 5, 0)
    (remark,) = look_at_certificates(end, WHO, utc_now(), problem)
    day = utc_now() - timedelta(days=20)
    assert f"expired on {day:%Y-%m-%d}" in remark.what and "city CA" in remark.what
    broker = listening(city, city.port, city.tls, "gateway")
    broker.start()
    until(lambda: "has expired" in broker.trouble)
    city.serve(utc_now())
    city.reload()
    until(lambda: not broker.trouble)
    broker.stop()


def test_own_certificates_dates_are_told_before_the_broker_does(city: City) -> None:
    now = utc_now()
    mine = city.certificate(SITE, now, days=20)
    end = Endpoint("127.0.0.1", city.tls_port, "x", "", None, mine, 5, 0)
    (soon,) = look_at_certificates(end, WHO, now, "")
    assert not soon.grave and f"expires on {now + timedelta(days=20):%Y-%m-%d}" in soon.what
    (late,) = look_at_certificates(end, WHO, now + timedelta(days=21), "")
    assert late.grave and "expired on" in late.what and "accounts certify" in late.advice
    early = look_at_certificates(end, WHO, now - timedelta(days=1), "")
    assert all("is not valid before" in one.what and "clock" in one.advice for one in early)


def test_revoked_passwords_end_a_standing_connection(city: City, enter: Enter) -> None:
    agent, other = enter(SITE), enter(OTHER)
    city.revoke(SITE)
    city.reload()
    assert agent.lost.wait(10)
    assert not enter(SITE).signed_in
    assert "not authorized" in probe(city, city.port, city.tls).lower()
    assert other.may_publish(f"{ITS}/cam1/tests"), "nobody else is disturbed"


def test_revoked_certificates_end_too_and_a_new_one_opens_again(city: City, enter: Enter) -> None:
    files = city.certificate(SITE)
    agent, other = enter(SITE, files), enter(OTHER, city.certificate(OTHER))
    assert agent.may_publish(f"{MINE}/reader1/tests")
    agent.listen(f"{MINE}/agent/receipts")
    city.revoke(SITE)
    city.reload()
    assert not agent.may_publish(f"{MINE}/reader1/tests")
    gateway = enter("gateway")
    assert gateway.may_publish(f"{MINE}/agent/receipts")
    assert "was revoked" in probe(city, city.tls_port, files)
    fresh = city.certificate(SITE)
    city.reload()
    assert "was revoked" in probe(city, city.tls_port, files)
    assert enter(SITE, fresh).may_publish(f"{MINE}/reader1/tests")
    assert other.may_publish(f"{ITS}/cam1/tests")
    assert agent.got == []


def test_a_gateway_whose_certificate_was_revoked_says_so(city: City) -> None:
    files = city.certificate("gateway")
    broker = listening(city, city.tls_port, files)
    broker.start()
    until(lambda: not broker.trouble)
    city.revoke("gateway")
    city.broker.stop()
    city.write()
    city.broker.start()
    until(lambda: "was revoked" in broker.trouble)
    broker.stop()


def test_a_rotated_password_ends_the_old_one(city: City, enter: Enter) -> None:
    old = enter(SITE)
    fresh = city.password(SITE, renew=True)
    city.reload()
    assert old.lost.wait(10)
    assert not enter(SITE).signed_in
    city.passwords[SITE] = fresh
    assert enter(SITE).may_publish(f"{MINE}/reader1/tests")


def test_of_two_agents_at_a_site_each_reads_its_own_receipts(
    city: City, enter: Enter, ledger: Engine
) -> None:
    from gateway_town import NOON

    from ledger import devices
    from ledger.devices import Device, DeviceKind
    from ledger.engine import writing

    with writing(ledger) as conn:
        devices.add(conn, Device(REGION, "market1", "agent2", DeviceKind.AGENT, "2", NOON))
    name = f"{SITE}/agent2"
    city.passwords[name] = city.password(name)
    city.reload()
    second, gateway = enter(name), enter("gateway")
    second.listen("#")
    for agent in ("agent", "agent2"):
        assert gateway.may_publish(f"{MINE}/{agent}/receipts")
    until(lambda: second.got)
    assert second.got == [(f"{MINE}/agent2/receipts", b"x")]
    assert second.may_publish(f"{MINE}/reader2/tests")
    assert not second.may_publish(f"{ITS}/reader2/tests")


def test_a_notice_goes_out_over_a_connection_of_its_own(city: City, enter: Enter) -> None:
    reader = enter(OTHER)
    reader.listen("#")
    gateway = MqttSettings(port=city.port, username="gateway")
    notice = [Outbound(f"{ITS}/alerts/a1", b"{}"), Outbound(f"{ITS}/notices/n1", b"{}")]
    assert publish_once(gateway, city.passwords["gateway"], city.tls, notice, 10) == ""
    until(lambda: f"{ITS}/alerts/a1" in reader.topics)
    assert f"{ITS}/notices/n1" not in reader.topics  # for displays of the city
    assert "Not authorized" in publish_once(gateway, "guess", city.tls, notice, 10)
    assert publish_once(gateway, city.passwords["gateway"], None, notice, 2) != ""
