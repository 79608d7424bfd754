"""Fans the ledger's journal out to open consoles: one follower a process, a bounded queue a stream.

The follower looks into the journal every `poll_s` and hands the rows that consoles show to every
stream. A stream that starts after journal id n reads what lies between n and the follower's place
from the ledger itself, and goes on from its queue: nothing between is missed, nothing comes twice.
A stream whose queue is full is ended; its browser comes back with the last id that it has seen.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import NamedTuple, TypeVar

from ledger import journal
from ledger.engine import Connection, Engine, LedgerDown, reading
from ledger.journal import JournalRow
from server.metrics import Metrics
from server.settings import LiveSettings

log = logging.getLogger(__name__)
T = TypeVar("T")
BATCH = 500
FOLLOWED = frozenset(
    {
        journal.ALERT_RAISED,
        journal.ALERT_ACKNOWLEDGED,
        journal.ALERT_DISPOSING,
        journal.ALERT_REVIEWED,
        journal.ALERT_RETURNED,
        journal.ALERT_PAUSED,
        journal.ALERT_RESUMED,
        journal.ALERT_ESCALATED,
        journal.ALERT_RESOLVED,
        journal.ALERT_CLOSED,
        journal.ALERT_JUDGED,
        journal.CASE,
        journal.DEVICE,
        journal.LOOK,
    }
)
"""Kinds of journal rows that a console shows."""


class TooFarBehind(Exception):
    """More has happened than a stream tells after a break, or the journal is another one."""


class TooSlow(Exception):
    """The browser did not take what was sent; it must come back."""


class Closing(Exception):
    """The process is ending."""


class News(NamedTuple):
    """Rows in order, and the journal id up to which the stream now knows everything."""

    rows: Sequence[JournalRow]
    position: int


class Stream:
    """One open console's place: rows wait here until they are sent."""

    def __init__(self, joined_at: int, size: int) -> None:
        self.joined_at = joined_at
        """Every row after this journal id comes by the queue."""
        self.size = size
        self.waiting: deque[JournalRow] = deque()
        self.woken = asyncio.Event()
        self.dropped = False

    def offer(self, rows: Sequence[JournalRow]) -> bool:
        """Queue rows; False if there is no room, and then the stream is over."""
        if len(self.waiting) + len(rows) > self.size:
            self.dropped = True
            self.waiting.clear()
        else:
            self.waiting.extend(rows)
        self.woken.set()
        return not self.dropped

    def take(self) -> list[JournalRow]:
        """Everything that waits."""
        rows = list(self.waiting)
        self.waiting.clear()
        self.woken.clear()
        return rows


class Hub:
    """The follower and the streams that it feeds. All of it runs in the event loop's thread."""

    def __init__(self, engine: Engine, settings: LiveSettings, metrics: Metrics) -> None:
        self.engine = engine
        self.settings = settings
        self.metrics = metrics
        self.position = 0
        self.streams: set[Stream] = set()
        self.started = asyncio.Event()
        self.closing = False

    async def follow(self) -> None:
        """Follow the journal until cancelled. Survives a ledger that is away."""
        while True:
            try:
                await self._advance()
            except LedgerDown as error:
                self.metrics.journal_failures.inc()
                log.warning("the journal cannot be read: %s", error)
            except Exception:  # a defect must not end every console's live stream
                self.metrics.journal_failures.inc()
                log.exception("following the journal failed")
            await asyncio.sleep(self.settings.poll_s)

    async def _advance(self) -> None:
        if not self.started.is_set():
            self.position = await self._read(journal.last_id)
            self.started.set()
        while rows := await self._after(self.position):
            self.position = rows[-1].id
            self.metrics.journal_position.set(self.position)
            shown = [row for row in rows if row.kind in FOLLOWED]
            for stream in list(self.streams) if shown else ():
                if not stream.offer(shown):
                    log.info("a live stream is too slow and is ended")
                    self.metrics.streams_dropped.inc()
                    self._leave(stream)

    async def news(self, cursor: int) -> AsyncGenerator[News, None]:
        """What the journal says after `cursor`, for ever; without rows after a silent heartbeat.

        Raises TooFarBehind, TooSlow and Closing.
        """
        await self.started.wait()
        stream = Stream(self.position, self.settings.queue)
        self.streams.add(stream)
        self.metrics.streams.set(len(self.streams))
        try:
            async for missed in self._missed(cursor, stream.joined_at):
                cursor = missed.position
                yield missed
            while True:
                rows = [row for row in await self._next(stream) if row.id > cursor]
                # No await between taking the queue and here: what the follower has passed by
                # without queueing it is of no interest to a console.
                cursor = max(cursor, rows[-1].id if rows else self.position)
                yield News(rows, cursor)
        finally:
            self._leave(stream)

    async def _missed(self, cursor: int, until: int) -> AsyncIterator[News]:
        if cursor > await self._read(journal.last_id):
            raise TooFarBehind
        told = 0
        while cursor < until:
            rows = [row for row in await self._after(cursor) if row.id <= until]
            if not rows:
                return
            cursor = rows[-1].id
            shown = [row for row in rows if row.kind in FOLLOWED]
            told += len(shown)
            if told > self.settings.backlog:
                raise TooFarBehind
            yield News(shown, cursor)

    async def _next(self, stream: Stream) -> list[JournalRow]:
        if not (stream.waiting or stream.dropped or self.closing):
            try:
                async with asyncio.timeout(self.settings.heartbeat_s):
                    await stream.woken.wait()
            except TimeoutError:
                pass
        if self.closing:
            raise Closing
        if stream.dropped:
            raise TooSlow
        return stream.take()

    def close(self) -> None:
        """End every stream now."""
        self.closing = True
        self.started.set()
        for stream in self.streams:
            stream.woken.set()

    def _leave(self, stream: Stream) -> None:
        self.streams.discard(stream)
        self.metrics.streams.set(len(self.streams))

    async def _after(self, cursor: int) -> list[JournalRow]:
        return await self._read(lambda conn: journal.after(conn, cursor, BATCH))

    async def _read(self, query: Callable[[Connection], T]) -> T:
        def run() -> T:
            with reading(self.engine) as conn:
                return query(conn)

        return await asyncio.to_thread(run)
