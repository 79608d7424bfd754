"""Sources of an establishment's timeline that grow without end: tests, readings, scenes, alerts."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, func, select

from ledger.place_lines import Line, LineKind, Place, Window, text_of, within
from ledger.schema import alert_timeline, alerts, case_events, cases, observations, results

TOLD_ELSEWHERE = ("again", "case", "card", "card_annulled", "notified", "held")
"""Entries of an alert that are lines of another kind, or only count."""
INTERNAL = ("judged", "escalated", "orphan")
"""Entries that are the authority's own."""


def tests(conn: Connection, owner: str, window: Window, rank: int) -> list[Line]:
    """Quick tests, by the time of capture."""
    table = results.c
    query = select(
        table.number, table.result_id, table.captured_at, table.sample_name, table.sample_number,
        table.stall, table.item, table.value_text, table.unit, table.limit_text, table.verdict,
        table.site, table.device, table.raw_sha256,
    ).where(table.establishment_id == owner)  # fmt: skip
    rows = conn.execute(within(query, window, rank, table.captured_at, table.number))
    return [
        Line(
            Place(row.captured_at, rank, str(row.number)),
            LineKind.TEST,
            row.verdict,
            f"result/{row.result_id}",
            row.result_id,
            values=_told(
                sample=row.sample_name, number=row.sample_number, stall=row.stall, item=row.item,
                value=row.value_text, unit=row.unit, limit=row.limit_text, site=row.site,
                device=row.device,
            ),
            proof=row.raw_sha256,
        )
        for row in rows
    ]  # fmt: skip


def crossings(conn: Connection, owner: str, window: Window, rank: int) -> list[Line]:
    """Limits that readings crossed: what a rule took note of, as long as it lasted."""
    table = alerts.c
    query = select(
        table.number, table.alert_id, table.raised_at, table.resolved_at, table.title_zh,
        table.title_en, table.facts, table.site, table.device,
    ).where(
        table.establishment_id == owner,
        table.result_id.is_(None),
        table.observation_id.is_(None),
        table.facts["metric"].as_string().is_not(None),
    )  # fmt: skip
    rows = conn.execute(within(query, window, rank, table.raised_at, table.number))
    return [
        Line(
            Place(row.raised_at, rank, str(row.number)),
            LineKind.READING,
            "crossed",
            f"alert/{row.alert_id}",
            row.alert_id,
            row.title_zh,
            row.title_en,
            values=_told(
                metric=row.facts.get("metric"), value=row.facts.get("value"),
                unit=row.facts.get("unit"), limit=row.facts.get("limit"), site=row.site,
                device=row.device,
            ),
            ended_at=row.resolved_at,
            lasts=True,
        )
        for row in rows
    ]  # fmt: skip


def scenes(conn: Connection, owner: str, window: Window, rank: int) -> list[Line]:
    """What cameras saw, and could not see, by its beginning; what was taken back says so."""
    table = observations.c
    alert = (
        select(func.min(alerts.c.alert_id))
        .where(
            alerts.c.observation_id == table.observation_id,
            alerts.c.site == table.site,
            alerts.c.device == table.device,
        )
        .scalar_subquery()
    )
    query = select(
        table.number, table.observation_id, table.kind, table.phase, table.started_at,
        table.ended_at, table.retracted, table.zone, table.site, table.device, table.people,
        alert.label("alert_id"),
    ).where(table.establishment_id == owner)  # fmt: skip
    rows = conn.execute(within(query, window, rank, table.started_at, table.number))
    return [
        Line(
            Place(row.started_at, rank, str(row.number)),
            LineKind.OBSERVATION,
            row.kind,
            f"observation/{row.site}/{row.device}/{row.observation_id}",
            row.alert_id or "",
            values=_told(
                zone=row.zone, site=row.site, device=row.device, people=row.people or None,
                retracted="yes" if row.retracted else None,
            ),
            ended_at=row.ended_at,
            lasts=True,
        )
        for row in rows
    ]  # fmt: skip


def alert_steps(
    conn: Connection, owner: str, window: Window, rank: int, *, internal: bool
) -> list[Line]:
    """What happened to alerts, step by step."""
    entry, alert = alert_timeline.c, alerts.c
    hidden = TOLD_ELSEWHERE if internal else TOLD_ELSEWHERE + INTERNAL
    query = (
        select(
            entry.id, entry.alert_id, entry.at, entry.kind, entry.actor, entry.note,
            alert.title_zh, alert.title_en, alert.severity, alert.site, alert.device,
        )
        .select_from(alert_timeline.join(alerts, alert.alert_id == entry.alert_id))
        .where(alert.establishment_id == owner, entry.kind.not_in(hidden))
    )  # fmt: skip
    rows = conn.execute(within(query, window, rank, entry.at, entry.id))
    return [
        Line(
            Place(row.at, rank, str(row.id)),
            LineKind.ALERT,
            row.kind,
            f"alert/{row.alert_id}/{row.id}",
            row.alert_id,
            row.title_zh,
            row.title_en,
            values=_told(severity=row.severity, site=row.site, device=row.device),
            actor=row.actor,
            note=row.note,
        )
        for row in rows
    ]


def case_steps(
    conn: Connection, owner: str, window: Window, rank: int, moves: Collection[str] | None = None
) -> list[Line]:
    """Cases: opened, and every move, or those of `moves`."""
    event, case = case_events.c, cases.c
    query = (
        select(
            event.id, event.case_id, event.seq, event.at, event.move, event.actor, event.state,
            event.given, event.digest, case.case_number, case.title_zh, case.title_en,
        )
        .select_from(case_events.join(cases, case.case_id == event.case_id))
        .where(case.establishment_id == owner)
    )  # fmt: skip
    if moves is not None:
        query = query.where(event.move.in_(sorted(moves)))
    rows = conn.execute(within(query, window, rank, event.at, event.id))
    return [
        Line(
            Place(row.at, rank, str(row.id)),
            LineKind.CASE,
            row.move,
            f"case/{row.case_id}/{row.seq}",
            row.case_id,
            row.title_zh,
            row.title_en,
            values=_told(number=row.case_number, state=row.state),
            actor=row.actor,
            note=row.given.get("note", ""),
            proof=row.digest,
        )
        for row in rows
    ]


def _told(**facts: Any) -> dict[str, str]:
    """Facts as text, without what is empty."""
    return {name: text_of(value) for name, value in facts.items() if value not in (None, "")}
