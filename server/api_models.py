"""The shapes of the JSON API, with examples: what OpenAPI documents and other systems rely on."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.words import AlertState, DeviceState, Due, Severity, Verdict
from ledger.cards import Colour
from ledger.devices import DeviceKind
from ledger.establishments import EstablishmentKind
from ledger.missing import MissingKind

T = TypeVar("T")
Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(2000, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
]
"""A time that a request may name: with its zone, in years that calendars know."""


class Model(BaseModel):
    """Read from the ledger's rows by their attributes."""

    model_config = ConfigDict(from_attributes=True)


class Page(Model, Generic[T]):
    """A part of a list. The next one is asked for with `before` = `next`, until that is null."""

    items: list[T]
    next: str | None = Field(
        default=None,
        description="Give this as `before` to get the items that follow; null at the end. It is "
        "opaque, and stays good while items are added.",
        examples=["WyJhbGVydHMiLCI5ZjJjNDFkMDdiZThhNjM1Il0"],
    )


class Me(Model):
    """Who is signed in."""

    id: str = Field(examples=["5d0a8c1f2b3e4a67"])
    name: str = Field(examples=["陈志强"])
    role: str = Field(examples=["county"])
    region: str = Field(description="Rights reach it and all below.", examples=["440703"])
    csrf: str = Field(
        description="A session sends it as `X-CSRF-Token` with every change; empty for a token.",
        examples=["k3J…"],
    )
    token: str | None = Field(
        default=None, description="Name of the token that asks; null: a session.", examples=[None]
    )
    scopes: list[str] = Field(
        default=[], description="What the token may.", examples=[["alerts:read", "results:read"]]
    )
    expires_at: datetime = Field(
        description="End of the session or token.", examples=["2026-03-02T14:00:00Z"]
    )


class AlertItem(Model):
    """An alert as it stands. Times are UTC."""

    alert_id: str = Field(examples=["9f2c41d07be8a635"])
    rule: str = Field(examples=["pesticide_positive"])
    rule_version: str = Field(examples=["1"])
    severity: Severity = Field(description="1 at once, 2 by a deadline, 3 guidance.", examples=[1])
    state: AlertState = Field(examples=["firing"])
    title_zh: str = Field(examples=["农药残留快检阳性：空心菜"])
    title_en: str = Field(examples=["Pesticide residue positive: 空心菜"])
    summary_zh: str = Field(examples=["样品 空心菜 抑制率 67.3 %，限值 50 %。快检为初筛。"])
    summary_en: str = Field(examples=["Sample 空心菜: inhibition 67.3 %, limit 50 %."])
    region: str = Field(examples=["440703"])
    site: str = Field(examples=["pj-market-room"])
    device: str = Field(examples=["lz4000t"])
    establishment_id: str | None = Field(examples=["baisha-market"])
    raised_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    changed_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    acknowledged_at: datetime | None = Field(default=None, examples=[None])
    acknowledged_by: str | None = Field(default=None, examples=[None])
    resolved_at: datetime | None = Field(default=None, examples=[None])
    disposed_at: datetime | None = Field(default=None, examples=[None])
    disposed_by: str | None = Field(default=None, examples=[None])
    reviewed_at: datetime | None = Field(default=None, examples=[None])
    reviewed_by: str | None = Field(default=None, examples=[None])
    level: int = Field(description="0 town, 1 county, 2 city.", examples=[0])
    due_at: datetime | None = Field(
        default=None,
        description="Too late from then on for what `due_kind` asks.",
        examples=["2026-03-02T03:12:45Z"],
    )
    due_kind: Due | None = Field(default=None, examples=["acknowledge"])
    paused_since: datetime | None = Field(
        default=None, description="An appeal holds its deadlines up.", examples=[None]
    )
    closed_at: datetime | None = Field(default=None, examples=[None])
    closed_by: str | None = Field(default=None, examples=[None])
    close_note: str = Field(examples=[""])
    count: int = Field(description="How many times it was raised.", examples=[1])
    last_event_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    result_id: str | None = Field(default=None, examples=["0c4e9b1d22aa41f7c9e0"])
    observation_id: str | None = Field(default=None, examples=[None])
    facts: dict[str, Any] = Field(
        description="What the rule saw.",
        examples=[{"item": "农药残留", "value": "67.3", "unit": "%", "verdict": "positive"}],
    )
    evidence: list[str] = Field(description="Ids of pictures.", examples=[[]])


class TimelineItem(Model):
    """One thing that happened to an alert."""

    at: datetime = Field(examples=["2026-03-02T01:20:00Z"])
    kind: str = Field(examples=["acknowledged"])
    actor: str = Field(description="Officer's id; empty if the data did it.", examples=["5d0a8c1f"])
    note: str = Field(examples=[""])


class AlertWithTimeline(AlertItem):
    """An alert and what happened to it."""

    timeline: list[TimelineItem]


class AnswerRequest(BaseModel):
    """What somebody says on an alert."""

    note: str = Field(
        default="",
        max_length=2000,
        description="Empty: only that one has seen it.",
        examples=["已通知维修，食材已转移至备用冷库。"],
    )


class CloseRequest(BaseModel):
    """How an alert was dealt with."""

    note: str = Field(min_length=1, max_length=2000, examples=["已下架并送实验室复检。"])


class EstablishmentItem(Model):
    """An establishment."""

    id: str = Field(examples=["baisha-market"])
    name: str = Field(examples=["白沙农贸市场"])
    kind: EstablishmentKind = Field(examples=["market"])
    region: str = Field(examples=["440703001"])
    address: str = Field(examples=["江门市蓬江区白沙大道西 12 号"])
    credit_code: str | None = Field(default=None, examples=["91440703MA4UXXXX0Q"])
    licence_number: str | None = Field(default=None, examples=["JY14407030012345"])
    officer_id: str | None = Field(
        default=None, description="Responsible officer; null is a finding.", examples=["5d0a8c1f"]
    )
    licence_from: date | None = Field(default=None, examples=["2023-05-01"])
    licence_until: date | None = Field(
        default=None, description="Its last day; null: not known.", examples=["2028-04-30"]
    )
    public_code: str = Field(description="Opens `/p/{public_code}`.", examples=["p4Xk-0sQe2Lm"])
    risk_grade: str = Field(description="A to D; empty: not graded.", examples=["B"])


class DeviceItem(Model):
    """A device and its health. `unknown` is not fine."""

    region: str = Field(examples=["440703001"])
    site: str = Field(examples=["pj-market-room"])
    device: str = Field(examples=["lz4000t"])
    kind: DeviceKind = Field(examples=["pesticide_reader"])
    name: str = Field(examples=["农残速测仪"])
    model: str = Field(examples=["LZ-4000T"])
    state: DeviceState = Field(examples=["online"])
    state_detail: str = Field(examples=[""])
    last_seen_at: datetime | None = Field(examples=["2026-03-02T01:20:00Z"])
    silent_after_s: float | None = Field(examples=[60])
    backlog: int = Field(description="Events not yet receipted.", examples=[0])
    lowest_unreceipted: int | None = Field(examples=[None])
    oldest_unsent_age_s: float = Field(examples=[0])
    clock_offset_s: float | None = Field(examples=[0.2])
    software: str = Field(examples=["0.1.0"])


class MissingItem(Model):
    """Events of one agent that are not here."""

    kind: MissingKind = Field(
        description="`lost`: receipted to the agent, but not in the ledger. `silent`: the agent is "
        "not heard. `waiting`: safe at the site. `thinned`: dropped there, the outbox was full.",
        examples=["waiting"],
    )
    region: str = Field(examples=["440703001"])
    site: str = Field(examples=["pj-market-room"])
    agent: str = Field(examples=["agent"])
    events: int = Field(
        description="How many; of a silent agent, how many waited when last heard.", examples=[412]
    )
    since: datetime | None = Field(
        description="The oldest is from then, or later; null: the agent was never heard.",
        examples=["2026-03-02T01:20:00Z"],
    )
    detail: str = Field(description="What the agent last said.", examples=["no receipts"])
    epoch: str = Field(description="Of the agent's numbering.", examples=["9f2c41d07be8a635"])
    ranges: list[tuple[int, int]] = Field(
        description="Closed ranges of missing numbers, the first twenty.", examples=[[[51, 59]]]
    )


class CardItem(Model):
    """A card of an establishment: what an overdue alert cost it."""

    id: str = Field(examples=["5f0c9e7ab1d24c0f8a55"])
    establishment_id: str = Field(examples=["tangxia-school"])
    alert_id: str = Field(examples=["9c1e2f7d55aa40e2b6f1"])
    colour: Colour = Field(examples=["yellow"])
    at: datetime = Field(examples=["2026-03-02T03:12:44Z"])
    reason: str = Field(examples=["1 类预警逾期未处置：专间未戴口罩 / class 1 alert …"])
    annulled_at: datetime | None = Field(examples=["2026-03-03T01:00:00Z"])
    annul_reason: str = Field(examples=["申诉成立：当时停电"])


class ResultItem(Model):
    """A quick test's result. It screens; a person and a laboratory decide."""

    result_id: str = Field(examples=["0c4e9b1d22aa41f7c9e0"])
    region: str = Field(examples=["440703001"])
    site: str = Field(examples=["pj-market-room"])
    device: str = Field(examples=["lz4000t"])
    establishment_id: str | None = Field(examples=["baisha-market"])
    captured_at: datetime = Field(examples=["2026-03-02T01:12:44Z"])
    measured_at: datetime | None = Field(examples=["2026-03-02T01:12:40Z"])
    received_at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    sample_number: str = Field(examples=["20260302-014"])
    sample_name: str = Field(examples=["空心菜"])
    sample_name_cut: bool = Field(examples=[False])
    stall: str = Field(examples=["A12"])
    lot: str = Field(examples=["0302-1"])
    supplier: str = Field(examples=["杜阮蔬菜合作社"])
    origin: str = Field(examples=["江门 杜阮"])
    item: str = Field(examples=["农药残留"])
    item_code: str = Field(examples=["pesticide_inhibition"])
    value_text: str = Field(description="As the instrument sent it.", examples=["67.30"])
    value_number: float | None = Field(examples=[67.3])
    comparator: str = Field(description="`<` or `>` of a censored value.", examples=[""])
    unit: str = Field(description="UCUM code.", examples=["%"])
    qualitative: str = Field(examples=[""])
    verdict: Verdict = Field(examples=["positive"])
    limit_text: str = Field(examples=["< 50 %"])
    rule: str = Field(examples=["pesticide_inhibition 2003-08-11 [S] GB/T 5009.199"])
    instrument_verdict: str = Field(examples=["阳性"])
    flags: list[str] = Field(examples=[[]])
    record_number: int | None = Field(examples=[118])
    profile_id: str = Field(examples=["dayuan_lz_4000t"])
    profile_version: str = Field(examples=["1"])
    raw_sha256: str = Field(description="SHA-256 of the instrument's bytes.", examples=["9f…"])


class ResultWithBytes(ResultItem):
    """A result with the bytes that it was read from."""

    raw_base64: str = Field(description="The instrument's bytes.", examples=["fhEXAA=="])
