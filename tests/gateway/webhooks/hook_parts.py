"""A webhook in the small town, a deliverer with a clock to turn, and facts to be told of."""

from datetime import datetime, timedelta
from typing import Any

from gateway_town import CANTEEN, COLD, MARKET, NOON, REGION, market

from contracts.topics import Identity
from contracts.words import Severity
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.webhooks.deliverer import Deliverer
from gateway.webhooks.settings import WebhookSettings
from ledger import alerts, journal, officers, webhook_deliveries, webhooks
from ledger.alerts import NewAlert
from ledger.engine import Engine, reading, writing
from ledger.officers import Officer, Role
from ledger.webhook_deliveries import Delivery
from ledger.webhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
__all__ = ["CANTEEN", "COLD", "MARKET", "NOON", "REGION", "market"]


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def wait(self, **span: float) -> None:
        self.at += timedelta(**span)


def add_hook(engine: Engine, url: str, **more: Any) -> Webhook:
    """A webhook of the city's officer, from now on."""
    with writing(engine) as conn:
        if officers.get(conn, "city") is None:
            city = Officer(login="city", name="市局", role=Role.CITY, region=REGION, id="city")
            officers.add(conn, city)
        told: dict[str, Any] = {
            "name": "市平台", "url": url, "events": ("alert.*", "device.*"), "region": REGION,
            "secret": SECRET, "officer_id": "city", "created_at": NOON, "changed_at": NOON,
            "position": journal.last_id(conn),
        }  # fmt: skip
        hook = Webhook(**(told | more))
        webhooks.add(conn, hook)
    return hook


def raise_alert(engine: Engine, key: str, who: Identity = COLD, at: datetime = NOON) -> str:
    new = NewAlert(
        fingerprint=key, rule="cold_store_warm", rule_version="1", severity=Severity.DEADLINE,
        title_zh=f"冷库 {key}", title_en=f"Cold {key}", summary_zh="", summary_en="", who=who,
        raised_at=at, facts={"value": 9.1},
    )  # fmt: skip
    with writing(engine) as conn:
        return alerts.raise_alert(conn, new)[0]


def resolve(engine: Engine, key: str, at: datetime = NOON) -> None:
    with writing(engine) as conn:
        assert alerts.resolve(conn, key, at)


def deliverer(engine: Engine, clock: Clock, name: str = "g1", **more: Any) -> Deliverer:
    settings: dict[str, Any] = {"allow_networks": ["127.0.0.0/8"], "timeout_s": 3.0}
    settings |= more.pop("settings", {})
    return Deliverer(
        engine, WebhookSettings(**settings), name=name, group="g", metrics=Metrics(),
        health=Health(), clock=clock, jitter=lambda: 0.5, **more,
    )  # fmt: skip


def turn(one: Deliverer, looks: int = 3) -> None:
    """Look a few times, each time until all is posted."""
    for _ in range(looks):
        one.look_once()
        one.settled()


def deliveries(engine: Engine, hook: Webhook) -> list[Delivery]:
    with reading(engine) as conn:
        return webhook_deliveries.list_of(conn, hook.id, 200)


def hook_now(engine: Engine, hook: Webhook) -> Webhook:
    with reading(engine) as conn:
        found = webhooks.get(conn, hook.id)
    assert found is not None
    return found
