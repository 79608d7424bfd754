"""Sets of samplings 抽检: what laboratories were sent, as it was entered; never a quick test."""

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, literal

from ledger.indicator_basis import Asked, one
from ledger.indicator_rows import rows
from ledger.schema import samplings

SUPERVISION, PENDING, PASS, FAIL = "supervision", "pending", "pass", "fail"


def supervision_samplings(asked: Asked) -> Select[Any]:
    """Each supervision sampling of the span, taken by the moment that is asked of."""
    return _listed(
        literal(1.0, Float),
        samplings.c.kind == SUPERVISION,
        samplings.c.sampled_at >= asked.since,
        samplings.c.sampled_at < min(asked.until, asked.at),
        at=samplings.c.sampled_at,
    )


def judged_samplings(asked: Asked) -> Select[Any]:
    """Each sampling with a conclusion in the span."""
    passed = samplings.c.verdict == PASS
    return _listed(_met(passed), *_reported(asked), samplings.c.verdict != PENDING)


def failed_samplings(asked: Asked) -> Select[Any]:
    """Each sampling that failed in the span; done: disposed of, with a document."""
    disposed = and_(samplings.c.disposed_at.is_not(None), samplings.c.disposal_document != "")
    return _listed(_met(disposed), *_reported(asked), samplings.c.verdict == FAIL)


def failed_to_publish(asked: Asked) -> Select[Any]:
    """The same; done: published."""
    published = samplings.c.published_at <= asked.at
    return _listed(_met(published), *_reported(asked), samplings.c.verdict == FAIL)


def _reported(asked: Asked) -> list[ColumnElement[bool]]:
    until = min(asked.until, asked.at)
    return [samplings.c.reported_at >= asked.since, samplings.c.reported_at < until]


def _met(condition: ColumnElement[bool]) -> ColumnElement[float]:
    return cast(case((condition, 1.0), else_=0.0), Float)


def _listed(
    part: ColumnElement[float],
    *where: ColumnElement[bool],
    at: ColumnElement[Any] = samplings.c.reported_at,
) -> Select[Any]:
    return rows(
        samplings,
        *where,
        region=samplings.c.region,
        establishment_id=samplings.c.establishment_id,
        key=samplings.c.id,
        at=at,
        title=samplings.c.food,
        detail=samplings.c.sampled_from,
        part=part,
        whole=one(),
    )
