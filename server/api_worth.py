"""The API's shapes of telling people and of what it was worth: verdicts, scorecards, silences."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from contracts.words import AlertVerdict, Severity
from ledger.notifications import Kind, State
from ledger.proposals import ProposalKind, ProposalState
from ledger.silences import Kind as SilenceKind
from server.api_models import Model, Moment


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


class PrecisionItem(Model):
    """The share of right alerts among right and wrong ones."""

    share: float = Field(examples=[0.2])
    low: float = Field(description="Wilson's 95 % interval.", examples=[0.036])
    high: float = Field(examples=[0.624])


class ScorecardItem(Model):
    """What the alerts of a rule were worth, at a site, by a model."""

    rule: str = Field(examples=["no_hat"])
    site: str = Field(description="Empty: all of them.", examples=["tangxia-kitchen"])
    model: str = Field(description="Names and versions; empty: none.", examples=["hygiene 1"])
    severity: Severity = Field(examples=[3])
    raised: int = Field(examples=[12])
    judged: int = Field(examples=[6])
    true: int = Field(examples=[1])
    false: int = Field(examples=[4])
    unsure: int = Field(examples=[0])
    left_out: int = Field(description="Exercises: no false alarms.", examples=[1])
    causes: dict[str, int] = Field(description="False ones by cause.", examples=[{"cat": 4}])
    precision: PrecisionItem | None = Field(description="Null: nothing was judged.")
    camera_days: float | None = Field(examples=[30.0])
    false_per_camera_day: float | None = Field(examples=[0.13])
    acknowledge_median_s: float | None = Field(examples=[240.0])


class ProposalItem(Model):
    """A proposal that follows from verdicts. It does nothing until somebody accepts it."""

    id: str = Field(examples=["9f2c41d07be8a635"])
    kind: ProposalKind = Field(examples=["silence"])
    state: ProposalState = Field(examples=["open"])
    rule: str = Field(examples=["no_hat"])
    region: str = Field(examples=["440703-tangxia"])
    site: str = Field(examples=["tangxia-kitchen"])
    device: str = Field(examples=["cam-1"])
    zone: str = Field(examples=[""])
    figures: dict[str, Any] = Field(examples=[{"true": 0, "false": 6, "window_days": 30}])
    proposed_at: datetime = Field(examples=["2026-03-02T02:00:00Z"])
    decided_at: datetime | None = Field(examples=[None])
    decided_by: str | None = Field(examples=[None])
    until: datetime | None = Field(examples=[None])
    note: str = Field(examples=[""])


class AcceptRequest(BaseModel):
    """For how long."""

    days: int = Field(ge=1, le=30, examples=[14])
    note: str = Field(default="", max_length=500, examples=[""])


class DeclineRequest(BaseModel):
    """Why not."""

    note: str = Field(default="", max_length=500, examples=["摄像头已调整。"])


class SilenceRequest(BaseModel):
    """Which alerts nobody is to be told of, for how long, and why."""

    kind: SilenceKind = Field(default="silence", examples=["silence"])
    region: str = Field(default="", max_length=64, examples=["440703-tangxia"])
    site: str = Field(default="", max_length=64, examples=["tangxia-kitchen"])
    device: str = Field(default="", max_length=64, examples=[""])
    zone: str = Field(default="", max_length=128, examples=[""])
    rule: str = Field(default="", max_length=128, examples=["cold_store_warm"])
    severity: list[Severity] = Field(default=[], max_length=3, examples=[[2]])
    includes_class_1: bool = Field(default=False, examples=[False])
    starts_at: Moment | None = Field(default=None, description="Null: now.", examples=[None])
    ends_at: Moment = Field(examples=["2026-03-02T10:00:00Z"])
    reason: str = Field(min_length=1, max_length=500, examples=["冷库除霜检修"])


class SilenceItem(Model):
    """A silence or maintenance window."""

    id: str = Field(examples=["9f2c41d07be8a635"])
    kind: SilenceKind = Field(examples=["silence"])
    region: str = Field(examples=["440703-tangxia"])
    site: str = Field(examples=["tangxia-kitchen"])
    device: str = Field(examples=[""])
    zone: str = Field(examples=[""])
    rule: str = Field(examples=["cold_store_warm"])
    severity: list[Severity] = Field(examples=[[2]])
    includes_class_1: bool = Field(examples=[False])
    starts_at: datetime = Field(examples=["2026-03-02T02:00:00Z"])
    ends_at: datetime = Field(examples=["2026-03-02T10:00:00Z"])
    reason: str = Field(examples=["冷库除霜检修"])
    author: str = Field(examples=["5d0a8c1f2b3e4a67"])


class PreviewItem(Model):
    """What such a silence would have hidden of the last thirty days."""

    days: int = Field(examples=[30])
    hidden: int = Field(examples=[12])
    true: int = Field(description="Right ones among them.", examples=[1])
    false: int = Field(examples=[6])
    unjudged: int = Field(examples=[5])
    passing: int = Field(description="Of class 1: told all the same.", examples=[0])
    alert_ids: list[str] = Field(description="The right ones first.", examples=[["9f2c41d0"]])


class PushRequest(BaseModel):
    """A browser's PushSubscription."""

    endpoint: str = Field(max_length=2048, examples=["https://push.example/abc"])
    keys: dict[str, str] = Field(examples=[{"p256dh": "BPq…", "auth": "k3J…"}])
    browser: str = Field(default="", max_length=80, examples=["Chrome, Android"])


class PushItem(Model):
    """A browser that takes web push."""

    id: str = Field(examples=["9f2c41d07be8a6359f2c41d07be8a635"])
    browser: str = Field(examples=["Chrome, Android"])
    created_at: datetime = Field(examples=["2026-03-02T02:00:00Z"])
    failed_at: datetime | None = Field(examples=[None])


class WeekItem(Model):
    """How long alerts of a week took, in seconds."""

    week: datetime = Field(
        description="Its Monday in China.", examples=["2026-03-02T00:00:00+08:00"]
    )
    notify_median_s: float | None = Field(examples=[1.2])
    notify_p90_s: float | None = Field(examples=[34.0])
    acknowledge_median_s: float | None = Field(examples=[240.0])
    acknowledge_p90_s: float | None = Field(examples=[3600.0])
    dispose_median_s: float | None = Field(examples=[7200.0])
    dispose_p90_s: float | None = Field(examples=[86400.0])
    alerts: int = Field(examples=[12])
