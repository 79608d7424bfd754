"""The API's shapes of indicators: numbers of regions, the records behind them, frozen months."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from server.api_models import Model


class Residents(BaseModel):
    """How many people live in a region."""

    people: int = Field(examples=[364700])
    source: str = Field(examples=["Seventh census, 1 November 2020"])
    mark: str = Field(
        description="V read in a primary text, S in a secondary one, U unverified.", examples=["S"]
    )
    since: date | None = Field(description="First day of effect.", examples=["2021-05-11"])


class IndicatorItem(BaseModel):
    """An indicator's number of a region over a period."""

    indicator: str = Field(examples=["kitchens_live"])
    title_zh: str = Field(examples=["明厨亮灶覆盖率（餐时实证在线）"])
    title_en: str = Field(examples=["Bright kitchens proven live at meal times"])
    region: str = Field(examples=["440703"])
    period: str = Field(examples=["2026-03"])
    kind: str = Field(
        description="`share`, `count`, `median` or `per_thousand_year`.", examples=["share"]
    )
    numerator: str = Field(description="Set of records; empty: none.", examples=["kitchens_proven"])
    denominator: str = Field(examples=["kitchens"])
    records: int = Field(description="How many records are behind it.", examples=[40])
    part: float = Field(description="Of a share: the numerator.", examples=[38.0])
    whole: float = Field(
        description="Of a share: the denominator; of a rate: residents.", examples=[40.0]
    )
    value: float | None = Field(description="Null: nothing to tell it from.", examples=[95.0])
    unit: str = Field(examples=["%"])
    target: float | None = Field(examples=[100.0])
    met: bool | None = Field(description="Null: no target, or no value.", examples=[False])
    unknown: bool = Field(description="A working calendar is missing.", examples=[False])
    residents: Residents | None = Field(
        description="Of a rate: how many people, and who says so; null: nobody does.",
    )


class IndicatorRecord(Model):
    """A record behind a number."""

    region: str = Field(examples=["440703-baisha"])
    establishment_id: str | None = Field(examples=["baisha-school"])
    key: str = Field(description="Its id in its own list.", examples=["baisha-school"])
    at: datetime | None = Field(examples=["2026-03-02T01:12:46Z"])
    title_zh: str = Field(examples=["白沙小学食堂"])
    title_en: str = Field(examples=["白沙小学食堂"])
    detail: str = Field(examples=["白沙街道 1 号"])
    part: float = Field(description="What it adds to the numerator.", examples=[1.0])
    whole: float = Field(description="What it adds to the denominator.", examples=[1.0])


class FrozenItem(Model):
    """What was frozen of a month. It never changes."""

    number: int = Field(description="Its place in the chain.", examples=[17])
    period: str = Field(examples=["2026-03"])
    region: str = Field(examples=["440703"])
    indicator: str = Field(examples=["kitchens_live"])
    part: float | None = Field(examples=[38.0])
    whole: float | None = Field(examples=[40.0])
    records: int = Field(examples=[40])
    value: float | None = Field(examples=[95.0])
    target: float | None = Field(examples=[100.0])
    met: bool | None = Field(examples=[False])
    definition: str = Field(description="SHA-256 of the definition.", examples=["9f2c41d0"])
    frozen_at: datetime = Field(examples=["2026-03-31T16:00:40Z"])
    previous_hash: str = Field(examples=["5d0a8c1f"])
    hash: str = Field(description="Covers the one before it.", examples=["7be8a635"])
