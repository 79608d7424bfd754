"""Channels by Apprise, on a real mail server and a local receiver that answers as services do."""

import email
import email.policy
import io
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from notify_parts import NOON, MailServer, Receiver, Reply, Tunnel, certificates, message
from servers import free_port

from contracts.words import Severity
from gateway.notify.channels.apprise_channel import AppriseChannel, BadUrl
from gateway.notify.channels.channel import Failed, Retry, Sent
from gateway.notify.settings import AppriseSettings

ROBOT = "0123456789abcdef0123456789abcdef"


def channel(template: str, secret: str = "", **changes: Any) -> AppriseChannel:
    settings = AppriseSettings(name="it", timeout_s=5, **changes)
    return AppriseChannel(settings, template, secret, clock=lambda: NOON)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def services(made: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """WeCom, DingTalk and Feishu under their own names, behind a proxy that leads to us."""
    tls, ca_file = made
    with Receiver(tls) as receiver, Tunnel(receiver.port) as tunnel:
        monkeypatch.setenv("HTTPS_PROXY", tunnel.url)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        yield receiver


SERVICES = [
    ("wecombot://{secret}", f"/cgi-bin/webhook/send?key={ROBOT}", "errcode"),
    ("dingtalk://{secret}", f"/robot/send?access_token={ROBOT}", "errcode"),
    ("feishu://{secret}", f"/open-apis/bot/v2/hook/{ROBOT}/", "code"),
]


@pytest.mark.parametrize(("template", "path", "code"), SERVICES)
def test_robots_get_their_messages_and_their_refusals_are_heard(
    services: Receiver, template: str, path: str, code: str
) -> None:
    said = [0, 45009, -1, 19024]
    services.replies = [
        *(Reply(200, f'{{"{code}": {one}, "msg": "told {ROBOT}"}}'.encode()) for one in said),
        Reply(502, b"bad gateway"),
        Reply(403, b"{}"),
    ]
    robot = channel(template, ROBOT)
    outcomes = [robot.send(message()) for _ in range(6)]
    assert outcomes == [
        Sent(),
        Retry("code 45009: told …", 60.0),
        Retry("code -1: told …"),
        Failed("code 19024: told …"),
        Retry("HTTP 502"),
        Failed("HTTP 403"),
    ]
    assert {one.path for one in services.requests} == {path}
    body = services.requests[0].json
    kind = body.get("msgtype") or body.get("msg_type")
    content = body[kind] if "msgtype" in body else body["content"]
    text = content.get("content") or content["text"]
    assert kind == "text" and text.startswith("冷库温度超限：冷库 1")
    assert "时间：2026-03-02 12:00" in text and "https://console.example/alerts/a1" in text
    assert len(text.encode()) <= 2048  # WeCom's bound


def test_a_service_that_cannot_be_trusted_or_reached_is_tried_again(
    services: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    outcome = channel("feishu://{secret}", ROBOT).send(message())
    assert isinstance(outcome, Retry) and "certificate" in outcome.reason
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    outcome = channel("feishu://{secret}", ROBOT).send(message())
    assert isinstance(outcome, Retry) and "refused" in outcome.reason
    assert services.requests == []


def test_an_sms_gateway_by_its_own_http_interface() -> None:
    with Receiver() as gateway:
        gateway.replies = [Reply(429, b"", {"Retry-After": "3"}), Reply(200, b"queued")]
        url = f"json://localhost:{gateway.port}/sms/{{address}}?+X-Key={{secret}}"
        sms = channel(url, "key-7-secret", body_limit=210)
        assert sms.send(message(address="13800000000")) == Retry("HTTP 429", 3.0)
        assert sms.send(message(address="13800000000", body="长" * 500)) == Sent()
        assert isinstance(sms.send(message(address="1&to=2")), Failed)
        assert isinstance(sms.send(message(address="")), Failed)
    first, second = gateway.requests
    assert first.path == "/sms/13800000000" and first.headers["x-key"] == "key-7-secret"
    told = second.json
    assert len((told["title"] + told["message"]).encode()) <= 210 and "…" in told["message"]


@pytest.mark.parametrize("form", ["html", "text"])
def test_mail_over_tls_with_a_login(
    made: tuple[Any, Path], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, ca_file = made
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    with MailServer(tls=tls, login=("fs", "pass word/1")) as server:
        asked = f"from=fs@city.example&to={{address}}&mode=starttls&format={form}"
        where = f"localhost:{server.port}?{asked}"
        good = channel(f"mailtos://fs:{{secret}}@{where}", "pass word/1")
        body = "一 <script>\n二 & 三"
        urgent = message(address="li@example.com", severity=Severity.AT_ONCE, body=body)
        assert good.send(urgent) == Sent()
        wrong = channel(f"mailtos://fs:{{secret}}@{where}", "guess-1234")
        outcome = wrong.send(message(address="li@example.com"))
    assert isinstance(outcome, Failed) and "535" in outcome.reason
    assert "guess" not in outcome.reason
    (mail,) = server.mails
    assert (mail.sender, mail.recipients, mail.secure) == (
        "fs@city.example",
        ["li@example.com"],
        True,
    )
    read = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert read["Subject"] == "冷库温度超限：冷库 1" and "li@example.com" in read["To"]
    part = read.get_body(("plain",))
    assert part is not None and body in part.get_content().replace("\r\n", "\n")
    assert (read.get_body(("html",)) is not None) == (form == "html")
    if (rich := read.get_body(("html",))) is not None:
        assert "<script>" not in rich.get_content()


def test_a_greylisting_mail_server_is_tried_again_and_an_unknown_mailbox_is_not() -> None:
    with MailServer() as server:
        server.refusals = ["451 4.7.1 Greylisted, try again", "550 5.1.1 no such user"]
        url = f"mailto://localhost:{server.port}?from=fs@city.example&to={{address}}&mode=insecure"
        mail = channel(url)
        told = [mail.send(message(address="li@example.com")) for _ in range(3)]
    assert told == [
        Retry("SMTP 451 4.7.1 Greylisted, try again"),
        Failed("SMTP 550 5.1.1 no such user"),
        Sent(),
    ]
    assert len(server.mails) == 1


def test_a_mail_server_that_is_away_is_tried_again() -> None:
    url = f"mailto://localhost:{free_port()}?from=fs@city.example&to={{address}}"
    outcome = channel(url).send(message(address="li@example.com"))
    assert isinstance(outcome, Retry) and "refused" in outcome.reason


def test_nothing_private_is_logged(services: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    root, written = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(written)
    monkeypatch.setattr(root, "handlers", [*root.handlers, handler])
    monkeypatch.setattr(root, "level", logging.DEBUG)
    monkeypatch.setattr(logging.getLogger("urllib3"), "level", logging.INFO)  # as logs.py does
    services.replies = [Reply(500, b"no"), Reply(200, b'{"errcode":0}')]
    robot = channel("dingtalk://{secret}/{address}", ROBOT)
    logging.getLogger("gateway.notify").debug("the road to the log is open")
    robot.send(message(address="13812345678"))
    robot.send(message(address="13812345678"))
    assert services.requests[0].json["at"]["atMobiles"] == ["13812345678"]
    assert "the road to the log is open" in written.getvalue()
    assert ROBOT not in written.getvalue() and "13812345678" not in written.getvalue()


@pytest.mark.parametrize("url", ["syslog://", "dbus://", "nosuch://x", "", "mailto://", "{secret}"])
def test_a_url_that_leads_nowhere_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(BadUrl) as refused:
        channel(url, "s3cr3t-part")
    assert "s3cr3t" not in str(refused.value)


def test_a_url_that_is_secret_as_a_whole_is_told_nowhere() -> None:
    port = free_port()
    url = f"jsons://user:password-1@localhost:{port}/token-1234?x=query-5678"
    outcome = channel(url, url_file="url").send(message())
    assert isinstance(outcome, Retry)
    assert not any(part in outcome.reason for part in ("password-1", "token-1234", str(port)))
