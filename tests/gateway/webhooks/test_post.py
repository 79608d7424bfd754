"""One post: to the address that was judged, no further, and not for ever."""

import base64
import hashlib
import hmac
import socket
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receiver import Receiver, drip, endless, status

from gateway.webhooks.pauses import FIRST_S, MOST_S, pause_after
from gateway.webhooks.post import Posted, post
from gateway.webhooks.signing import key_of, signed_headers

LOOPBACK = ("127.0.0.0/8",)
AT = datetime(2026, 11, 26, 2, 0, tzinfo=UTC)


def send(url: str, timeout_s: float = 5.0, **more: object) -> Posted:
    return post(url, b'{"x":1}', {"A": "b"}, timeout_s=timeout_s, networks=LOOPBACK, **more)  # type: ignore[arg-type]


def test_the_signature_is_that_of_standard_webhooks() -> None:
    # The worked example of the specification.
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime.fromtimestamp(1614265330, UTC)
    told = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert told["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert told["webhook-timestamp"] == "1614265330"
    with pytest.raises(ValueError, match="no secret"):
        key_of("whsec_???")


@given(st.binary(max_size=200), st.binary(min_size=24, max_size=64))
def test_whoever_has_the_secret_can_check_it(body: bytes, key: bytes) -> None:
    secret = "whsec_" + base64.b64encode(key).decode()
    told = signed_headers([secret], "msg_1", AT, body)
    signed = f"msg_1.{told['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert told["webhook-signature"] == f"v1,{expected}"


@given(st.integers(1, 500), st.floats(0, 1), st.none() | st.floats(0, 1e9))
def test_pauses_double_within_bounds(failures: int, jitter: float, asked: float | None) -> None:
    pause_s = pause_after(failures, jitter, asked).total_seconds()
    assert 0.7 * FIRST_S <= pause_s <= 1.3 * MOST_S + 1e-6
    if asked is not None:
        assert pause_s >= min(asked, MOST_S) - 1e-6
    assert pause_after(failures, 0.5) <= pause_after(failures + 1, 0.5)


def test_it_arrives_whole(receiver: Receiver) -> None:
    assert send(receiver.url) == Posted(200, "ok")
    (got,) = receiver.got
    assert (got.path, got.body, got.headers["a"]) == ("/hook?of=city", b'{"x":1}', "b")
    assert got.headers["host"] == receiver.url.split("/")[2]


@pytest.mark.parametrize("code", [204, 400, 404, 410, 429, 500, 503])
def test_what_was_answered_is_told(receiver: Receiver, code: int) -> None:
    receiver.always = status(code, Retry_After="7")
    told = send(receiver.url)
    assert (told.status, told.retry_after_s) == (code, 7.0)
    assert told.ok == (code == 204)
    assert told.receiver_down == (code in (429, 500, 503))


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.always = status(302, Location=receiver.url)
    told = send(receiver.url)
    assert (told.status, told.ok, len(receiver.got)) == (302, False, 1)
    assert "redirect" in told.said


def test_a_receiver_that_hangs_or_never_ends_is_left(receiver: Receiver) -> None:
    for answer in (lambda *_: time.sleep(3), drip):
        receiver.always = answer
        begun = time.monotonic()
        told = send(receiver.url, 0.4)
        assert told.status is None and "no answer within 0.4 s" in told.said
        assert time.monotonic() - begun < 2.5
    receiver.always = endless
    assert send(receiver.url).status == 200, "only its beginning is read"


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = send(f"http://127.0.0.1:{port}/")
    assert told.status is None and told.receiver_down and "refused" in told.said


def test_names_are_judged_by_every_address_that_they_have(receiver: Receiver) -> None:
    def evil(*addresses: str) -> Posted:
        return post("https://hooks.example/", b"", {}, timeout_s=1, look_up=lambda *_: addresses)

    for addresses in (("127.0.0.1",), ("10.0.0.8",), ("8.8.8.8", "10.0.0.8"), ("::1",), (),
                      ("169.254.169.254",), ("fe80::1%eth0",), ("::ffff:10.0.0.8",)):  # fmt: skip
        told = evil(*addresses)
        assert told.status is None and told.said.startswith("the URL "), addresses
    assert receiver.got == []


def test_what_was_judged_is_what_is_connected_to(receiver: Receiver) -> None:
    """A name that says something else the second time is asked once only."""
    asked = []
    port = int(receiver.url.split(":")[2].split("/")[0])

    def look_up(host: str, _: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.8"]

    told = post(
        f"https://hooks.example:{port}/", b"{}", {}, timeout_s=2, networks=LOOPBACK,
        look_up=look_up,
    )  # fmt: skip
    assert asked == ["hooks.example"]
    assert told.status is None and told.said.startswith("TLS"), "it is plain http that answered"


def test_a_name_that_does_not_exist_is_told() -> None:
    def look_up(*_: object) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    told = post("https://none.example/", b"", {}, timeout_s=1, look_up=look_up)
    assert told.status is None and "cannot be resolved" in told.said
