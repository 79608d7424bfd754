"""Browsers that take web push: kept by endpoint, checked, noted, forgotten."""

import base64

import msgspec
import pytest
from ledger_town import AT, OFFICER, after

from ledger import push_subscriptions
from ledger.engine import Engine, reading, writing
from ledger.push_subscriptions import PushSubscription

POINT = base64.urlsafe_b64encode(b"\x04" + bytes(64)).decode().rstrip("=")
AUTH = base64.urlsafe_b64encode(bytes(16)).decode().rstrip("=")


def browser(endpoint: str = "https://push.example/abc", **changes: object) -> PushSubscription:
    told = {"officer_id": OFFICER, "p256dh": POINT, "auth": AUTH, "created_at": AT}
    return PushSubscription(endpoint=endpoint, **(told | changes))  # type: ignore[arg-type]


def test_an_endpoint_is_kept_once_and_forgotten_by_its_owner_alone(town: Engine) -> None:
    with writing(town) as conn:
        first = push_subscriptions.add(conn, browser())
        again = push_subscriptions.add(conn, browser(created_at=after(9), browser="Chrome"))
        other = push_subscriptions.add(conn, browser("https://push.example/other"))
    assert first == again != other
    with reading(town) as conn:
        found = push_subscriptions.of_officer(conn, OFFICER)
    assert [(one.id, one.browser) for one in found] == [(first, "Chrome"), (other, "")]
    with writing(town) as conn:
        assert not push_subscriptions.remove(conn, first, "somebody-else")
        assert push_subscriptions.remove(conn, first, OFFICER)
        assert not push_subscriptions.remove(conn, first)
        assert [one.id for one in push_subscriptions.of_officer(conn, OFFICER)] == [other]


def test_what_its_push_service_said_is_noted(town: Engine) -> None:
    with writing(town) as conn:
        one = push_subscriptions.add(conn, browser())
        push_subscriptions.note(conn, one, after(1), "403 wrong key")
        (failed,) = push_subscriptions.of_officer(conn, OFFICER)
        push_subscriptions.note(conn, one, after(2))
        (well,) = push_subscriptions.of_officer(conn, OFFICER)
    assert (failed.failed_at, failed.failure, failed.used_at) == (after(1), "403 wrong key", None)
    assert (well.failed_at, well.failure, well.used_at) == (None, "", after(2))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"endpoint": "http://push.example/abc"}, "endpoint"),
        ({"endpoint": "https://user@push.example/abc"}, "endpoint"),
        ({"endpoint": "https://[push.example/abc"}, "endpoint"),
        ({"endpoint": "https://push.example/" + "a" * 2048}, "endpoint"),
        ({"p256dh": POINT[:-4]}, "keys.p256dh"),
        ({"p256dh": "+/" + POINT[2:]}, "keys.p256dh"),
        ({"auth": "ä"}, "keys.auth"),
    ],
)
def test_what_no_browser_gives_is_refused(changes: dict[str, str], key: str) -> None:
    push_subscriptions.check(browser())
    with pytest.raises(ValueError, match=f"^{key}:"):
        push_subscriptions.check(msgspec.structs.replace(browser(), **changes))


def test_our_public_key_is_told_to_the_console(town: Engine) -> None:
    with writing(town) as conn:
        assert push_subscriptions.server_key(conn) == ""
        push_subscriptions.keep_server_key(conn, "BKey", AT)
    with reading(town) as conn:
        assert push_subscriptions.server_key(conn) == "BKey"
