"""The webhook, on a local receiver: Alertmanager's body, its signature, and what answers mean."""

import hashlib
import hmac
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from notify_parts import NOON, Receiver, Reply, alert, certificates, message
from servers import free_port

from contracts.words import AlertState, Severity
from gateway.notify.channels.channel import Failed, Retry, Sent
from gateway.notify.channels.webhook import WebhookChannel, WebhookSecrets
from gateway.notify.settings import WebhookSettings

LATER = "Mon, 02 Mar 2026 04:01:00 GMT"
FIELDS = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
    "commonAnnotations", "externalURL", "alerts",
}  # fmt: skip
ALERT_FIELDS = {
    "status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint",
}  # fmt: skip


def channel(
    url: str, secrets: WebhookSecrets | None = None, ca_file: str = "", **changes: Any
) -> WebhookChannel:
    return WebhookChannel(
        WebhookSettings(name="duty", **({"timeout_s": 5} | changes)),
        url,
        secrets or WebhookSecrets(),
        console_url="https://console.example",
        ca_file=ca_file,
        clock=lambda: NOON,
    )


def test_the_body_is_alertmanagers() -> None:
    over = NOON + timedelta(minutes=9)
    one = alert()
    other = alert(
        "a2", device="cold2", state=AlertState.RESOLVED, resolved_at=over, severity=Severity.AT_ONCE
    )
    with Receiver() as receiver:
        assert channel(receiver.url).send(message(alerts=(one, other), left_out=3)) == Sent()
    (request,) = receiver.requests
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "alert:a1:1"
    assert "authorization" not in request.headers
    body = request.json
    assert set(body) == FIELDS
    assert all(set(told) == ALERT_FIELDS for told in body["alerts"])
    assert (body["version"], body["status"], body["receiver"]) == ("4", "firing", "duty")
    assert (body["groupKey"], body["truncatedAlerts"]) == ("canteen1|cold_store_warm", 3)
    assert body["externalURL"] == "https://console.example"
    assert body["groupLabels"] == {"alertname": "cold_store_warm", "site": "canteen1"}
    assert body["commonLabels"]["region"] == "440703" and "device" not in body["commonLabels"]
    assert "severity" not in body["commonLabels"]
    assert body["commonAnnotations"]["basis"] == "GB 31654-2021"
    first, second = body["alerts"]
    assert (first["status"], first["startsAt"], first["endsAt"]) == (
        "firing",
        "2026-03-02T04:00:00.000Z",
        "0001-01-01T00:00:00Z",
    )
    assert first["labels"]["severity"] == "warning" and first["fingerprint"] == "a1"
    assert first["annotations"]["summary"] == "冷库温度超限"
    assert first["generatorURL"] == "https://console.example/alerts/a1"
    assert (second["status"], second["endsAt"]) == ("resolved", "2026-03-02T04:09:00.000Z")
    assert second["labels"]["severity"] == "critical"
    assert all(
        isinstance(text, str)
        for told in body["alerts"]
        for texts in (told["labels"], told["annotations"])
        for text in texts.values()
    )


def test_what_has_no_alert_is_one_for_those_who_know_nothing_else() -> None:
    with Receiver() as receiver:
        channel(receiver.url, language="en").send(message(kind="digest", alerts=(), left_out=40))
    body = receiver.requests[0].json
    (told,) = body["alerts"]
    assert told["labels"]["alertname"] == "foodsentry_digest" and body["truncatedAlerts"] == 40
    assert told["annotations"]["summary"] == "冷库温度超限：冷库 1"
    assert set(told) == ALERT_FIELDS and body["status"] == "firing"


def test_more_alerts_than_are_wanted_are_counted() -> None:
    rows = tuple(alert(f"a{number}") for number in range(5))
    with Receiver() as receiver:
        channel(receiver.url, max_alerts=2).send(message(alerts=rows))
        channel(receiver.url, max_alerts=0).send(message(alerts=rows))
    few, every = (request.json for request in receiver.requests)
    assert (len(few["alerts"]), few["truncatedAlerts"]) == (2, 3)
    assert (len(every["alerts"]), every["truncatedAlerts"]) == (5, 0)


def test_all_ended_is_resolved_and_the_language_is_the_channels() -> None:
    closed = alert(state=AlertState.CLOSED, closed_at=NOON)
    with Receiver() as receiver:
        channel(receiver.url, language="en").send(message(kind="resolved", alerts=(closed,)))
    body = receiver.requests[0].json
    assert body["status"] == "resolved" and body["alerts"][0]["status"] == "resolved"
    assert body["commonAnnotations"]["summary"] == "Cold store too warm"


def test_the_recipients_language_goes_before_the_channels() -> None:
    with Receiver() as receiver:
        channel(receiver.url).send(message(language="en"))
    body = receiver.requests[0].json
    assert body["commonAnnotations"]["summary"] == "Cold store too warm"


def test_a_receiver_can_tell_that_it_was_us() -> None:
    secrets = WebhookSecrets(url_part="p/1", bearer="token-1", signing="鑰匙")
    with Receiver() as receiver:
        outcome = channel(f"{receiver.url}/in/{{secret}}/{{address}}", secrets).send(
            message(address="town-3")
        )
        refused = channel(f"{receiver.url}/{{address}}", secrets).send(message(address="../x"))
    assert outcome == Sent() and isinstance(refused, Failed)
    (request,) = receiver.requests
    assert request.path == "/in/p%2F1/town-3"
    assert request.headers["authorization"] == "Bearer token-1"
    timestamp = request.headers["x-foodsentry-timestamp"]
    assert timestamp == str(int(NOON.timestamp()))
    signed = hmac.new("鑰匙".encode(), f"{timestamp}.".encode() + request.body, hashlib.sha256)
    assert request.headers["x-foodsentry-signature"] == f"sha256={signed.hexdigest()}"


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(204, b""), Sent()),
        (Reply(200, b'{"code": 1}'), Sent()),
        (Reply(500, b'{"message": "down"}'), Retry("HTTP 500: down")),
        (Reply(503, b"", {"Retry-After": "17"}), Retry("HTTP 503", 17.0)),
        (Reply(429, b"", {"Retry-After": LATER}), Retry("HTTP 429", 60.0)),
        (Reply(400, b'{"error": "no such field"}'), Failed("HTTP 400: no such field")),
        (Reply(401, b'{"error": "token-1 is unknown"}'), Failed("HTTP 401: … is unknown")),
        (Reply(302, b"", {"Location": "/"}), Failed("HTTP 302: redirects are not followed")),
        (Reply(500, b"x" * 1_000_000), Retry("HTTP 500")),
    ],
)  # fmt: skip
def test_answers_say_whether_to_try_again(reply: Reply, outcome: object) -> None:
    with Receiver() as receiver:
        receiver.replies = [reply]
        assert channel(receiver.url, WebhookSecrets(bearer="token-1")).send(message()) == outcome
    assert len(receiver.requests) == 1


def test_silence_and_absence_are_tried_again(tmp_path: Path) -> None:
    held = threading.Event()
    with Receiver() as receiver:
        receiver.replies = [Reply(hold=held)]
        outcome = channel(receiver.url, timeout_s=0.2).send(message())
        held.set()
    assert outcome == Retry("no answer within 0.2 s")
    outcome = channel(f"http://localhost:{free_port()}/secret-path").send(message())
    assert isinstance(outcome, Retry) and "refused" in outcome.reason
    assert "secret-path" not in outcome.reason
    outcome = channel("http://nowhere.invalid/secret-path").send(message())
    assert isinstance(outcome, Retry) and "secret-path" not in outcome.reason


def test_a_receiver_of_ones_own_ca(tmp_path: Path) -> None:
    tls, ca_file = certificates(tmp_path)
    with Receiver(tls) as receiver:
        doubted = channel(receiver.url).send(message())
        trusted = channel(receiver.url, ca_file=str(ca_file)).send(message())
    assert isinstance(doubted, Retry) and doubted.reason.startswith("TLS: ")
    assert trusted == Sent()


@pytest.mark.parametrize("url", ["ftp://x/", "file:///etc/passwd", "x", ""])
def test_other_urls_are_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        channel(url)
    assert isinstance(channel("http:///nowhere").send(message()), Failed)
