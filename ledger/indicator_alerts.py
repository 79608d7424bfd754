"""Sets of alerts with how long they took; one that is open has taken as long as it has waited."""

from typing import Any

from sqlalchemy import Float, Select, case, func, literal

from ledger.alert_times import firsts
from ledger.indicator_basis import Asked, one, seconds
from ledger.indicator_rows import rows
from ledger.schema import alerts


def acknowledged(asked: Asked) -> Select[Any]:
    """Each alert raised in the span, with its seconds to the first acknowledgement."""
    return _lasted(asked, "acknowledged")


def disposed(asked: Asked) -> Select[Any]:
    """The same to the first disposal, review or closing."""
    return _lasted(asked, "disposed")


def _lasted(asked: Asked, until: str) -> Select[Any]:
    first = firsts(
        [
            alerts.c.raised_at >= asked.since,
            alerts.c.raised_at < asked.until,
            asked.here(alerts.c.region),
        ]
    )
    ended = func.coalesce(
        seconds(asked.dialect, first.c[until]), literal(asked.at.timestamp(), Float)
    )
    lasted = ended - seconds(asked.dialect, first.c.told)
    return rows(
        alerts.join(first, first.c.alert_id == alerts.c.alert_id),
        first.c.told.is_not(None),
        region=alerts.c.region,
        establishment_id=alerts.c.establishment_id,
        key=alerts.c.alert_id,
        at=alerts.c.raised_at,
        title=alerts.c.title_zh,
        title_en=alerts.c.title_en,
        detail=alerts.c.rule,
        part=case((lasted > 0, lasted), else_=0.0),
        whole=one(),
    )
