"""Where pages are found in any town: an alert of a test, a market's file, a proposal …: `find`."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from contracts.words import OPEN_STATES, Verdict
from ledger import (
    alerts,
    cases,
    establishments,
    evidence,
    kept_frames,
    looks,
    officers,
    proposals,
    regions,
    results,
    room_days,
    tasks,
    webhooks,
)
from ledger.alerts import AlertRow
from ledger.engine import Connection
from ledger.establishments import Establishment, EstablishmentKind
from ledger.place_figures import figures_of
from ledger.sheets.lists import list_rows
from ledger.sheets.sheet import EVERYWHERE

MOST = 400
Finder = Callable[[Connection], str | None]


def _newest(conn: Connection) -> list[AlertRow]:
    return alerts.list_in(conn, None, OPEN_STATES, MOST)


def _test(conn: Connection) -> str | None:
    return _first(
        row.alert_id for row in _newest(conn) if row.result_id and results.get(conn, row.result_id)
    )


def _picture(conn: Connection) -> str | None:
    seen = (row for row in _newest(conn) if row.observation_id)
    return _first(
        row.alert_id
        for row in seen
        if len(evidence.for_observation(conn, row.observation_id or "", row.site)) > 1
    )


def _reading(conn: Connection) -> str | None:
    found = [row for row in _newest(conn) if not row.observation_id and not row.result_id]
    return _first(row.alert_id for row in (*(one for one in found if "value" in one.facts), *found))


def _establishment(kind: EstablishmentKind) -> Finder:
    def find(conn: Connection) -> str | None:
        one = _best(conn, kind)
        return one.id if one else None

    return find


def _best(conn: Connection, kind: EstablishmentKind) -> Establishment | None:
    """The one of that kind with the most devices and alerts."""
    codes = [one.code for one in regions.all_regions(conn)]
    some = [one for one in establishments.list_in(conn, codes, 5000) if one.kind is kind]
    told = figures_of(conn, some)
    ranked = sorted(told, key=lambda one: (-one.devices, -one.open_alerts, one.establishment.id))
    return ranked[0].establishment if ranked else None


def _word(conn: Connection) -> str | None:
    one = _best(conn, EstablishmentKind.CANTEEN)
    return one.name[:2] if one else None


def _public(conn: Connection) -> str | None:
    one = _best(conn, EstablishmentKind.CANTEEN)
    return one.public_code if one else None


def _proposal(conn: Connection) -> str | None:
    codes = [one.code for one in regions.all_regions(conn)]
    return _first(one.id for one in proposals.list_in(conn, codes))


def _officer(conn: Connection) -> str | None:
    codes = [one.code for one in regions.all_regions(conn)]
    found = officers.list_in(conn, codes)
    return _first(one.id for one in found if one.role is officers.Role.TOWN)


def _region(conn: Connection) -> str | None:
    return _first(one.code for one in regions.all_regions(conn) if one.parent)


def _row(kind: str) -> Finder:
    def find(conn: Connection) -> str | None:
        rows = list_rows(conn, kind, EVERYWHERE, limit=1).rows
        return _first(one.standing.id for one in rows)

    return find


def _agent(column: str) -> Finder:
    def find(conn: Connection) -> str | None:
        told = (
            one.standing.cells for one in list_rows(conn, "devices", EVERYWHERE, limit=MOST).rows
        )
        return _first(one[column] for one in told if one["kind"] == "agent")

    return find


def _camera(column: str) -> Finder:
    def find(conn: Connection) -> str | None:
        told = (
            one.standing.cells for one in list_rows(conn, "devices", EVERYWHERE, limit=MOST).rows
        )
        return _first(one[column] for one in told if one["kind"] == "camera")

    return find


def _kept(conn: Connection) -> str | None:
    codes = [one.code for one in regions.all_regions(conn)]
    seen = (looks.list_in(conn, codes, limit=20)) or []
    return _first(one.kept_id for look in seen for one in kept_frames.of_look(conn, look.look_id))


def _look(conn: Connection) -> str | None:
    codes = [one.code for one in regions.all_regions(conn)]
    return _first(one.look_id for one in looks.list_in(conn, codes, limit=1))


def _webhook(conn: Connection) -> str | None:
    codes = [one.code for one in regions.all_regions(conn)]
    return _first(one.id for one in webhooks.list_in(conn, codes))


def _case(conn: Connection) -> str | None:
    # The one with the most steps.
    told = sorted(cases.list_in(conn, None), key=lambda one: -one.version)
    return _first(one.case_id for one in told)


def _result(conn: Connection) -> str | None:
    return _first(row.result_id for row in _newest(conn) if row.result_id)


def _task(conn: Connection) -> str | None:
    codes = [one.code for one in regions.all_regions(conn)]
    ends = datetime.max.replace(tzinfo=UTC)
    found = tasks.find(conn, tasks.Sight(codes), None, ends, MOST)
    return _first(one.id for one in sorted(found, key=lambda one: (one.site is None, one.id)))


def _room(conn: Connection) -> str | None:
    found = room_days.busiest(conn)
    return found[0] if found else None


def _room_day(conn: Connection) -> str | None:
    found = room_days.busiest(conn)
    return found[1].isoformat() if found else None


def _traced(conn: Connection) -> str | None:
    codes = [one.code for one in regions.all_regions(conn)]
    told = [one for one in results.list_in(conn, codes, MOST) if one.supplier]
    told.sort(key=lambda one: one.verdict is not Verdict.POSITIVE)
    return _first(one.result_id for one in told)


def _first(found: Iterable[str]) -> str | None:
    return next(iter(found), None)


IN_TOWN: dict[str, Finder] = {
    "test": _test,
    "picture": _picture,
    "reading": _reading,
    "case": _case,
    "result": _result,
    "market": _establishment(EstablishmentKind.MARKET),
    "canteen": _establishment(EstablishmentKind.CANTEEN),
    "word": _word,
    "public": _public,
    "proposal": _proposal,
    "officer": _officer,
    "region": _region,
    "site": _row("sites"),
    "stall": _row("stalls"),
    "agent_site": _agent("site"),
    "agent": _agent("device"),
    "camera_site": _camera("site"),
    "camera": _camera("device"),
    "kept": _kept,
    "look": _look,
    "duty": _row("duties"),
    "contact": _row("contacts"),
    "sampling": _row("samplings"),
    "population": _row("populations"),
    "webhook": _webhook,
    "task": _task,
    "room": _room,
    "room_day": _room_day,
    "traced": _traced,
}
"""What stands in pages' addresses, by name; a new name: one finder."""


def find(conn: Connection) -> dict[str, str]:
    """Everything of IN_TOWN that this town has."""
    found = {name: finder(conn) for name, finder in IN_TOWN.items()}
    return {name: value for name, value in found.items() if value is not None}
