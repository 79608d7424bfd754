"""The API's shapes of cases: the case, its clocks, steps and moves, files, confirmations."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from contracts.casework import CaseKind, CaseVerdict, Finding, Method
from contracts.casework_clocks import ClockState
from ledger.attachments import Kind
from server.api_models import Model

_AT = "2026-03-02T01:12:45Z"


class CaseItem(Model):
    """A case as it stands. Times are UTC."""

    case_id: str = Field(examples=["4be1c09a7d2f5e83"])
    case_number: str = Field(examples=["440703-2026-0001"])
    kind: CaseKind = Field(examples=["produce_test"])
    state: str = Field(description="Id of the state.", examples=["disposing"])
    finding: Finding = Field(examples=["suspect"])
    outcome: str = Field(description="Empty until it is closed.", examples=[""])
    severity: int | None = Field(description="Class of the alert.", examples=[1])
    title_zh: str = Field(examples=["农药残留快检阳性：空心菜"])
    title_en: str = Field(examples=["Pesticide residue positive: 空心菜"])
    region: str = Field(examples=["440703-baisha"])
    site: str = Field(examples=["baisha-room"])
    establishment_id: str | None = Field(examples=["baisha-market"])
    opened_at: datetime = Field(examples=[_AT])
    opened_by: str = Field(description="Officer id.", examples=["5d0a8c1f2b3e4a67"])
    known_at: datetime = Field(description="When the city came to know.", examples=[_AT])
    changed_at: datetime = Field(examples=[_AT])
    version: int = Field(description="Say it with a move: it must not have changed.", examples=[4])
    assignee: str = Field(description="Officer id; empty: nobody yet.", examples=[""])
    paused_since: datetime | None = Field(description="Held up by an appeal.", examples=[None])
    due_at: datetime | None = Field(
        description="The last moment in time for what is owed next.", examples=[_AT]
    )
    due_clock: str = Field(description="Id of the clock that is due then.", examples=["disposal"])
    reopened: int = Field(description="How often it was brought back from its end.", examples=[0])


class CaseBasis(Model):
    """A legal basis."""

    id: str = Field(examples=["food_law_88_quick"])
    zh: str = Field(examples=["食品安全法第八十八条（快速检测异议）"])
    en: str = Field(examples=["Food Safety Law, art. 88 (quick tests)"])
    mark: Literal["V", "S", "U"] = Field(
        description="V: read in a primary text; S: in a secondary one; U: unverified, or a choice.",
        examples=["V"],
    )
    source: str = Field(
        description="Where it was read, and what it says.",
        examples=["Retest asked for within 4 hours of receiving the result"],
    )


class CaseClock(Model):
    """A clock of a case."""

    id: str = Field(examples=["objection"])
    zh: str = Field(examples=["快检异议"])
    en: str = Field(examples=["Objection to the quick test"])
    role: str = Field(description="duty, right or expiry.", examples=["right"])
    state: ClockState = Field(examples=["running"])
    started_at: datetime = Field(examples=[_AT])
    due_at: datetime | None = Field(description="Null: held up or unknown.", examples=[_AT])
    ended_at: datetime | None = Field(examples=[None])
    basis: list[CaseBasis]


class CaseReason(Model):
    """Why a step cannot be made."""

    code: str = Field(examples=["state"])
    zh: str = Field(examples=["处置单现为“线索待核”，不能进行此步骤"])
    en: str = Field(examples=["the case is “lead”; this step is not made from there"])


class CaseOffer(Model):
    """A step of the case for the signed-in officer."""

    id: str = Field(examples=["verify"])
    zh: str = Field(examples=["核查成案"])
    en: str = Field(examples=["Verify the lead"])
    possible: bool = Field(examples=[True])
    needs: list[str] = Field(examples=[["note", "second"]])
    why: list[CaseReason] = Field(description="Why it is not possible now.", examples=[[]])


class CaseFileItem(Model):
    """A file of a case."""

    id: str = Field(examples=["77c1e0a94b3d2f16"])
    case_id: str = Field(examples=["4be1c09a7d2f5e83"])
    kind: Kind = Field(examples=["photo"])
    sha256: str = Field(examples=["9f" * 32])
    name: str = Field(examples=["现场照片.jpg"])
    media_type: str = Field(examples=["image/jpeg"])
    size: int = Field(description="Bytes.", examples=[48213])
    added_by: str = Field(description="Officer id.", examples=["5d0a8c1f2b3e4a67"])
    added_at: datetime = Field(examples=[_AT])


class CaseStep(Model):
    """Something that happened in a case; never changed."""

    seq: int = Field(examples=[2])
    move: str = Field(description="Id of the move; `opened`: the first.", examples=["verify"])
    at: datetime = Field(description="When it was recorded.", examples=[_AT])
    counts_at: datetime = Field(description="When it happened.", examples=[_AT])
    actor: str = Field(description="Officer id; empty: a clock.", examples=["5d0a8c1f"])
    second: str = Field(description="Officer id of the second one.", examples=[""])
    state: str = Field(description="The case's state after it.", examples=["filed"])
    finding: Finding = Field(examples=["suspect"])
    note: str = Field(examples=["现场核实，情况属实。"])
    files: list[str] = Field(description="Ids of files.", examples=[["77c1e0a94b3d2f16"]])


class ConfirmationItem(Model):
    """A step that waits for its second officer."""

    id: str = Field(examples=["c0a1b2c3d4e5f607"])
    case_id: str = Field(examples=["4be1c09a7d2f5e83"])
    move: str = Field(examples=["verify"])
    version: int = Field(description="Of the case when it was asked.", examples=[1])
    asked_by: str = Field(description="Officer id.", examples=["5d0a8c1f2b3e4a67"])
    second: str = Field(description="Officer id.", examples=["6e1b9d203c4f5b78"])
    asked_at: datetime = Field(examples=[_AT])


class CaseWhole(CaseItem):
    """A case with all that belongs to it."""

    clocks: list[CaseClock]
    moves: list[CaseOffer] = Field(description="Every step of this kind of case.")
    steps: list[CaseStep]
    files: list[CaseFileItem]
    confirmations: list[ConfirmationItem] = Field(description="What waits, oldest first.")
    alerts: list[str] = Field(description="Ids of its alerts.", examples=[["9f2c41d07be8a635"]])
    results: list[str] = Field(description="Ids of its results.", examples=[[]])


class CaseMoved(Model):
    """A case after a move, or what now waits for the second officer."""

    case: CaseItem
    waiting: ConfirmationItem | None = Field(
        default=None, description="Made once the second officer confirms.", examples=[None]
    )


class OpenRequest(BaseModel):
    """What a case is opened from: one alert or one result."""

    alert_id: str = Field(default="", max_length=64, examples=["9f2c41d07be8a635"])
    result_id: str = Field(default="", max_length=64, examples=[""])
    kind: CaseKind | None = Field(
        default=None, description="Null: as what it rests on says.", examples=["produce_test"]
    )
    note: str = Field(default="", max_length=2000, examples=[""])


class MoveRequest(BaseModel):
    """What is given with a move; leave out what it does not take."""

    version: int = Field(ge=1, le=999_999_999, description="As it was seen.", examples=[1])
    key: str = Field(
        default="", max_length=64, description="Sent again with it, nothing changes.", examples=[""]
    )
    note: str = Field(default="", max_length=2000, examples=["现场核实，情况属实。"])
    files: list[str] = Field(
        default=[], max_length=50, description="Ids of files of this case.", examples=[[]]
    )
    second: str = Field(
        default="", max_length=64, description="Officer id: asked to confirm.", examples=[""]
    )
    happened_at: datetime | None = Field(default=None, examples=[None])
    deadline: datetime | None = Field(default=None, examples=[None])
    lab: str = Field(default="", max_length=200, examples=[""])
    method: Method = Field(default="", examples=[""])
    verdict: CaseVerdict = Field(default="", examples=[""])
    assignee: str = Field(default="", max_length=64, description="Officer id.", examples=[""])
    outcome: str = Field(default="", max_length=32, examples=[""])


class DeclineRequest(BaseModel):
    """Why a second officer does not confirm."""

    note: str = Field(default="", max_length=2000, examples=["本人当时不在场。"])
