"""Turns the hub's news into server-sent events for one console: filtered, rendered, numbered.

An event's id is a journal id: a browser that comes back with it misses nothing. A line of an alert
is rendered once for each language and right, however many look at it.
"""

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from contracts.words import Severity
from ledger import alert_search
from ledger.alert_search import Size
from ledger.alerts import AlertRow
from ledger.engine import LedgerDown, reading
from ledger.journal import CASE, DEVICE, LOOK, JournalRow
from server.access import Right, Scope, may
from server.desk import Counted, Tally, alert_lines, count_alerts, count_sought, tally
from server.desk_filter import DeskFilter, sought_of
from server.languages import Words
from server.live import Closing, News, TooFarBehind, TooSlow
from server.pages import fragment
from server.signing import Visit
from server.state import State

log = logging.getLogger(__name__)
RETRY_MS = 1000
"""How long a browser waits before it comes back by itself."""
_KEPT = 512


def event(name: str, number: int | None, body: object) -> bytes:
    """One server-sent event with a JSON body, as it is sent."""
    first = f"id: {number}\n" if number is not None else ""
    return f"{first}event: {name}\ndata: ".encode() + msgspec.json.encode(body) + b"\n\n"


class Once:
    """Answers that are worked out once and kept for a while, for many who ask at the same time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, asyncio.Task[Any]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """The answer kept under `key`, or what `make` makes."""
        task = self._kept.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.create_task(make())
            self._kept[key] = task
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        # Whoever leaves must not take the answer from the others.
        return await asyncio.shield(task)


_NONE = Size(0, 0)


class Shown(NamedTuple):
    """The alert that a line shows, and how many the line stands for (0: for itself)."""

    alert: AlertRow
    size: Size


class Rows:
    """Renders journal rows for streams."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.once = Once().get
        """What is asked for under a key, worked out once."""

    async def line(
        self, number: int, shown: Shown, words: Words, takes: bool, wanted: DeskFilter
    ) -> str:
        """A line as HTML, once journal row `number` is known."""

        def render() -> str:
            with reading(self.state.engine) as conn:
                key = alert_search.group_of(shown.alert)
                sizes = {key: shown.size} if key and shown.size.total else None
                (line,) = alert_lines(conn, [shown.alert], sizes)
            return fragment(
                self.state, words, "alerts/line.html",
                line=line, takes=takes, picks=takes, wanted=wanted,
            )  # fmt: skip

        # Only the line of a group leads to what the filter shows of it.
        of = wanted if shown.size.total > 1 else None
        key = ("line", number, shown.alert.alert_id, shown.size, words.language, takes, of)
        html: str = await self.once(key, lambda: asyncio.to_thread(render))
        return html

    async def counts(self, number: int, visit: Visit, wanted: DeskFilter) -> Tally:
        """The counts of a scope, and of a filter in it, once journal row `number` is known."""

        def count() -> Counted:
            with reading(self.state.engine) as conn:
                return count_alerts(conn, visit.scope)

        def count_here() -> Counted:
            with reading(self.state.engine) as conn:
                sought = sought_of(conn, visit, wanted, self.state.clock())
                return count_sought(conn, sought)

        key = ("counts", number, visit.scope)
        everything: Counted = await self.once(key, lambda: asyncio.to_thread(count))
        if wanted.plain:
            return tally(everything, wanted.severity)
        here = ("counts", number, visit.scope, wanted, visit.officer.id if wanted.mine else "")
        counted: Counted = await self.once(here, lambda: asyncio.to_thread(count_here))
        return tally(counted, wanted.severity, everything)

    async def shown(
        self, number: int, visit: Visit, wanted: DeskFilter, changed: Sequence[AlertRow]
    ) -> dict[str, Shown]:
        """The line that each changed alert's group has now, by the line's name; none is left out.

        What the alert itself tells (`DeskFilter.plain`, and it is in no group) needs no look.
        """
        plain = [one for one in changed if wanted.plain and _alone(wanted, one)]
        told = {one.alert_id: Shown(one, _NONE) for one in plain if wanted.shows(one)}
        rest = [one for one in changed if one not in plain]
        if not rest:
            return told

        def look() -> dict[str, Shown]:
            with reading(self.state.engine) as conn:
                sought = sought_of(conn, visit, wanted, self.state.clock())
                alone = [one.alert_id for one in rest if _alone(wanted, one)]
                keys = alert_search.keys_of(one for one in rest if not _alone(wanted, one))
                heads = alert_search.heads_of(conn, sought, keys)
                sizes = alert_search.sizes(conn, sought, keys)
                found = alert_search.matching(conn, sought, alone)
            made = {one.alert_id: Shown(one, _NONE) for one in found}
            for one in heads:
                made[line_name(wanted, one)] = Shown(
                    one, sizes.get((one.site, one.rule), Size(1, 0))
                )
            return made

        names = tuple(one.alert_id for one in rest)
        who = visit.officer.id if wanted.mine else ""
        key = ("shown", number, visit.scope, wanted, who, names)
        looked: dict[str, Shown] = await self.once(key, lambda: asyncio.to_thread(look))
        return told | looked


def _alone(wanted: DeskFilter, alert: AlertRow) -> bool:
    """Whether the alert has a line of its own on this desk."""
    return not wanted.grouped or alert_search.group_of(alert) is None


def line_name(wanted: DeskFilter, alert: AlertRow) -> str:
    """What a desk calls the line that an alert is in."""
    key = None if _alone(wanted, alert) else alert_search.group_of(alert)
    return alert.alert_id if key is None else "|".join(key)


Select = Callable[[News], Coroutine[Any, Any, Sequence[bytes]]]
"""The events that news make for one stream."""


def desk_events(rows: Rows, visit: Visit, words: Words, wanted: DeskFilter) -> Select:
    """Lines that come, change or go on an alert desk, with the new counts.

    What news make is worked out once, and written out once, for all streams that show the same.
    """
    takes = may(visit.officer, Right.ACKNOWLEDGE)
    who = visit.officer.id if wanted.mine else ""
    look = (visit.scope, words.language, takes, wanted, who)

    async def select(news: News) -> Sequence[bytes]:
        mine = [row for row in news.rows if _is_alert(row) and _covers(visit.scope, row)]
        if not mine:
            return []
        now = rows.state.clock()
        # Streams whose queues were emptied at other moments have other news. The age is told in
        # seconds, so what is kept serves those who ask within one.
        key = ("events", mine[0].id, mine[-1].id, len(mine), news.position, int(now.timestamp()))
        told: Sequence[bytes] = await rows.once((*key, *look), lambda: make(news, mine, now))
        return told

    async def make(news: News, mine: Sequence[JournalRow], now: datetime) -> list[bytes]:
        newest = {row.ref: row for row in mine}  # of one alert only its last change matters
        counts = msgspec.to_builtins(await rows.counts(news.position, visit, wanted))
        changed = sorted(newest.values(), key=lambda one: one.id)
        alerts = {row.ref: msgspec.convert(row.body, AlertRow) for row in changed}
        shown = await rows.shown(news.position, visit, wanted, list(alerts.values()))
        told = []
        for row in changed:
            alert = alerts[row.ref]
            name = line_name(wanted, alert)
            line = shown.get(name)
            raised = _is_raised(mine, row.ref)
            html = None
            if line is not None:
                number = row.id if line.alert is alert else news.position
                html = await rows.line(number, line, words, takes, wanted)
            body = {
                "alert_id": row.ref,
                "line": name,
                "html": html,
                "raised": raised,
                "urgent": raised and alert.severity is Severity.AT_ONCE,
                "age_s": max(0.0, (now - row.at).total_seconds()),
                "counts": counts,
            }
            told.append(event("alert", row.id, body))
        return told

    return select


def change_events(visit: Visit, wanted: Callable[[JournalRow], bool]) -> Select:
    """That something of interest has changed; the page fetches what it shows anew."""

    async def select(news: News) -> Sequence[bytes]:
        mine = [row for row in news.rows if wanted(row) and _covers(visit.scope, row)]
        return [event("change", mine[-1].id, {"ref": mine[-1].ref})] if mine else []

    return select


def of_alert(alert_id: str) -> Callable[[JournalRow], bool]:
    """Changes of one alert."""
    return lambda row: _is_alert(row) and row.ref == alert_id


def of_case(case_id: str) -> Callable[[JournalRow], bool]:
    """Changes of one case."""
    return lambda row: of_cases(row) and row.ref == case_id


def of_cases(row: JournalRow) -> bool:
    """Changes of cases."""
    return row.kind == CASE


def of_devices(row: JournalRow) -> bool:
    """Changes of devices' states."""
    return row.kind == DEVICE


def of_look(look_id: str) -> Callable[[JournalRow], bool]:
    """What comes of one look."""
    return lambda row: row.kind == LOOK and row.ref == look_id


async def follow(
    state: State, cursor: int, select: Select, still: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """One stream's events from journal id `cursor` on, until it ends.

    `still` says, at every heartbeat, whether the officer may go on looking.
    """
    heartbeat_s = state.settings.live.heartbeat_s
    yield f"retry: {RETRY_MS}\n\n".encode()
    yield event("tick", None, {})
    checked_at = told_at = time.monotonic()
    try:
        async with contextlib.aclosing(state.hub.news(cursor)) as told:
            async for news in told:
                now = time.monotonic()
                if now - checked_at >= heartbeat_s:
                    checked_at = now
                    if not await asyncio.to_thread(still):
                        yield event("reload", None, {})
                        return
                events = await select(news)
                for one in events:
                    yield one
                if events:
                    told_at = now
                elif now - told_at >= heartbeat_s:
                    told_at = now
                    yield event("tick", news.position, {})
    except TooFarBehind:
        yield event("reload", None, {})
    except (TooSlow, Closing):
        yield event("reconnect", None, {})
    except LedgerDown as error:
        log.warning("a live stream ends, the ledger cannot be read: %s", error)
        yield event("reconnect", None, {})


def _is_alert(row: JournalRow) -> bool:
    return row.kind.startswith("alert.")


def _is_raised(rows: Sequence[JournalRow], alert_id: str) -> bool:
    return any(
        row.ref == alert_id and row.body.get("event") in ("raised", "reopened") for row in rows
    )


def _covers(scope: Scope, row: JournalRow) -> bool:
    return scope.covers_site(row.region, row.site)
