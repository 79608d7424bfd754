"""Keeps testing rooms' books retained on MQTT, and counts how far tasks are as uploads come in.

It follows the ledger's journal for what was tested and asked where, and whose stalls changed, in a
thread of its own; intake does not wait for it. Of several gateways one does it, under a lease.
Whoever takes the lease looks at all rooms; so does everybody now and then, for what no journal
tells (a site's new name, a task that is over). A book is stored before it is published, and
published until the broker has it.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from contracts.clock import Clock
from contracts.envelope import encode
from contracts.products import Products
from contracts.topics import Channel, Identity, device_topic
from gateway.broker import Broker, Outbound
from gateway.health import Health
from gateway.lease import Lease
from gateway.looking import look_every
from gateway.metrics import Metrics
from ledger import journal, room_books, sample_links, task_progress, tasks
from ledger.engine import Connection, Engine, reading, writing
from ledger.room_books import KeptBook
from ledger.tasks import Reach, Task

PART = "rooms"
TICK_S = 1.0
ROWS = 2000
"""Rows of the journal in one look."""
AT_ONCE = 40
"""Books in one go."""
COUNT_EVERY = timedelta(seconds=3)
"""What is tested moves tasks at most so often."""
SWEEP = timedelta(minutes=2)
"""So often every room is looked at, whatever the journal says."""
OVER = timedelta(days=3)
"""Tasks are counted, and shown in books, for so long after they were due."""
SETTLED = timedelta(minutes=10)
"""Samples of so long are looked at for results that another gateway was storing meanwhile."""
PUBLISH_LIMIT_S = 5.0
_TOLD = (journal.RESULT, journal.SAMPLE, journal.STALL)


class RoomKeeper:
    """Works from `run` to `stop`."""

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        *,
        name: str,
        group: str,
        metrics: Metrics,
        health: Health,
        clock: Clock,
        products: Callable[[], Products] = Products,
    ) -> None:
        self._engine = engine
        self._broker = broker
        self._lease = Lease(engine, f"{group}.rooms", name, clock)
        self._metrics = metrics
        self._health = health
        self._clock = clock
        self._products = products()
        self._held = False
        self._session: int | None = None
        self._cursor = 0
        self._sweep_at: datetime | None = None
        self._compose_at: datetime = clock()
        self._dirty: set[str] = set()
        """Sites at which something was tested, or whose stalls have changed."""

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""
        look_every(
            stop,
            self.look_once,
            every_s=TICK_S,
            part=PART,
            metrics=self._metrics,
            health=self._health,
            at_once=True,
        )
        self._lease.end()

    def look_once(self) -> bool:
        """Count, compose and publish what has changed; True if there is more. Raises LedgerDown."""
        if not self._lease.hold():
            self._held = False
            self._health.well(PART)
            return False
        now = self._clock()
        if not self._held:
            self._held, self._sweep_at, self._session = True, None, None
        everything = self._sweep_at is None or now >= self._sweep_at
        with reading(self._engine) as conn:
            if self._sweep_at is None:
                self._cursor, more = journal.last_id(conn), False
            else:
                more, anew = self._read_journal(conn)
                everything = everything or anew
        if everything or (self._dirty and now >= self._compose_at):
            self._compose(now, everything=everything)
        if everything:
            self._sweep_at = now + SWEEP
        return self._publish() or more

    def _read_journal(self, conn: Connection) -> tuple[bool, bool]:
        """Whether there is more of it, and whether a task was given or withdrawn."""
        rows = journal.told_after(conn, self._cursor, ROWS)
        self._dirty |= {row.site for row in rows if row.kind in _TOLD}
        if rows:
            self._cursor = rows[-1].id
        return len(rows) == ROWS, any(row.kind == journal.TASK for row in rows)

    def _compose(self, now: datetime, *, everything: bool) -> None:
        """Count the tasks that the tests may move, and store what is another book now.

        What is to be written is found first, outside of any writing transaction.
        """
        sites = None if everything else set(sorted(self._dirty)[:AT_ONCE])
        if everything:
            self._settle(now)
        with reading(self._engine) as conn:
            given = tasks.asked_since(conn, now - OVER)
            touched = given
            if sites is not None:
                reach = tasks.reaches(conn, sites)
                touched = [one for one in given if _reached(one, reach)]
            moved = task_progress.moved(conn, touched, self._products.group_of)
        if moved:
            with writing(self._engine) as conn:
                tasks.keep_counts(conn, moved)
        with reading(self._engine) as conn:
            if moved:
                given = tasks.asked_since(conn, now - OVER)
            found = room_books.rooms(conn, None if everything or moved else sites)
            left = room_books.left(conn, found) if everything else []
        if left:
            with writing(self._engine) as conn:
                room_books.close(conn, left)
        for start in range(0, len(found), AT_ONCE):
            with reading(self._engine) as conn:
                part = found[start : start + AT_ONCE]
                made = room_books.compose(conn, part, self._products, given, now)
                news = room_books.news(conn, made)
            if news:
                with writing(self._engine) as conn:
                    room_books.keep(conn, news)
        self._dirty = set() if sites is None else self._dirty - sites
        self._compose_at = now + COUNT_EVERY

    def _settle(self, now: datetime) -> None:
        with reading(self._engine) as conn:
            loose, numbers = sample_links.unsettled(conn, now - SETTLED)
        if loose or numbers:
            with writing(self._engine) as conn:
                sample_links.settle(conn, results=loose, numbers=numbers)

    def _publish(self) -> bool:
        """Publish what the broker has not; True if there is more."""
        if self._broker.trouble:
            return False
        if self._session != self._broker.new_sessions:
            session = self._broker.new_sessions
            with writing(self._engine) as conn:
                room_books.forget_published(conn)
            self._session = session
        with reading(self._engine) as conn:
            books = room_books.unpublished(conn, AT_ONCE)
            gone = room_books.gone(conn, AT_ONCE)
        if not books and not gone:
            self._health.well(PART)
            return False
        if not self._broker.publish_and_wait(
            [*map(clearing, gone), *map(message, books)], PUBLISH_LIMIT_S
        ):
            self._health.trouble(PART, "the broker does not take the rooms' books")
            return False
        with writing(self._engine) as conn:
            room_books.note_cleared(conn, gone)
            room_books.note_published(conn, books)
        self._health.well(PART)
        return AT_ONCE in (len(books), len(gone))


def _reached(task: Task, reach: dict[str, Reach]) -> bool:
    return any(place.covered_by(task, site) for site, place in reach.items())


def clearing(who: Identity) -> Outbound:
    """What takes the retained book from a topic that is no room's any more."""
    return Outbound(device_topic(who, Channel.ROOM), b"", retain=True)


def message(one: KeptBook) -> Outbound:
    """A book as it is retained."""
    topic = device_topic(one.who, Channel.ROOM)
    event_id = f"{one.site}-{one.agent}-{one.revision}"
    payload = encode("room", one.who, one.book, event_id=event_id, at=one.made_at)
    return Outbound(topic, payload, retain=True)
