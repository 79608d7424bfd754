"""The API's shapes of telling people and of what it was worth: verdicts, scorecards, silences."""

from datetime import datetime

from pydantic import BaseModel, Field

from contracts.words import AlertVerdict, Severity
from ledger.notifications import Kind, State
from server.api_models import Model


class NoteRequest(BaseModel):
    """What is to be said with a move."""

    note: str = Field(min_length=1, max_length=2000, examples=["已现场整改并复测合格。"])


class ReviewRequest(NoteRequest):
    """What a review came to."""

    accepted: bool = Field(description="False: it is returned.", examples=[True])


class VerdictRequest(BaseModel):
    """What an officer says of an alert."""

    verdict: AlertVerdict = Field(examples=["false"])
    cause: str = Field(
        default="", max_length=32, description="Needed if it was wrong.", examples=["cat"]
    )
    note: str = Field(default="", max_length=500, examples=[""])


class VerdictItem(Model):
    """A verdict on an alert."""

    alert_id: str = Field(examples=["9f2c41d07be8a635"])
    officer_id: str = Field(examples=["5d0a8c1f2b3e4a67"])
    verdict: AlertVerdict = Field(examples=["false"])
    cause: str = Field(description="Id in the list of causes.", examples=["cat"])
    counts: bool = Field(description="False: no false alarm of its rule.", examples=[True])
    note: str = Field(examples=[""])
    at: datetime = Field(examples=["2026-03-02T02:00:00Z"])
    superseded_at: datetime | None = Field(description="Null: it stands.", examples=[None])


class NotificationItem(Model):
    """A message to one recipient or on one route."""

    id: int = Field(examples=[5120])
    kind: Kind = Field(examples=["alert"])
    state: State = Field(examples=["sent"])
    severity: Severity = Field(examples=[2])
    recipient: str = Field(description="Officer id; empty: a route.", examples=["5d0a8c1f"])
    route: str = Field(examples=[""])
    channel: str = Field(description="By which it went.", examples=["wecom"])
    title_zh: str = Field(examples=["冷库温度超限：冷藏库 1"])
    title_en: str = Field(examples=["Cold store too warm: 冷藏库 1"])
    alert_ids: list[str] = Field(examples=[["9f2c41d07be8a635"]])
    reason: str = Field(description="Why it is held, cancelled or failed.", examples=[""])
    attempts: int = Field(examples=[1])
    created_at: datetime = Field(examples=["2026-03-02T01:12:46Z"])
    due_at: datetime = Field(examples=["2026-03-02T01:12:46Z"])
    sent_at: datetime | None = Field(examples=["2026-03-02T01:12:47Z"])
