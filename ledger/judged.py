"""Alerts with the verdicts that stand on them, and with the models that saw what raised them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, FromClause, Select, Text, and_, cast, select

from contracts.words import AlertVerdict, Severity
from ledger.schema import alert_verdicts, alerts, observations


class Judged(msgspec.Struct, frozen=True):
    """An alert with what was said of it."""

    alert_id: str
    rule: str
    severity: Severity
    region: str
    site: str
    device: str
    zone: str
    model: str
    """Names and versions of the models that saw it; empty if no camera did."""
    raised_at: datetime
    verdict: AlertVerdict | None
    cause: str
    counts: bool
    judged_at: datetime | None = None
    title_zh: str = ""
    title_en: str = ""


def read_judged(
    conn: Connection,
    regions: Sequence[str],
    since: datetime,
    until: datetime,
    *,
    establishment_id: str | None = None,
    rule: str = "",
    site: str = "",
    judged_only: bool = False,
) -> list[Judged]:
    """Alerts raised from `since` on and before `until`, each with its standing verdict, if any."""
    where = alerts_of(regions, since, until, establishment_id, rule, site)
    columns = (
        alerts.c.alert_id, alerts.c.rule, alerts.c.severity, alerts.c.region, alerts.c.site,
        alerts.c.device, alerts.c.raised_at, alerts.c.facts, MODELS,
        alert_verdicts.c.verdict, alert_verdicts.c.cause, alert_verdicts.c.counts,
        alert_verdicts.c.at, alerts.c.title_zh, alerts.c.title_en,
    )  # fmt: skip
    if judged_only:
        where.append(alert_verdicts.c.verdict.is_not(None))
    rows = conn.execute(joined(select(*columns)).where(*where))
    return [
        Judged(
            alert_id=row.alert_id,
            rule=row.rule,
            severity=Severity(row.severity),
            region=row.region,
            site=row.site,
            device=row.device,
            zone=str(row.facts.get("zone") or ""),
            model=model_name(row.models),
            raised_at=row.raised_at,
            verdict=AlertVerdict(row.verdict) if row.verdict else None,
            cause=row.cause or "",
            counts=row.counts is not False,
            judged_at=row.at,
            title_zh=row.title_zh,
            title_en=row.title_en,
        )
        for row in rows
    ]


def said_of(one: Judged) -> str:
    """Which of a card's numbers an alert is counted in besides `raised`; empty: none yet."""
    return said_as(one.verdict, one.counts)


def said_as(verdict: str | None, counts: bool | None) -> str:
    """The same of a verdict as it is stored."""
    if verdict is None:
        return ""
    return str(verdict) if counts is not False else "left_out"


def tally(found: Iterable[Judged]) -> tuple[int, int]:
    """How many were right, and how many wrong."""
    said = [said_of(one) for one in found]
    return said.count(AlertVerdict.TRUE.value), said.count(AlertVerdict.FALSE.value)


def alerts_of(
    regions: Sequence[str],
    since: datetime,
    until: datetime,
    establishment_id: str | None = None,
    rule: str = "",
    site: str = "",
) -> list[ColumnElement[bool]]:
    """What an alert must be to be counted."""
    wanted = [
        alerts.c.region.in_(regions),
        alerts.c.raised_at >= since,
        alerts.c.raised_at < until,
    ]
    if establishment_id is not None:
        wanted.append(alerts.c.establishment_id == establishment_id)
    if rule:
        wanted.append(alerts.c.rule == rule)
    if site:
        wanted.append(alerts.c.site == site)
    return wanted


def joined(query: Select[Any]) -> Select[Any]:
    """Alerts with their observations' models and their standing verdicts."""
    return query.select_from(with_models().outerjoin(alert_verdicts, _STANDING))


def judged_alerts(query: Select[Any]) -> Select[Any]:
    """Alerts with their standing verdicts."""
    return query.select_from(alerts.outerjoin(alert_verdicts, _STANDING))


def with_models() -> FromClause:
    """Alerts with the observations that raised them."""
    return alerts.outerjoin(observations, is_seen(alerts))


def is_seen(of: FromClause) -> ColumnElement[bool]:
    """Whether an observation is what raised an alert, of which `of` has the columns."""
    return and_(
        observations.c.site == of.c.site,
        observations.c.device == of.c.device,
        observations.c.observation_id == of.c.observation_id,
    )


_STANDING = and_(
    alert_verdicts.c.alert_id == alerts.c.alert_id, alert_verdicts.c.superseded_at.is_(None)
)
MODELS = cast(observations.c.models, Text).label("models")
"""As text: there are few different ones, and each is read once."""


@lru_cache(maxsize=1024)
def model_name(models: str | None) -> str:
    """Names and versions of the models, as one text."""
    listed = msgspec.json.decode(models) if models else ()
    return " + ".join(f"{one['id']} {one['version']}" for one in listed or ())
