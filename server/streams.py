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
from typing import Any

import msgspec

from ledger.alerts import AlertRow
from ledger.engine import LedgerDown, reading
from ledger.journal import DEVICE, JournalRow
from server.access import Right, Scope, may
from server.desk import Counted, DeskFilter, alert_lines, count_alerts, tally
from server.languages import Words
from server.live import Closing, News, TooFarBehind, TooSlow
from server.pages import fragment
from server.signing import Visit
from server.state import State

log = logging.getLogger(__name__)
RETRY_MS = 1000
"""How long a browser waits before it comes back by itself."""
_KEPT = 512


def event(name: str, number: int | None, body: object) -> str:
    """One server-sent event with a JSON body."""
    lines = [f"id: {number}"] if number is not None else []
    lines += [f"event: {name}", f"data: {msgspec.json.encode(body).decode()}"]
    return "\n".join(lines) + "\n\n"


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


class Rows:
    """Renders journal rows for streams."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._once = Once()

    async def line(self, number: int, alert: AlertRow, words: Words, acts: bool) -> str:
        """The alert's line as HTML."""

        def render() -> str:
            with reading(self.state.engine) as conn:
                (line,) = alert_lines(conn, [alert])
            return fragment(self.state, words, "alerts/line.html", line=line, acts=acts)

        key = ("line", number, words.language, acts)
        html: str = await self._once.get(key, lambda: asyncio.to_thread(render))
        return html

    async def counts(self, number: int, scope: Scope) -> Counted:
        """The counts of a scope once journal row `number` is known."""

        def count() -> Counted:
            with reading(self.state.engine) as conn:
                return count_alerts(conn, scope)

        key = ("counts", number, scope)
        counted: Counted = await self._once.get(key, lambda: asyncio.to_thread(count))
        return counted


Select = Callable[[News], Coroutine[Any, Any, Sequence[str]]]
"""The events that news make for one stream."""


def desk_events(rows: Rows, visit: Visit, words: Words, wanted: DeskFilter) -> Select:
    """Lines that come, change or go on an alert desk, with the new counts."""
    acts = may(visit.officer, Right.ACKNOWLEDGE)

    async def select(news: News) -> list[str]:
        mine = [row for row in news.rows if _is_alert(row) and _covers(visit.scope, row)]
        if not mine:
            return []
        newest = {row.ref: row for row in mine}  # of one alert only its last change matters
        counted = await rows.counts(news.position, visit.scope)
        counts = msgspec.to_builtins(tally(counted, wanted.severity))
        told = []
        for row in sorted(newest.values(), key=lambda one: one.id):
            alert = msgspec.convert(row.body, AlertRow)
            shown = wanted.shows(alert)
            html = await rows.line(row.id, alert, words, acts) if shown else None
            body = {"alert_id": row.ref, "html": html, "raised": True, "counts": counts}
            told.append(event("alert", row.id, body | {"raised": _is_raised(mine, row.ref)}))
        return told

    return select


def change_events(visit: Visit, wanted: Callable[[JournalRow], bool]) -> Select:
    """That something of interest has changed; the page fetches what it shows anew."""

    async def select(news: News) -> list[str]:
        mine = [row for row in news.rows if wanted(row) and _covers(visit.scope, row)]
        return [event("change", mine[-1].id, {"ref": mine[-1].ref})] if mine else []

    return select


def of_alert(alert_id: str) -> Callable[[JournalRow], bool]:
    """Changes of one alert."""
    return lambda row: _is_alert(row) and row.ref == alert_id


def of_devices(row: JournalRow) -> bool:
    """Changes of devices' states."""
    return row.kind == DEVICE


async def follow(
    state: State, cursor: int, select: Select, still: Callable[[], bool]
) -> AsyncIterator[str]:
    """One stream's events from journal id `cursor` on, until it ends.

    `still` says, at every heartbeat, whether the officer may go on looking.
    """
    heartbeat_s = state.settings.live.heartbeat_s
    yield f"retry: {RETRY_MS}\n\n"
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
