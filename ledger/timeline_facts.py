"""Sources of an establishment's timeline that grow without end: tests, readings, scenes, alerts."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

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
        table.number.label("key"), table.captured_at.label("at"), table.result_id,
        table.sample_name.label("sample"), table.sample_number.label("number"), table.stall,
        table.item, table.value_text.label("value"), table.unit, table.limit_text.label("limit"),
        table.verdict, table.site, table.device, table.raw_sha256,
    ).where(table.establishment_id == owner)  # fmt: skip
    told = ("sample", "number", "stall", "item", "value", "unit", "limit", "site", "device")

    def line(row: Any) -> dict[str, Any]:
        return {
            "event": row.verdict,
            "record": f"result/{row.result_id}",
            "subject": row.result_id,
            "proof": row.raw_sha256,
        }

    page = within(query, window, rank, table.captured_at, table.number)
    return _lines(conn, page, rank, LineKind.TEST, told, line)


def crossings(conn: Connection, owner: str, window: Window, rank: int) -> list[Line]:
    """Limits that readings crossed: what a rule took note of, as long as it lasted."""
    table = alerts.c
    query = select(
        table.number.label("key"), table.raised_at.label("at"), table.alert_id, table.title_zh,
        table.title_en, table.resolved_at, table.facts, table.site, table.device,
    ).where(
        table.establishment_id == owner,
        table.result_id.is_(None),
        table.observation_id.is_(None),
        table.facts["metric"].as_string().is_not(None),
    )  # fmt: skip

    def line(row: Any) -> dict[str, Any]:
        facts = {name: row.facts.get(name) for name in ("metric", "value", "unit", "limit")}
        return {
            "values": _told(facts | {"site": row.site, "device": row.device}),
            "event": "crossed",
            "record": f"alert/{row.alert_id}",
            "subject": row.alert_id,
            "ended_at": row.resolved_at,
            "lasts": True,
        }

    page = within(query, window, rank, table.raised_at, table.number)
    return _lines(conn, page, rank, LineKind.READING, (), line)


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
        table.number.label("key"), table.started_at.label("at"), table.observation_id, table.kind,
        table.ended_at, table.zone, table.site, table.device,
        func.nullif(table.people, 0).label("people"),
        case((table.retracted, "yes")).label("retracted"), alert.label("alert_id"),
    ).where(table.establishment_id == owner)  # fmt: skip
    told = ("zone", "site", "device", "people", "retracted")

    def line(row: Any) -> dict[str, Any]:
        return {
            "event": row.kind,
            "record": f"observation/{row.site}/{row.device}/{row.observation_id}",
            "subject": row.alert_id or "",
            "ended_at": row.ended_at,
            "lasts": True,
        }

    page = within(query, window, rank, table.started_at, table.number)
    return _lines(conn, page, rank, LineKind.OBSERVATION, told, line)


def alert_steps(
    conn: Connection, owner: str, window: Window, rank: int, *, internal: bool
) -> list[Line]:
    """What happened to alerts, step by step."""
    entry, alert = alert_timeline.c, alerts.c
    hidden = TOLD_ELSEWHERE if internal else TOLD_ELSEWHERE + INTERNAL
    query = (
        select(
            entry.id.label("key"), entry.at, entry.alert_id, entry.kind, entry.actor, entry.note,
            alert.title_zh, alert.title_en, alert.severity, alert.site, alert.device,
        )
        .select_from(alert_timeline.join(alerts, alert.alert_id == entry.alert_id))
        .where(alert.establishment_id == owner, entry.kind.not_in(hidden))
    )  # fmt: skip

    def line(row: Any) -> dict[str, Any]:
        return {
            "event": row.kind,
            "record": f"alert/{row.alert_id}/{row.key}",
            "subject": row.alert_id,
            "actor": row.actor,
            "note": row.note,
        }

    page = within(query, window, rank, entry.at, entry.id)
    return _lines(conn, page, rank, LineKind.ALERT, ("severity", "site", "device"), line)


def case_steps(
    conn: Connection, owner: str, window: Window, rank: int, moves: Collection[str] | None = None
) -> list[Line]:
    """Cases: opened, and every move, or those of `moves`."""
    event, held = case_events.c, cases.c
    query = (
        select(
            event.id.label("key"), event.at, event.case_id, event.seq, event.move, event.actor,
            event.state, event.given, event.digest, held.case_number.label("number"),
            held.title_zh, held.title_en,
        )
        .select_from(case_events.join(cases, held.case_id == event.case_id))
        .where(held.establishment_id == owner)
    )  # fmt: skip
    if moves is not None:
        query = query.where(event.move.in_(sorted(moves)))

    def line(row: Any) -> dict[str, Any]:
        return {
            "event": row.move,
            "record": f"case/{row.case_id}/{row.seq}",
            "subject": row.case_id,
            "actor": row.actor,
            "note": row.given.get("note", ""),
            "proof": row.digest,
        }

    page = within(query, window, rank, event.at, event.id)
    return _lines(conn, page, rank, LineKind.CASE, ("number", "state"), line)


def _lines(
    conn: Connection,
    page: Select[Any],
    rank: int,
    kind: LineKind,
    told: Collection[str],
    line: Callable[[Any], dict[str, Any]],
) -> list[Line]:
    """A page's rows as lines; each row has `key` and `at`, and its title if it has one.

    `told`: columns that stand in the line's values, those that are empty left out; `line`: what
    else a row's line says.
    """
    made = []
    for row in conn.execute(page):
        facts = row._asdict()
        said = {name: facts[name] for name in ("title_zh", "title_en") if name in facts}
        said |= {"values": _told({name: facts[name] for name in told})} | line(row)
        made.append(Line(Place(row.at, rank, str(row.key)), kind, **said))
    return made


def _told(facts: Mapping[str, Any]) -> dict[str, str]:
    """Facts as text, without what is empty."""
    return {name: text_of(value) for name, value in facts.items() if value not in (None, "")}
