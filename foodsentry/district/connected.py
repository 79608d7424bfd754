"""What the made-up district is connected with: gateways, other systems, what these were told."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from foodsentry.district.lives import Life
from foodsentry.district.places import CITY, People
from ledger import api_tokens, journal, loaded_rules, webhook_deliveries, webhooks
from ledger.api_tokens import ApiToken
from ledger.engine import Connection
from ledger.loaded_rules import Loaded, RuleFile
from ledger.webhook_deliveries import NewDelivery
from ledger.webhooks import Webhook
from server.rule_files import read_packs

TOLD = 14
_TOKENS = (
    ("市一网统管平台", ("alerts:read", "cases:read", "devices:read"), 12, 168, 0),
    ("学校食堂管理系统", ("establishments:read", "results:read"), 40, 140, 3),
    ("应急指挥大屏", ("alerts:read",), 300, 0, None),
)
"""Name, scopes, days since it was made, days until it ends, minutes since its last use."""
_HOOKS = (
    ("市一网统管平台", "https://city.example.com/hooks/food", ("alert.*", "case.*"), "active"),
    ("学校食堂管理系统", "https://school.example.com/events", ("alert.raised",), "paused"),
)


def connect(conn: Connection, people: People, made: Sequence[Life], now: datetime) -> None:
    """Tokens that are used, that end soon and that are over; a webhook that works, one that fails.

    What the webhooks are told is delivered by nobody: there is no such receiver.
    """
    for name, scopes, since, left, used in _TOKENS:
        token = ApiToken(
            token_hash=f"made up {name}", shown=f"fst_{len(name):06d}", name=name, scopes=scopes,
            region=CITY, officer_id=people.city, created_at=now - timedelta(days=since),
            expires_at=now + timedelta(days=left),
            last_used_at=None if used is None else now - timedelta(minutes=used),
        )  # fmt: skip
        api_tokens.add(conn, token)
    position = journal.last_id(conn)
    for name, url, events, state in _HOOKS:
        begun_at = now - timedelta(days=40)
        hook = Webhook(
            name=name, url=url, events=events, region=CITY, secret=f"whsec_{name}",
            officer_id=people.city, created_at=begun_at, changed_at=now, position=position,
            failures=6 if state == "paused" else 0, reason="failing" if state == "paused" else "",
            state="paused" if state == "paused" else "active",
        )  # fmt: skip
        webhooks.add(conn, hook)
        _tell(conn, hook, made)
    _load(conn, now)


def _load(conn: Connection, now: datetime) -> None:
    """Two gateways: one has the rules that the console shows, the other has yet to begin anew."""
    packs = read_packs()
    files = [RuleFile(one.name, one.sha256) for one in packs.files]
    rules = [(one.id, one.version) for one in packs.rules]
    for name, days, known in (("gateway-1", 3, files), ("gateway-2", 21, files[:-1])):
        loaded_rules.put(conn, Loaded(name, now - timedelta(days=days), known, rules))


def _tell(conn: Connection, hook: Webhook, made: Sequence[Life]) -> None:
    """What it was told of the newest alerts: nearly all arrived, one was given up."""
    for number, one in enumerate(made[-TOLD:]):
        data = {"id": one.alert_id, "rule": one.kind.rule, "severity": int(one.kind.severity)}
        told = {"type": "alert.raised", "timestamp": one.raised_at, "data": data}
        key = webhook_deliveries.message_id(hook.id, number)
        new = NewDelivery(key, "alert.raised", one.alert_id, msgspec.json.encode(told))
        at = one.raised_at + timedelta(seconds=2)
        webhook_deliveries.enqueue(conn, hook.id, [new], at)
        if hook.state == "paused" and number > TOLD - 4:
            continue  # it waits until the webhook goes on
        kept = webhook_deliveries.get(conn, hook.id, key)
        assert kept is not None
        dead = number == 3 or hook.state == "paused"
        webhook_deliveries.settle(
            conn, kept, "dead" if dead else "sent", at + timedelta(seconds=1),
            status=503 if dead else 200, answer="Service Unavailable" if dead else "ok",
        )  # fmt: skip
