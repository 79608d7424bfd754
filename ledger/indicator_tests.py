"""Sets of quick tests: batches, those that passed, those with a positive result.

A batch is a sample: its items and reruns are one. A voided one counts by what was found in it, for
whoever may void could hide it else; what passed in it counts for nothing. Nothing of this is ever a
supervision sampling.
"""

from typing import Any

from sqlalchemy import ColumnElement, Float, Select, and_, case, cast, func, select
from sqlalchemy.sql.expression import FromClause, Subquery

from contracts.words import Verdict
from ledger.case_links import CANCELLED
from ledger.indicator_basis import Asked, china_date, no_text, no_time, one, seconds
from ledger.indicator_cases import done
from ledger.indicator_places import tested
from ledger.indicator_rows import rows
from ledger.schema import case_results, cases, results, samples


def _batch(asked: Asked, told: FromClause = results) -> ColumnElement[str]:
    """What makes results one batch: the sample, else the number that it had at a site on a day."""
    day = china_date(asked.dialect, told.c.captured_at)
    numbered = told.c.site + "#" + told.c.sample_number + "#" + day
    unregistered = case((told.c.sample_number != "", numbered), else_=told.c.result_id)
    return func.coalesce(told.c.sample_id, unregistered)


def _said(verdict: Verdict) -> ColumnElement[int]:
    return func.max(case((results.c.verdict == verdict.value, 1), else_=0))


def _batches(asked: Asked, *where: ColumnElement[bool]) -> Subquery:
    batch = _batch(asked)
    kept = case((results.c.verdict.in_(asked.indicator.voided_keep), 1), else_=0)
    voided = results.c.sample_id.in_(select(samples.c.id).where(samples.c.voided))
    return (
        select(
            func.min(results.c.region).label("region"),
            func.min(results.c.establishment_id).label("establishment_id"),
            *_names(asked),
            _said(Verdict.PASS).label("passed"),
            _said(Verdict.POSITIVE).label("positive"),
            batch.label("batch"),
        )
        .where(*tested(asked), *where)
        .group_by(batch)
        .having(func.max(case((voided, kept), else_=1)) == 1)
        .subquery("batches")
    )


def _names(asked: Asked) -> list[ColumnElement[Any]]:
    """What a batch is listed by; finding it out costs more than counting."""
    found: dict[str, ColumnElement[Any]] = {
        "key": func.min(results.c.result_id),
        "at": func.min(results.c.captured_at),
        "title": func.max(results.c.sample_name),
        "item": func.max(results.c.item),
    }
    if asked.counted:
        found = {"key": no_text(), "at": no_time(), "title": no_text(), "item": no_text()}
    return [column.label(name) for name, column in found.items()]


def _in_time(asked: Asked) -> ColumnElement[bool]:
    """That a result was uploaded soon enough after it was measured."""
    most_s = (asked.indicator.within_h or 0.0) * 3600.0
    took = seconds(asked.dialect, results.c.received_at) - seconds(
        asked.dialect, results.c.captured_at
    )
    # A microsecond's room: the database works it out in floating point.
    return took <= most_s + 0.001


def _listed(source: FromClause, found: Subquery, part: ColumnElement[Any]) -> Select[Any]:
    return rows(
        source,
        region=found.c.region,
        establishment_id=found.c.establishment_id,
        key=found.c.key,
        at=found.c.at,
        title=found.c.title,
        detail=found.c.item,
        part=part,
        whole=one(),
    )


def batches(asked: Asked) -> Select[Any]:
    """Each batch whose results came in time; passed: with a pass and without a positive."""
    found = _batches(asked, asked.here(results.c.region), _in_time(asked))
    passed = and_(found.c.passed == 1, found.c.positive == 0)
    return _listed(found, found, cast(case((passed, 1.0), else_=0.0), Float))


def positive_batches(asked: Asked) -> Select[Any]:
    """Each batch with a positive result, in time or late; done: its cases were reviewed."""
    # Without the region: few were positive, and their own index finds them.
    found = _batches(asked, results.c.verdict == Verdict.POSITIVE.value)
    its = results.alias("its")
    held = case_results.join(cases, cases.c.case_id == case_results.c.case_id).join(
        its, its.c.result_id == case_results.c.result_id
    )
    batch = _batch(asked, its)
    settled = (
        select(batch.label("of"), func.min(case((done(asked), 1), else_=0)).label("all_done"))
        .select_from(held)
        .where(cases.c.state != CANCELLED)
        .group_by(batch)
        .subquery("settled")
    )
    joined = found.outerjoin(settled, settled.c.of == found.c.batch)
    return _listed(joined, found, cast(case((settled.c.all_done == 1, 1.0), else_=0.0), Float))
