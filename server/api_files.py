"""The shapes of the API about establishments' files: timeline, whole file, codes; with examples."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from ledger import place_dossier
from ledger.place_lines import LineKind
from ledger.public_codes import LONGEST_GRACE
from server.api_models import Model

GRACE_DAYS = LONGEST_GRACE.days


class TimelineLine(Model):
    """One thing that happened at an establishment."""

    at: datetime = Field(examples=["2026-03-02T01:12:45Z"])
    kind: LineKind = Field(examples=["test"])
    event: str = Field(description="What of its kind.", examples=["positive"])
    record: str = Field(
        description="The ledger's own name of it.", examples=["result/0c4e9b1d22aa41f7c9e0"]
    )
    subject: str = Field(
        description="Id of the alert, case, result … that it is about; empty: none.",
        examples=["0c4e9b1d22aa41f7c9e0"],
    )
    title_zh: str = Field(examples=[""])
    title_en: str = Field(examples=[""])
    values: dict[str, str] = Field(
        description="Facts as text.", examples=[{"sample": "空心菜", "value": "67.3", "unit": "%"}]
    )
    ended_at: datetime | None = Field(description="Of what lasts: when it ended.", examples=[None])
    actor: str = Field(description="Officer's id, to those who may know.", examples=[""])
    note: str = Field(description="To those who may know.", examples=[""])
    proof: str = Field(
        description="A hash that the ledger keeps of it; empty: none.", examples=["9b1d…"]
    )


class WholeFile(Model):
    """An establishment's file as one document; docs/establishment-file.md tells its content."""

    format: str = Field(examples=[place_dossier.FORMAT])
    made_at: str = Field(examples=["2026-03-02T01:12:45.000000+00:00"])
    sha256: str = Field(
        description="Of `content` as JSON with sorted keys, without spaces, in UTF-8.",
        examples=["5f0c…"],
    )
    content: dict[str, Any] = Field(
        examples=[{"establishment": {"id": "baisha-market"}, "lines": []}]
    )
    readings: dict[str, Any] | None = Field(
        default=None,
        description="Limits that readings crossed, worked out of the time series and not of the "
        "ledger: `sha256` and verify-file do not cover it. Null: readings were not asked for.",
        examples=[{"from": "readings", "known": True, "crossings": []}],
    )


class CodeRequest(BaseModel):
    """Why a code is renewed."""

    note: str = Field(min_length=1, max_length=500, examples=["贴纸被覆盖，重新张贴。"])
    grace_days: int = Field(
        default=0,
        ge=0,
        le=GRACE_DAYS,
        description="Days for which the old code opens the page yet; 0: it answers 410 at once.",
        examples=[0],
    )


class RegionCodesRequest(CodeRequest):
    """The same for every establishment of a region and below."""

    region: str = Field(max_length=64, examples=["440703"])


class CodeItem(BaseModel):
    """An establishment's new code."""

    id: str = Field(examples=["baisha-market"])
    public_code: str = Field(description="Opens `/p/{public_code}`.", examples=["p4Xk-0sQe2Lm"])
    address: str = Field(
        description="What a sticker's QR code carries.",
        examples=["https://city.example/p/p4Xk-0sQe2Lm"],
    )
