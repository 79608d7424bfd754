"""The API's shapes of webhooks and their deliveries, with examples."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from contracts.hook_url import URL_MOST
from ledger.webhook_deliveries import State as DeliveryState
from ledger.webhooks import Reason, State
from server.api_models import Model

Event = Literal[
    "alert.raised",
    "alert.changed",
    "alert.closed",
    "alert.*",
    "case.*",
    "device.*",
    "result.*",
]


class WebhookRequest(BaseModel):
    """Where to, and what it is to be told."""

    name: str = Field(min_length=1, max_length=64, examples=["市一网统管平台"])
    url: str = Field(
        max_length=URL_MOST,
        description="https; its host leads to public addresses, unless the settings allow others.",
        examples=["https://hooks.city.example/foodsentry"],
    )
    events: list[Event] = Field(min_length=1, max_length=16, examples=[["alert.*", "case.*"]])
    region: str = Field(
        default="", max_length=64, description="It and all below; empty: your own.",
        examples=["440703"],
    )  # fmt: skip


class WebhookItem(Model):
    """A webhook as it stands."""

    id: str = Field(examples=["9f2c41d07be8a635"])
    name: str = Field(examples=["市一网统管平台"])
    url: str = Field(examples=["https://hooks.city.example/foodsentry"])
    events: list[Event] = Field(examples=[["alert.*", "case.*"]])
    region: str = Field(examples=["440703"])
    state: State = Field(examples=["active"])
    reason: Reason = Field(
        description="Why it is paused: `by hand`, `failing` (nothing arrived for days), `gone` "
        "(410 was answered), `maker` (whoever made it may make none any more).",
        examples=[""],
    )
    created_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    changed_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    failures: int = Field(description="Tries in a row that failed.", examples=[0])
    next_at: datetime | None = Field(
        description="Nothing is tried before; null: at once.", examples=[None]
    )
    old_secret_until: datetime | None = Field(
        description="Until then messages carry a signature by the secret before, too.",
        examples=[None],
    )


class WebhookMade(WebhookItem):
    """A new webhook with its secret, which is told this once."""

    secret: str = Field(
        description="`whsec_` and the key in base64; messages are signed with it.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )


class RotateRequest(BaseModel):
    """How long the old secret goes on to sign beside the new one."""

    overlap_hours: int = Field(
        default=24, ge=0, le=168, description="0: it ends at once.", examples=[24]
    )


class DeliveryItem(Model):
    """A message to a webhook."""

    id: int = Field(examples=[5120])
    message_id: str = Field(
        description="The `webhook-id` header: the same for every repetition.",
        examples=["msg_0c4e9b1d22aa41f7c9e05d0a"],
    )
    event: str = Field(examples=["alert.raised"])
    ref: str = Field(description="What it is about.", examples=["9f2c41d07be8a635"])
    state: DeliveryState = Field(description="`dead`: given up after days.", examples=["sent"])
    tries: int = Field(examples=[1])
    created_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    last_try_at: datetime | None = Field(examples=["2026-03-02T01:12:46Z"])
    next_at: datetime | None = Field(examples=[None])
    status: int | None = Field(description="What was answered last.", examples=[200])
    answer: str = Field(description="Why it failed, or the answer's beginning.", examples=["ok"])
    body: str = Field(
        description="What is sent.",
        examples=['{"type":"alert.raised","timestamp":"2026-03-02T01:12:45Z","data":{}}'],
    )
