"""Sets of places: towns, markets and supermarkets, and those whose testing room worked.

Whatever existed in the span counts for it, retired or not.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, literal, or_, select

from contracts.words import Verdict
from ledger.establishments import EstablishmentKind
from ledger.indicator_basis import AHEAD, Asked, no_text, no_time, one, seconds
from ledger.indicator_rows import rows
from ledger.schema import establishments, regions, results, samples, sites
from ledger.sites import SiteKind

JUDGED = tuple(one.value for one in (Verdict.PASS, Verdict.SUSPECT, Verdict.POSITIVE))
"""Verdicts of results that are valid for judgement."""
TRADE = (EstablishmentKind.MARKET.value, EstablishmentKind.SUPERMARKET.value)


def tested(asked: Asked) -> list[ColumnElement[bool]]:
    """That a result is valid and was captured in the span."""
    return [
        results.c.captured_at >= asked.since,
        results.c.captured_at < asked.until,
        results.c.verdict.in_(JUDGED),
        # Dated ahead of its arrival: not believed. The clock of an edge may go a little wrong.
        or_(
            results.c.captured_at <= results.c.received_at,
            seconds(asked.dialect, results.c.captured_at)
            - seconds(asked.dialect, results.c.received_at)
            <= AHEAD.total_seconds(),
        ),
    ]


def unvoided() -> ColumnElement[bool]:
    """That the sample of a result, if it has one, was not voided."""
    taken_back = select(samples.c.id).where(samples.c.id == results.c.sample_id, samples.c.voided)
    return or_(results.c.sample_id.is_(None), ~taken_back.correlate(results).exists())


def existed(asked: Asked) -> list[ColumnElement[bool]]:
    """That an establishment existed in the span."""
    return [
        or_(establishments.c.retired_at.is_(None), establishments.c.retired_at > asked.since),
        or_(
            establishments.c.registered_at.is_(None),
            establishments.c.registered_at < asked.until,
        ),
    ]


def _met(condition: ColumnElement[bool]) -> ColumnElement[float]:
    return cast(case((condition, 1.0), else_=0.0), Float)


def towns(asked: Asked) -> Select[Any]:
    """Each town: a region two below the top."""
    county, top = regions.alias("county"), regions.alias("top")
    joined = regions.join(county, regions.c.parent == county.c.code).join(
        top, and_(county.c.parent == top.c.code, top.c.parent.is_(None))
    )
    tree = select(regions.c.code.label("code"), regions.c.code.label("town")).select_from(joined)
    below = tree.cte("town_tree", recursive=True)
    below = below.union_all(
        select(regions.c.code, below.c.town).where(regions.c.parent == below.c.code)
    )
    # Correlated: of each town one result is looked for, and no more.
    room = (
        select(results.c.number)
        .select_from(
            below.join(results, results.c.region == below.c.code).join(
                sites, sites.c.id == results.c.site
            )
        )
        .where(
            below.c.town == regions.c.code,
            ~sites.c.self_test,
            sites.c.kind != SiteKind.CANTEEN.value,
            *tested(asked),
            unvoided(),
        )
        .correlate(regions)
        .exists()
    )
    return rows(
        joined,
        or_(regions.c.retired_at.is_(None), regions.c.retired_at > asked.since),
        region=regions.c.code,
        establishment_id=no_text(),
        key=regions.c.code,
        at=no_time(),
        title=regions.c.name_zh,
        title_en=regions.c.name_en,
        detail=literal(""),
        part=_met(room),
        whole=one(),
    )


def markets(asked: Asked) -> Select[Any]:
    """Each market and supermarket."""
    room = (
        select(results.c.number)
        .where(results.c.establishment_id == establishments.c.id, *tested(asked), unvoided())
        .exists()
    )
    return rows(
        establishments,
        establishments.c.kind.in_(TRADE),
        *existed(asked),
        region=establishments.c.region,
        establishment_id=establishments.c.id,
        key=establishments.c.id,
        at=establishments.c.retired_at,
        title=establishments.c.name,
        detail=establishments.c.address,
        part=_met(room),
        whole=one(),
    )
