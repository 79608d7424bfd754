"""Sources of an establishment's timeline that stay small: register, devices, publications, cards;
and the times in which devices were silent, out of the journal.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select

from contracts.words import DeviceState
from contracts.workdays import CHINA
from ledger import cards, journal
from ledger.establishments import Establishment
from ledger.place_lines import Line, LineKind, Place, Window, standing_in, within
from ledger.schema import case_publications, devices, establishment_events
from ledger.schema import journal as journal_table
from ledger.sql import among_these

SILENT = (DeviceState.OFFLINE.value, DeviceState.UNKNOWN.value)
"""States in which a device tells nothing."""
GRADE = "risk_grade"


def register(conn: Connection, one: Establishment, rank: int, now: datetime) -> list[Line]:
    """What the register says of a place and its licence, and how it was graded."""
    found = select(establishment_events).where(establishment_events.c.establishment_id == one.id)
    lines = []
    for row in conn.execute(found):
        record = f"establishment/{one.id}/{row.id}"
        before, after = row.body.get("before", {}), row.body.get("after", {})
        place = Place(row.at, rank, f"{row.id:020d}")
        rest = {name: str(cell) for name, cell in after.items() if name != GRADE}
        if rest or not after:
            values = {f"after.{name}": cell for name, cell in rest.items() if cell}
            values |= {
                f"before.{name}": str(cell)
                for name, cell in before.items()
                if name != GRADE and cell
            }
            lines.append(Line(place, LineKind.LICENCE, row.kind, record, one.id, values=values))
        if GRADE in after and (after[GRADE] or before.get(GRADE)):
            values = {"after": str(after[GRADE]), "before": str(before.get(GRADE, ""))}
            graded = Place(row.at, rank, f"{place.key} graded")
            record = f"{record}/graded"
            lines.append(Line(graded, LineKind.SCORE, "graded", record, one.id, values=values))
    return [*lines, *_licence_days(one, rank, now)]


def _licence_days(one: Establishment, rank: int, now: datetime) -> Iterator[Line]:
    days: list[tuple[str, date | None, int]] = [
        ("begins", one.licence_from, 0),
        ("over", one.licence_until, 1),
    ]
    for event, day, later in days:
        if day is None or one.licence_number is None:
            continue
        at = datetime.combine(day + timedelta(days=later), time(), CHINA).astimezone(now.tzinfo)
        if at <= now:
            record = f"establishment/{one.id}/licence/{event}"
            values = {"number": one.licence_number, "day": day.isoformat()}
            yield Line(
                Place(at, rank, event), LineKind.LICENCE, event, record, one.id, values=values
            )


def device_lives(conn: Connection, sites: Sequence[str], rank: int) -> list[Line]:
    """Devices that were added, and that were taken out of use."""
    lines = []
    for row in conn.execute(select(devices).where(among_these(devices.c.site, sites))):
        name = f"{row.site}/{row.device}"
        values = {"device": row.device, "site": row.site, "name": row.name, "kind": row.kind}
        for event, at in (("added", row.registered_at), ("retired", row.retired_at)):
            if at is not None:
                place = Place(at, rank, f"{name}/{event}")
                record = f"device/{name}/{event}"
                lines.append(
                    Line(place, LineKind.DEVICE, event, record, row.device, values=dict(values))
                )
    return lines


def silences_of_devices(
    conn: Connection, sites: Sequence[str], window: Window, rank: int
) -> list[Line]:
    """Times in which a device was not heard: from the word of it to the next good word."""
    table = journal_table.c
    state = table.body["state"].as_string()
    silent = case((state.in_(SILENT), 1), else_=0)
    changes = (
        select(
            table.id, table.at, table.site, table.ref, state.label("state"),
            table.body["device"].as_string().label("device"),
            table.body["detail"].as_string().label("detail"),
            silent.label("silent"),
            func.coalesce(
                func.lag(silent).over(partition_by=table.ref, order_by=table.id), 0
            ).label("before"),
        )
        .where(table.kind == journal.DEVICE, among_these(table.site, sites))
        .subquery()
    )  # fmt: skip
    later = journal_table.alias("later")
    heard_at = (
        select(func.min(later.c.at))
        .where(
            later.c.kind == journal.DEVICE,
            later.c.site == changes.c.site,
            later.c.ref == changes.c.ref,
            later.c.id > changes.c.id,
            later.c.body["state"].as_string().not_in(SILENT),
        )
        .scalar_subquery()
    )
    query = select(changes, heard_at.label("heard_at")).where(
        changes.c.silent == 1, changes.c.before == 0
    )
    rows = conn.execute(within(query, window, rank, changes.c.at, changes.c.id))
    return [
        Line(
            Place(row.at, rank, str(row.id)),
            LineKind.DEVICE,
            row.state,
            f"journal/{row.id}",
            row.device,
            values=_said(device=row.device, site=row.site, detail=row.detail),
            ended_at=row.heard_at,
            lasts=True,
        )
        for row in rows
    ]


def publications(conn: Connection, owner: str, rank: int, now: datetime) -> list[Line]:
    """What was published of cases, and when that ended."""
    found = select(case_publications).where(case_publications.c.establishment_id == owner)
    lines = []
    for row in conn.execute(found):
        ended_at = row.ended_at or (row.expires_at if row.expires_at <= now else None)
        how = row.ended_by_move or "expire"
        for event, at in (("published", row.published_at), (how, ended_at)):
            if at is not None:
                lines.append(
                    Line(
                        Place(at, rank, f"{row.case_id}/{event}"),
                        LineKind.PUBLICATION,
                        event,
                        f"publication/{row.case_id}/{event}",
                        row.case_id,
                        row.title_zh,
                        row.title_en,
                        values=_said(number=row.case_number, outcome=row.outcome),
                        note=row.reason if event != "published" else "",
                        actor=row.published_by if event == "published" else "",
                    )
                )
    return lines


def cards_given(conn: Connection, owner: str, rank: int) -> list[Line]:
    """Yellow and red cards, and those that were taken back."""
    lines = []
    for card in cards.of_establishment(conn, owner):
        for event, at in (("given", card.at), ("annulled", card.annulled_at)):
            if at is not None:
                given = event == "given"
                lines.append(
                    Line(
                        Place(at, rank, f"{card.id}/{event}"),
                        LineKind.SCORE,
                        event,
                        f"card/{card.id}/{event}",
                        card.alert_id,
                        values={"colour": card.colour.value},
                        actor="" if given else card.annulled_by or "",
                        note="" if given else card.annul_reason,
                    )
                )
    return lines


def small(lines: Sequence[Line], kinds: frozenset[LineKind], window: Window) -> list[Line]:
    """Of a small source, what is wanted."""
    return standing_in((one for one in lines if one.kind in kinds), window)


def _said(**facts: Any) -> dict[str, str]:
    return {name: str(value) for name, value in facts.items() if value not in (None, "")}
