"""Browsers that take web push (RFC 8030): an officer's subscriptions, and our key that they trust.

A subscription is known by its endpoint: the same browser, subscribed again or by another officer,
replaces it. The gateway keeps our public key here, for the console to hand to browsers.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import Connection, delete, select, update

from ledger import rule_state
from ledger.schema import push_subscriptions
from ledger.sql import among, insert_into, plain, typed

_SERVER_KEY = ("webpush", "server_key")
ENDPOINT_MOST = 2048
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+\Z")


class PushSubscription(msgspec.Struct, frozen=True, kw_only=True):
    """One browser of one officer."""

    officer_id: str
    endpoint: str
    """Where its push service takes messages for it: a capability, not to be shown."""
    p256dh: str
    """The browser's public key, as its PushSubscription gives it (base64url)."""
    auth: str
    """The shared secret that goes with it (base64url)."""
    created_at: datetime
    server_key: str = ""
    """Our public key that the browser subscribed with (base64url)."""
    browser: str = ""
    """What tells an officer which one it is: "Chrome, Android"."""
    used_at: datetime | None = None
    """When its push service last took a message."""
    failed_at: datetime | None = None
    failure: str = ""
    id: str = ""
    """Follows from the endpoint; `add` fills it in."""


def subscription_id(endpoint: str) -> str:
    """The id of the subscription with that endpoint."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:32]


def check(new: PushSubscription) -> None:
    """Raises ValueError that says what is wrong with a browser's subscription."""
    try:
        parts = urlsplit(new.endpoint)
    except ValueError as error:
        raise ValueError(f"endpoint: {error}") from None
    if parts.scheme != "https" or not parts.hostname or parts.username is not None:
        raise ValueError("endpoint: is not an https address")
    if len(new.endpoint) > ENDPOINT_MOST:
        raise ValueError(f"endpoint: is longer than {ENDPOINT_MOST} characters")
    for name, text, size in (("p256dh", new.p256dh, 65), ("auth", new.auth, 16)):
        if len(_bytes(name, text)) != size:
            raise ValueError(f"keys.{name}: is not of {size} bytes")


def add(conn: Connection, new: PushSubscription) -> str:
    """Add it or take its place; returns its id. Raises ValueError (see `check`)."""
    check(new)
    row = plain(new) | {"id": subscription_id(new.endpoint)}
    added = insert_into(conn, push_subscriptions).values(row)
    conn.execute(added.on_conflict_do_update(index_elements=["id"], set_=row))
    return str(row["id"])


def of_officer(conn: Connection, officer_id: str) -> Sequence[PushSubscription]:
    """An officer's browsers, the newest first."""
    found = select(push_subscriptions).where(push_subscriptions.c.officer_id == officer_id)
    rows = conn.execute(
        found.order_by(push_subscriptions.c.created_at.desc(), push_subscriptions.c.id)
    )
    return [typed(row, PushSubscription) for row in rows]


_OFFICERS = (
    select(push_subscriptions.c.officer_id)
    .where(among(push_subscriptions.c.officer_id, "officers"))
    .distinct()
)


def officers_with_any(conn: Connection, officer_ids: Collection[str]) -> set[str]:
    """Those of these officers who have a browser that takes web push."""
    return set(conn.scalars(_OFFICERS, {"officers": officer_ids}))


def remove(conn: Connection, subscription_id: str, officer_id: str | None = None) -> bool:
    """Forget it (if it is `officer_id`'s); False if there is none such."""
    gone = delete(push_subscriptions).where(push_subscriptions.c.id == subscription_id)
    if officer_id is not None:
        gone = gone.where(push_subscriptions.c.officer_id == officer_id)
    return conn.execute(gone).rowcount > 0


def note(conn: Connection, subscription_id: str, at: datetime, failure: str = "") -> None:
    """Its push service took a message, or refused it for `failure`."""
    told = (
        {"failed_at": at, "failure": failure[:512]}
        if failure
        else {"used_at": at, "failed_at": None, "failure": ""}
    )
    changed = update(push_subscriptions).where(push_subscriptions.c.id == subscription_id)
    conn.execute(changed.values(told))


def keep_server_key(conn: Connection, public_key: str, at: datetime) -> None:
    """Our public key (base64url), which browsers subscribe with from now on."""
    rule_state.put(conn, {_SERVER_KEY: {"public_key": public_key}}, at)


def server_key(conn: Connection) -> str:
    """Our public key (base64url); empty while no gateway offers web push."""
    return str(rule_state.get(conn, [_SERVER_KEY], lock=False)[_SERVER_KEY].get("public_key", ""))


def _bytes(name: str, text: str) -> bytes:
    if not _BASE64URL.match(text) or len(text) % 4 == 1:
        raise ValueError(f"keys.{name}: is not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
