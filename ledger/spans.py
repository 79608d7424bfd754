"""Facts and alerts of a span of time, for whoever judges them again; reads only."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from contracts.events import Observation, ProfileRef, RawFrame, Sample, TestResult, Value
from contracts.topics import Identity
from contracts.words import Severity
from ledger.observations import ObservationRow
from ledger.results import ResultRow
from ledger.schema import alerts, observations, results
from ledger.sql import typed


class Told(msgspec.Struct, frozen=True):
    """A fact as it was told, with the name by which alerts know it."""

    who: Identity
    name: str
    fact: TestResult | Observation
    received_at: datetime


class Raised(msgspec.Struct, frozen=True):
    """An alert that was raised, or raised again, within a span."""

    fingerprint: str
    rule: str
    rule_version: str
    severity: Severity
    region: str
    site: str
    device: str
    raised_at: datetime
    last_event_at: datetime
    alert_id: str


def results_of(conn: Connection, site: str, since: datetime, until: datetime) -> list[Told]:
    """Test results of one site captured within a span, in the order in which they came."""
    found = select(*(column for column in results.c if column.name != "raw")).where(
        results.c.site == site, results.c.captured_at >= since, results.c.captured_at < until
    )
    rows = (typed(row, ResultRow) for row in conn.execute(found.order_by(results.c.number)))
    return [
        Told(
            Identity(row.region, row.site, row.device),
            f"{row.epoch}-{row.sequence}",
            _test(row),
            row.received_at,
        )
        for row in rows
    ]


def observations_of(conn: Connection, site: str, since: datetime, until: datetime) -> list[Told]:
    """Episodes of one site that began within a span, in the order in which they came."""
    found = select(observations).where(
        observations.c.site == site,
        observations.c.started_at >= since,
        observations.c.started_at < until,
    )
    found = found.order_by(observations.c.number)
    rows = (typed(row, ObservationRow) for row in conn.execute(found))
    return [
        Told(
            Identity(row.region, row.site, row.device),
            row.observation_id,
            _observation(row),
            row.received_at,
        )
        for row in rows
    ]


def alerts_of(
    conn: Connection, regions: Sequence[str] | None, since: datetime, until: datetime
) -> list[Raised]:
    """Alerts that were raised, or raised again, within a span."""
    found = select(alerts).where(alerts.c.raised_at < until, alerts.c.last_event_at >= since)
    if regions is not None:
        found = found.where(alerts.c.region.in_(regions))
    return [typed(row, Raised) for row in conn.execute(found.order_by(alerts.c.number))]


def _test(row: ResultRow) -> TestResult:
    # Of a censored value the bound is not kept by itself; it stands in the text.
    bound = _bound(row.value_text) if row.comparator else None
    return TestResult(
        sample=Sample(
            number=row.sample_number,
            name=row.sample_name,
            name_cut=row.sample_name_cut,
            stall=row.stall,
            lot=row.lot,
            supplier=row.supplier,
            origin=row.origin,
        ),
        item=row.item,
        value=Value(
            row.value_text,
            row.value_number,
            row.comparator,
            bound,
            row.unit,
            row.qualitative,
        ),
        verdict=row.verdict,
        captured_at=row.captured_at,
        profile=ProfileRef(row.profile_id, row.profile_version),
        raw=RawFrame(b"", row.raw_sha256),
        item_code=row.item_code,
        record_number=row.record_number,
        channel=row.channel,
        measured_at=row.measured_at,
        measured_text=row.measured_text,
        clock_offset_s=row.clock_offset_s,
        limit_text=row.limit_text,
        rule=row.rule,
        instrument_verdict=row.instrument_verdict,
        operator=row.operator,
        flags=row.flags,
    )


def _bound(text: str) -> float | None:
    try:
        return float(text.strip().lstrip("<>≤≥= "))
    except ValueError:
        return None


def _observation(row: ObservationRow) -> Observation:
    return Observation(**{name: getattr(row, name) for name in Observation.__struct_fields__})
