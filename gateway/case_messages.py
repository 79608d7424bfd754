"""Tells people of cases: follows the journal and the clock, one message to each of what is new.

Whoever finds something takes the turn (the cursor's row, locked for one transaction), keeps what is
told with its messages, and commits them with the cursor: a restart and a second gateway miss and
repeat nothing. What happened more than a day ago is no news; what is due is told whenever it is.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from contracts.casework_clocks import Casework, clocks
from contracts.casework_reminders import next_reminder
from contracts.notices import compose
from contracts.words import Severity
from contracts.workdays import day_began
from gateway.notify import budget
from gateway.notify.case_telling import CaseTold, Said, by_recipient
from gateway.notify.pipeline_settings import PipelineSettings
from gateway.notify.routing import key_of
from ledger import case_tellings, cases, cursors, notifications, notify_groups
from ledger.case_tellings import Telling
from ledger.engine import Connection
from ledger.notifications import NewNotification
from ledger.notify_groups import Group
from ledger.pressures import pressures

CURSOR = "cases"
NEWS = timedelta(days=1)
ROWS = 200
CASES = 50
"""Most of the journal's rows, and of the cases with something due, in one transaction."""


def look(
    conn: Connection, work: Casework, settings: PipelineSettings, group: str, at: datetime
) -> tuple[int, bool] | None:
    """Make the messages of what is new and due; how many, and whether there may be more.

    None while somebody else is at it. Raises LedgerDown; commit it.
    """
    cursor = f"{group}.{CURSOR}"
    position = notify_groups.turn(conn, cursor)
    if position is None:
        return None
    position = cursors.get(conn, cursor)
    changes, come_to = case_tellings.changes(conn, position, ROWS)
    said: list[Said] = []
    for one in changes:
        row = cases.get(conn, one.case_id) if at - one.at <= NEWS else None
        if row is not None:
            said += CaseTold(conn, work, row, at).changed(one)
    due = case_tellings.take_due(conn, at, CASES)
    for row in due:
        told = CaseTold(conn, work, row, at)
        said += told.due()
        following = next_reminder(clocks(work, told.whole, at), at)
        case_tellings.remind_next(conn, row.case_id, following)
    made = _write(conn, settings, said, at)
    if come_to > position:
        cursors.set(conn, cursor, come_to)
    return made, len(changes) == ROWS or len(due) == CASES


def _write(conn: Connection, settings: PipelineSettings, said: Sequence[Said], at: datetime) -> int:
    by_key = {(one.row.case_id, one.what, one.recipient): one for one in said}
    new = case_tellings.keep(conn, (Telling(*key, at) for key in by_key))
    told = by_recipient(by_key[one.case_id, one.what, one.recipient] for one in new)
    made = [_message(some) for some in told.values()]
    if not made:
        return 0
    asked = {(one.recipient, one.route) for one in made}
    since = at - timedelta(seconds=settings.storm_window_s)
    had = pressures(conn, asked, since, day_began(at))
    held = budget.hold_back(made, had, settings)
    notifications.enqueue(conn, held.new, at)
    _begin_storms(conn, held.storms, at, at + timedelta(seconds=settings.storm_window_s))
    return len(made)


def _message(some: Sequence[Said]) -> NewNotification:
    """One message of all that one person is told at a time: what was missed first."""
    ordered = sorted(some, key=lambda one: (-one.level, one.what.partition("|")[0] != "over"))
    wording = compose([one.part for one in ordered])
    first = ordered[0]
    keys = "\n".join(sorted(f"{one.row.case_id}|{one.what}" for one in some))
    only = {one.row.case_id for one in some}
    sites = {one.row.site for one in some}
    return NewNotification(
        dedupe=f"case|{hashlib.sha256(keys.encode()).hexdigest()[:32]}|{first.recipient}",
        kind="case",
        severity=Severity.DEADLINE,
        recipient=first.recipient,
        title_zh=wording.title_zh,
        title_en=wording.title_en,
        body_zh=wording.body_zh,
        body_en=wording.body_en,
        group_key=f"case|{first.row.case_id}" if len(only) == 1 else "case|",
        level=max(one.level for one in some),
        region=first.row.region,
        site=first.row.site if len(sites) == 1 else "",
    )


def _begin_storms(
    conn: Connection, storms: Iterable[tuple[str, str]], at: datetime, ends_at: datetime
) -> None:
    """When the digests of storms that begin now are to go."""
    begun = {f"storm|{who}|{route}": (who, route) for who, route in storms}
    running = notify_groups.by_key(conn, begun)
    new = [
        Group(key, "storm", at, ends_at, told_to=(key_of(*whom),))
        for key, whom in begun.items()
        if key not in running
    ]
    notify_groups.put(conn, new, [])
