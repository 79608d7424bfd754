"""Sets of cases: all that were known in a span, and decisions whose publication fell due in it.

No state leaves a set: a cancelled, returned or annulled case stays below the line.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, func, or_, select

from contracts.casework import CaseKind, Finding
from ledger.indicator_basis import Asked, one
from ledger.indicator_rows import rows
from ledger.schema import case_events, case_publications, cases

NOT_FOUNDED = "not_founded"
CLOSE = "close"
"""The move that decides; its own time is the day of the decision."""


def done(asked: Asked) -> ColumnElement[bool]:
    """That a case counts as disposed of.

    As not founded a quick test's case does so only if a statutory test has cleared it; what a
    camera has seen, two officers may dismiss.
    """
    cleared = or_(cases.c.finding == Finding.CLEARED.value, cases.c.kind == CaseKind.SCENE.value)
    return or_(
        cases.c.state.in_(asked.indicator.states),
        and_(cases.c.state == NOT_FOUNDED, cleared),
    )


def known_cases(asked: Asked) -> Select[Any]:
    """Each case that the city knew of in the span."""
    return rows(
        cases,
        cases.c.known_at >= asked.since,
        cases.c.known_at < asked.until,
        region=cases.c.region,
        establishment_id=cases.c.establishment_id,
        key=cases.c.case_id,
        at=cases.c.known_at,
        title=cases.c.title_zh,
        title_en=cases.c.title_en,
        detail=cases.c.case_number,
        part=cast(case((done(asked), 1.0), else_=0.0), Float),
        whole=one(),
    )


def publishable_cases(asked: Asked) -> Select[Any]:
    """Each case that was decided with an outcome to be published, and due in the span."""
    assert asked.decided is not None
    decided = (
        select(case_events.c.case_id, func.max(case_events.c.counts_at).label("at"))
        .where(case_events.c.move == CLOSE)
        .group_by(case_events.c.case_id)
        .subquery("decided")
    )
    joined = cases.join(decided, decided.c.case_id == cases.c.case_id).outerjoin(
        case_publications, case_publications.c.case_id == cases.c.case_id
    )
    published = case_publications.c.published_at.is_not(None)
    return rows(
        joined,
        cases.c.outcome.in_(asked.indicator.outcomes),
        decided.c.at >= asked.decided[0],
        decided.c.at < asked.decided[1],
        region=cases.c.region,
        establishment_id=cases.c.establishment_id,
        key=cases.c.case_id,
        at=decided.c.at,
        title=cases.c.title_zh,
        title_en=cases.c.title_en,
        detail=cases.c.case_number,
        part=cast(case((published, 1.0), else_=0.0), Float),
        whole=one(),
    )
