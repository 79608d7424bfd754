"""Webhooks as officers and other systems keep them: made, tested, paused, told anew, removed.

Nothing is sent from here: a gateway delivers, and never more than the maker may see.
"""

import base64
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

import msgspec

from contracts.hook_url import BadTarget, parse_hook_url
from ledger import audit, journal, webhook_deliveries, webhooks
from ledger.engine import Connection
from ledger.hook_events import FAMILIES, PATTERNS, TEST
from ledger.webhook_deliveries import Delivery, NewDelivery
from ledger.webhooks import Webhook
from server.problems import Problem, not_found
from server.scopes import allows
from server.signing import Visit
from server.state import State

NAME_MOST = 64
OVERLAP_MOST_H = 168
OVERLAP_MOST = timedelta(hours=OVERLAP_MOST_H)
"""How long at most an old secret signs on beside the new one."""
SECRET_BYTES = 32


class HookWish(msgspec.Struct, frozen=True):
    """What is asked for."""

    name: str
    url: str
    events: tuple[str, ...]
    region: str


class HookRefused(ValueError):
    """Why such a webhook cannot be; `kind` is the field that is wrong."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(said)
        self.kind = kind


def make(conn: Connection, state: State, visit: Visit, wish: HookWish) -> Webhook:
    """Add one and audit it; from now on it is told. Its secret is in it. Raises HookRefused."""
    now = state.clock()
    name, url = " ".join(wish.name.split()), wish.url.strip()
    if not 0 < len(name) <= NAME_MOST:
        raise HookRefused("name", f"a webhook needs a name of at most {NAME_MOST} characters")
    try:
        parse_hook_url(url, state.settings.api.allow_networks)
    except BadTarget as error:
        raise HookRefused("url", f"the URL {error}") from None
    unknown = sorted(set(wish.events) - set(PATTERNS))
    if unknown or not wish.events:
        raise HookRefused("events", f"no event {', '.join(unknown)}" if unknown else "no event")
    _check_scopes(visit, wish.events)
    region = wish.region or visit.officer.region
    if region not in visit.scope.regions:
        raise HookRefused("region", "no such region")
    new = Webhook(
        name=name,
        url=url,
        events=tuple(sorted(set(wish.events))),
        region=region,
        secret=new_secret(),
        officer_id=visit.officer.id,
        created_at=now,
        changed_at=now,
        position=journal.last_id(conn),
    )
    webhooks.add(conn, new)
    detail = {"name": name, "url": url, "events": list(new.events), "region": region}
    audit.append(conn, visit.actor, "webhook_made", f"webhook/{new.id}", detail, now)
    return new


def new_secret() -> str:
    """A key to sign messages with."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def rotate(
    conn: Connection, visit: Visit, webhook_id: str, overlap: timedelta, now: datetime
) -> Webhook:
    """Give it another secret, which is in what is returned; the old one signs on for `overlap`.

    Raises Problem (404, 422).
    """
    hook = visible_hook(conn, visit, webhook_id)
    if not timedelta(0) <= overlap <= OVERLAP_MOST:
        raise Problem(422, "invalid-request", f"overlap_hours: 0 to {OVERLAP_MOST_H}")
    secret = new_secret()
    webhooks.rotate(conn, hook.id, secret, now + overlap, now)
    detail = {"name": hook.name, "old_until": (now + overlap).isoformat()}
    audit.append(conn, visit.actor, "webhook_secret_rotated", f"webhook/{hook.id}", detail, now)
    return visible_hook(conn, visit, webhook_id)


def _check_scopes(visit: Visit, events: Collection[str]) -> None:
    """A token subscribes to nothing that it could not read."""
    if visit.token is None:
        return
    for event in events:
        scope = FAMILIES[event.partition(".")[0]]
        if not allows(visit.token.scopes, scope):
            raise HookRefused("events", f"{event}: the token has not the scope {scope}")


def visible_hook(conn: Connection, visit: Visit, webhook_id: str) -> Webhook:
    """The webhook, if it is over one of the officer's regions. Raises Problem (404)."""
    found = webhooks.get(conn, webhook_id)
    if found is None or found.region not in visit.scope.regions:
        raise not_found("webhook")
    return found


def visible_delivery(conn: Connection, visit: Visit, webhook_id: str, message_id: str) -> Delivery:
    """A message of such a webhook. Raises Problem (404)."""
    hook = visible_hook(conn, visit, webhook_id)
    found = webhook_deliveries.get(conn, hook.id, message_id)
    if found is None:
        raise not_found("message")
    return found


def test(conn: Connection, visit: Visit, webhook_id: str, now: datetime) -> None:
    """Have a message sent that is about nothing. Raises Problem (404, 409)."""
    hook = visible_hook(conn, visit, webhook_id)
    if hook.state != "active":
        raise Problem(409, "webhook-state", "the webhook is paused; let it go on first")
    key = f"test-{secrets.token_hex(8)}"
    told = {"type": TEST, "timestamp": now, "data": {"id": key, "webhook": hook.id}}
    new = NewDelivery(f"msg_{key}", TEST, key, msgspec.json.encode(told))
    webhook_deliveries.enqueue(conn, hook.id, [new], now)
    webhooks.note_try(conn, hook.id, failures=hook.failures, next_at=None)
    _note(conn, visit, "webhook_tested", hook, now)


def pause(conn: Connection, visit: Visit, webhook_id: str, now: datetime) -> Webhook:
    """Tell it nothing for now. Raises Problem (404, 409)."""
    hook = visible_hook(conn, visit, webhook_id)
    if not webhooks.pause(conn, hook.id, "by hand", now):
        raise Problem(409, "webhook-state", "the webhook is paused already")
    _note(conn, visit, "webhook_paused", hook, now)
    return visible_hook(conn, visit, webhook_id)


def resume(conn: Connection, visit: Visit, webhook_id: str, now: datetime) -> Webhook:
    """Go on where it stood: what happened meanwhile is told. Raises Problem (404)."""
    hook = visible_hook(conn, visit, webhook_id)
    if webhooks.resume(conn, hook.id, now):
        _note(conn, visit, "webhook_resumed", hook, now)
    return visible_hook(conn, visit, webhook_id)


def remove(conn: Connection, visit: Visit, webhook_id: str, now: datetime) -> Webhook:
    """Tell it nothing any more; returns it as it was. Raises Problem (404)."""
    hook = visible_hook(conn, visit, webhook_id)
    webhooks.remove(conn, hook.id, now)
    _note(conn, visit, "webhook_removed", hook, now)
    return hook


def redeliver(
    conn: Connection, visit: Visit, webhook_id: str, message_id: str, now: datetime
) -> Delivery:
    """Send a message once more, under its old id. Raises Problem (404, 409)."""
    one = visible_delivery(conn, visit, webhook_id, message_id)
    if one.state == "waiting":
        raise Problem(409, "webhook-state", "the message waits to be sent already")
    webhook_deliveries.again(conn, one)
    detail = {"message": one.message_id}
    audit.append(conn, visit.actor, "webhook_redelivered", f"webhook/{webhook_id}", detail, now)
    return visible_delivery(conn, visit, webhook_id, message_id)


def _note(conn: Connection, visit: Visit, action: str, hook: Webhook, at: datetime) -> None:
    audit.append(conn, visit.actor, action, f"webhook/{hook.id}", {"name": hook.name}, at)
