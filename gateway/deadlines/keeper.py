"""Keeps the deadlines of the ledger's alerts: winds what waits, escalates, gives cards.

Each transaction locks some alerts, winds their clocks and writes all that follows: either all of it
is in the ledger or none, so that a restart or a second gateway misses and repeats nothing.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import msgspec

from contracts.words import Due, both
from contracts.workdays import Calendar, CalendarMissing
from gateway.deadlines.policy import NoPolicy, PolicyBook
from gateway.deadlines.wind import AlertClock, Happened, Missed, Place, Winder
from ledger import cards, deadlines, duties, regions
from ledger.alert_life import note_only
from ledger.alerts import AlertRow, TimelineEntry
from ledger.cards import Card
from ledger.deadlines import Shown, Unwound, Wound
from ledger.duties import Responsible, Staff
from ledger.engine import Connection, Engine, reading, writing

CHUNK = 5
"""So many are wound in one transaction: on SQLite the next alert waits for it."""
LOOK = 1000
_ASKED = {
    Due.ACKNOWLEDGE: ("签收", "acknowledged"),
    Due.DISPOSE: ("处置", "disposed of"),
    Due.REVIEW: ("复核", "reviewed"),
}


class Kept(msgspec.Struct, frozen=True):
    """What one look came to."""

    missed: tuple[tuple[str, Missed], ...] = ()
    """Alert ids with the deadlines that ran out."""
    cards: tuple[Card, ...] = ()
    stuck: tuple[str, ...] = ()
    """Why some alerts have no deadline, each reason once."""
    more: bool = False
    """There is more to do now."""


class Keeper:
    """Looks when it is asked to."""

    def __init__(self, engine: Engine, book: PolicyBook, calendar: Calendar) -> None:
        self._engine = engine
        self._book = book
        self._winder = Winder(book, calendar)

    def look(self, now: datetime, rest: Callable[[float], object] = lambda _: None) -> Kept:
        """Wind every clock that waits at `now`. Raises LedgerDown; what was committed stays.

        `rest` is called after each transaction with the seconds that it took.
        """
        with reading(self._engine) as conn:
            numbers = deadlines.waiting(conn, now, LOOK)
        found = []
        for first in range(0, len(numbers), CHUNK):
            begun = time.monotonic()
            found.append(self._wind_some(numbers[first : first + CHUNK], now))
            rest(time.monotonic() - begun)
        stuck = tuple(dict.fromkeys(why for one in found for why in one.stuck))
        return Kept(
            missed=tuple(miss for one in found for miss in one.missed),
            cards=tuple(card for one in found for card in one.cards),
            stuck=stuck,
            more=len(numbers) >= LOOK and not stuck,
        )

    def _wind_some(self, numbers: Sequence[int], now: datetime) -> Kept:
        missed: list[tuple[str, Missed]] = []
        given: list[Card] = []
        stuck: list[str] = []
        wound: list[Wound] = []
        with writing(self._engine) as conn:
            taken = deadlines.take(conn, numbers, now)
            happened = deadlines.happened(conn, taken)
            asked = _Asked(conn, taken, happened, now)
            for one in taken:
                alert_id = one.alert.alert_id
                try:
                    clock, misses, gave = self._wind(conn, one, happened[alert_id], asked, now)
                except (CalendarMissing, NoPolicy) as error:
                    stuck.append(str(error))
                    continue
                wound.append(clock)
                missed += [(alert_id, miss) for miss in misses]
                given += gave
            deadlines.keep(conn, wound, now)
        return Kept(tuple(missed), tuple(given), tuple(stuck))

    def _wind(
        self,
        conn: Connection,
        one: Unwound,
        happened: Sequence[TimelineEntry],
        asked: "_Asked",
        now: datetime,
    ) -> tuple[Wound, list[Missed], list[Card]]:
        alert = one.alert
        place = Place(alert.region, alert.severity, lambda at: asked.at_first(alert, at).level)
        before = msgspec.convert(one.clock, AlertClock)
        steps = [Happened(entry.at, entry.kind) for entry in happened]
        clock, misses = self._winder.wind(before, place, steps, now)
        _tell_orphan(conn, alert, happened, asked)
        for miss in misses:
            if miss.standing:
                deadlines.escalated(conn, alert, _shown(miss.clock), miss.at, _body(miss))
            else:
                note_only(conn, alert.alert_id, miss.at, "escalated", body=_body(miss))
        gave = [card for card in (self._card(conn, alert, miss, asked) for miss in misses) if card]
        wound = Wound(
            alert,
            msgspec.to_builtins(clock),
            _shown(clock),
            max((entry.id for entry in happened), default=one.wound_to),
            told=any(miss.standing for miss in misses),
        )
        return wound, misses, gave

    def _card(
        self, conn: Connection, alert: AlertRow, miss: Missed, asked: "_Asked"
    ) -> Card | None:
        """The card that a miss costs; none if the establishment could not have been told."""
        if not miss.cards:
            return None
        if not asked.staff.people(alert.establishment_id):
            return None
        lasts = timedelta(days=self._book.policy(alert.region, miss.at).yellow_stands_days)
        zh, en = _ASKED[miss.kind]
        reason = both(
            f"{int(alert.severity)} 类预警逾期未{zh}：{alert.title_zh}",
            f"class {int(alert.severity)} alert not {en} in time: {alert.title_en}",
        )
        return cards.give(conn, alert, reason, miss.at, lasts=lasts)


class _Asked:
    """Who is responsible at first for the alerts of one transaction, by one read of their staff."""

    def __init__(
        self,
        conn: Connection,
        taken: Sequence[Unwound],
        happened: Mapping[str, Sequence[TimelineEntry]],
        now: datetime,
    ) -> None:
        self._conn = conn
        self._alerts = [one.alert for one in taken]
        moments = [entry.at for some in happened.values() for entry in some]
        clocks = (msgspec.convert(one.clock, AlertClock).at for one in taken)
        self._since = min(moments, default=now)
        self._until = max([now, *moments, *(at for at in clocks if at is not None)])

    @cached_property
    def staff(self) -> Staff:
        """Of all the alerts' places, from the first thing that happened to one of them on."""
        paths = regions.paths(self._conn, {one.region for one in self._alerts})
        own = {one.establishment_id for one in self._alerts if one.establishment_id is not None}
        return duties.staff(self._conn, paths, own, self._since, self._until)

    def at_first(self, alert: AlertRow, at: datetime) -> Responsible:
        """Of one alert, at a moment at which something happened to it."""
        return self.staff.responsible(alert, 0, at)


def _tell_orphan(
    conn: Connection, alert: AlertRow, happened: Iterable[TimelineEntry], asked: _Asked
) -> None:
    """Put on record that nobody was responsible where the alert was raised."""
    for entry in happened:
        if entry.kind in ("raised", "reopened"):
            found = asked.at_first(alert, entry.at)
            if found.orphan:
                body = {"level": found.level, "nobody": not found.officers}
                note_only(conn, alert.alert_id, entry.at, "orphan", body=body)


def _shown(clock: AlertClock) -> Shown:
    """An alert shows the level that a miss has raised it to; whoever is told of it at first is
    found by `duties.responsible`, from the lowest level on."""
    level = clock.level if clock.escalated else 0
    return Shown(level, clock.due_at, clock.kind, clock.overdue_since)


def _body(miss: Missed) -> dict[str, Any]:
    return {
        "due_kind": miss.kind.value,
        "from": miss.level_before,
        "to": miss.level,
        "told": miss.standing,
    }
