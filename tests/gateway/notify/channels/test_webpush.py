"""Web push: the RFC's own example, and a push service of ours that reads as a browser does."""

import base64
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import http_ece
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st
from notify_parts import NOON, Receiver, Reply, certificates, message
from servers import free_port

from contracts.words import Severity
from gateway.notify.channels.channel import Failed, Retry, Sent
from gateway.notify.channels.webpush import WebPushChannel, allowed
from gateway.notify.channels.webpush_crypto import (
    PLAIN_MOST,
    BadKey,
    Vapid,
    base64url,
    encrypt,
    from_base64url,
    new_key_file,
    point,
    read_key,
)
from gateway.notify.settings import WebPushSettings
from ledger.push_subscriptions import PushSubscription

CURVE = ec.SECP256R1()
OURS = Vapid(ec.generate_private_key(CURVE), "mailto:it@city.example")


def test_the_example_of_rfc_8291() -> None:
    """Appendix A: keys, salt and message there give the body there."""
    own = int.from_bytes(from_base64url("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        from_base64url(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
        ),
        from_base64url("BTBZMqHH6r4Tts7J_aSIgg"),
        own_key=ec.derive_private_key(own, CURVE),
        salt=from_base64url("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert base64url(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
        "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


class Browser:
    """Keys as a browser has them; reads what it is sent with an implementation that is not ours."""

    def __init__(self, url: str, officer: str = "li") -> None:
        self.key = ec.generate_private_key(CURVE)
        self.auth = b"0123456789abcdef"
        self.subscription = PushSubscription(
            id=url,
            officer_id=officer,
            endpoint=url,
            p256dh=base64url(point(self.key.public_key())),
            auth=base64url(self.auth),
            server_key=OURS.public_key,
            created_at=NOON,
        )

    def read(self, body: bytes) -> bytes:
        plain: bytes = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        return plain


class Book:
    """The ledger's subscriptions, in memory."""

    def __init__(self, *browsers: Browser) -> None:
        self.kept = [one.subscription for one in browsers]
        self.notes: list[str] = []

    def of_officer(self, officer_id: str) -> Sequence[PushSubscription]:
        return [one for one in self.kept if one.officer_id == officer_id]

    def gone(self, one: PushSubscription) -> None:
        self.kept.remove(one)

    def noted(self, one: PushSubscription, failure: str = "") -> None:
        self.notes.append(failure)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    return certificates(tmp_path_factory.mktemp("push"))


@pytest.fixture
def service(tls: tuple[Any, Path]) -> Iterator[Receiver]:
    """A push service."""
    with Receiver(tls[0]) as receiver:
        receiver.replies = [Reply(201)]
        yield receiver


def channel(book: Book, tls: tuple[Any, Path], **changes: Any) -> WebPushChannel:
    settings = WebPushSettings(services=("localhost",), timeout_s=5, **changes)
    return WebPushChannel(settings, OURS, book, ca_file=str(tls[1]), clock=lambda: NOON)


def verified(header: str, origin: str) -> dict[str, Any]:
    """The claims of a VAPID header whose signature holds (RFC 8292)."""
    scheme, _, rest = header.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.split("=", 1) for part in rest.split(", "))
    signed, _, signature = parts["t"].rpartition(".")
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_base64url(parts["k"]))
    raw = from_base64url(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
    head, claims = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}
    assert claims["aud"] == origin
    return dict(claims)


def test_a_browser_reads_what_was_said_and_its_service_knows_who_sent_it(
    service: Receiver, tls: tuple[Any, Path]
) -> None:
    phone, desk = Browser(f"{service.url}/a/1"), Browser(f"{service.url}/b/2")
    other = Browser(f"{service.url}/c/3", officer="wang")
    book = Book(phone, desk, other)
    urgent = message(recipient="li", severity=Severity.AT_ONCE)
    assert channel(book, tls).send(urgent) == Sent("2 of 2 browsers")
    first, second = service.requests
    assert (first.path, second.path) == ("/a/1", "/b/2")
    told = json.loads(phone.read(first.body))
    assert told == json.loads(desk.read(second.body))
    assert told["title"] == "冷库温度超限：冷库 1" and "时间：2026-03-02 12:00" in told["body"]
    assert (told["url"], told["kind"]) == ("https://console.example/alerts/a1", "alert")
    assert (first.headers["urgency"], first.headers["ttl"]) == ("high", "14400")
    assert first.headers["content-encoding"] == "aes128gcm"
    assert 1 <= len(first.headers["topic"]) <= 32
    claims = verified(first.headers["authorization"], service.url)
    assert claims["sub"] == "mailto:it@city.example"
    assert 0 < claims["exp"] - NOON.timestamp() <= 86_400
    assert book.notes == ["", ""]
    with pytest.raises(http_ece.ECEException):
        other.read(first.body)


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(
    service: Receiver, tls: tuple[Any, Path], status: int
) -> None:
    book = Book(Browser(f"{service.url}/a"), Browser(f"{service.url}/b"))
    service.replies = [Reply(status), Reply(201)]
    assert channel(book, tls).send(message(recipient="li")) == Sent("1 of 2 browsers")
    assert [one.endpoint for one in book.kept] == [f"{service.url}/b"]
    service.replies = [Reply(status)]
    assert isinstance(channel(book, tls).send(message(recipient="li")), Failed)
    assert book.kept == []
    assert isinstance(channel(book, tls).send(message(recipient="li")), Failed)


def test_a_busy_push_service_is_tried_again_and_a_refusal_is_not(
    service: Receiver, tls: tuple[Any, Path]
) -> None:
    book = Book(Browser(f"{service.url}/a"), Browser(f"{service.url}/b"))
    service.replies = [Reply(413), Reply(429, b"", {"Retry-After": "30"}), Reply(403)]
    push = channel(book, tls)
    assert push.send(message(recipient="li")) == Retry("HTTP 429", 30.0)
    assert push.send(message(recipient="li")) == Failed("HTTP 403")
    assert book.notes == ["HTTP 413", "HTTP 429", "HTTP 403", "HTTP 403"] and len(book.kept) == 2
    away = Book(Browser(f"https://localhost:{free_port()}/a"))
    outcome = channel(away, tls).send(message(recipient="li"))
    assert isinstance(outcome, Retry) and len(away.kept) == 1


def test_no_machine_but_a_push_service_is_called(service: Receiver, tls: tuple[Any, Path]) -> None:
    inside = Browser(f"https://127.0.0.1:{service.port}/inside")
    plain = Browser(f"http://localhost:{service.port}/plain")
    assert isinstance(channel(Book(inside, plain), tls).send(message(recipient="li")), Failed)
    assert service.requests == []
    services = ("fcm.googleapis.com", "*.push.apple.com")
    assert allowed("fcm.googleapis.com", services) and allowed("Web.Push.Apple.com", services)
    for host in ("evil-fcm.googleapis.com", "push.apple.com", "fcm.googleapis.com.evil.cn", ""):
        assert not allowed(host, services)


def test_who_trusts_an_older_key_of_ours_or_has_none_is_forgotten(
    service: Receiver, tls: tuple[Any, Path]
) -> None:
    old, broken = Browser(f"{service.url}/old"), Browser(f"{service.url}/broken")
    change = msgspec.structs.replace
    old.subscription = change(old.subscription, server_key="another")
    broken.subscription = change(broken.subscription, p256dh=base64url(b"\x04" + bytes(64)))
    book = Book(old, broken)
    assert isinstance(channel(book, tls).send(message(recipient="li")), Failed)
    assert book.kept == [] and service.requests == []


@given(st.text(), st.text(), st.text(max_size=3000))
def test_whatever_is_said_fits(title: str, body: str, url: str) -> None:
    push = channel(Book(), (None, Path("ca")))
    payload = push._payload(message(title=title, body=body * 20, url=url, group_key=title))
    assert len(msgspec.json.encode(payload)) <= PLAIN_MOST


def test_a_body_is_never_larger_than_a_push_service_must_take() -> None:
    browser = Browser("https://localhost/a")
    keys = point(browser.key.public_key()), browser.auth
    body = encrypt(bytes(PLAIN_MOST), *keys)
    assert len(body) == 4096 and browser.read(body) == bytes(PLAIN_MOST)
    with pytest.raises(ValueError, match="more than"):
        encrypt(bytes(PLAIN_MOST + 1), *keys)


def test_our_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "vapid.pem"
    public_key = new_key_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Vapid(read_key(path), "").public_key == public_key
    assert "sub" not in verified(Vapid(read_key(path), "").header("https://p", NOON), "https://p")
    with pytest.raises(FileExistsError):
        new_key_file(path)
    path.write_text("no key")
    with pytest.raises(BadKey):
        read_key(path)
