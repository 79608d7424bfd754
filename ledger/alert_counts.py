"""How many alerts there are by class and state: quick however many have been closed over the years.

Open ones are few and are counted each time, by an index. How many there have ever been only grows:
alerts are never removed, and keep their rule, class and region. So a process keeps, for each set of
regions that is asked for, what it has once counted up to some alert's number, and from then on
counts only what has come since; what is not open is closed.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, func, select

from contracts.words import OPEN_STATES, AlertState, Severity
from ledger.alert_types import AlertCount
from ledger.schema import alerts

UNSURE = 2000
"""Of the newest so many, some may not be committed yet: they are counted anew each time."""
STEP = 2 * UNSURE
"""Once so many have come since, what is kept moves on."""
SCOPES = 1000
"""Sets of regions that are kept; the one that was asked for longest ago goes first."""

Kinds = Counter[tuple[int, str]]
"""Alerts by class and rule."""


class _Kept(NamedTuple):
    upto: int
    """The greatest number that is counted in."""
    kinds: Kinds


class _Ever:
    """What one process keeps of one ledger."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def kinds(self, conn: Connection, regions: Sequence[str]) -> Kinds:
        """All alerts that there have ever been in these regions."""
        key = tuple(sorted(regions))
        newest = conn.scalar(select(func.max(alerts.c.number))) or 0
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or kept.upto > newest:  # a ledger put back from an older copy, too
            kept = _Kept(0, Counter())
        sure = max(0, newest - UNSURE)
        if kept.upto == 0 or sure - kept.upto >= STEP:
            more = _between(conn, key, kept.upto, sure)
            kept = _Kept(sure, kept.kinds + more)
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > SCOPES:
                self._kept.popitem(last=False)
        return kept.kinds + _between(conn, key, kept.upto, newest)


_EVER: "WeakKeyDictionary[Engine, _Ever]" = WeakKeyDictionary()
_MAKING = threading.Lock()


def counts(conn: Connection, regions: Sequence[str]) -> list[AlertCount]:
    """Alerts in `regions` by class and state; what has none is left out."""
    total: Counter[int] = Counter()
    for (severity, _), count in _ever(conn).kinds(conn, regions).items():
        total[severity] += count
    query = (
        select(alerts.c.severity, alerts.c.state, func.count())
        .where(alerts.c.region.in_(regions), alerts.c.state.in_([one.value for one in OPEN_STATES]))
        .group_by(alerts.c.severity, alerts.c.state)
        .order_by(alerts.c.severity, alerts.c.state)
    )
    told = []
    for severity, state, count in conn.execute(query):
        told.append(AlertCount(Severity(severity), AlertState(state), count))
        total[severity] -= count
    closed = AlertState.CLOSED
    told += [AlertCount(Severity(one), closed, n) for one, n in sorted(total.items()) if n > 0]
    return told


def rules_in(conn: Connection, regions: Sequence[str]) -> list[str]:
    """The rules that ever raised an alert in these regions."""
    return sorted({rule for _, rule in _ever(conn).kinds(conn, regions)})


def _ever(conn: Connection) -> _Ever:
    with _MAKING:
        return _EVER.setdefault(conn.engine, _Ever())


def _between(conn: Connection, regions: Sequence[str], after: int, upto: int) -> Kinds:
    if after >= upto:
        return Counter()
    query = (
        select(alerts.c.severity, alerts.c.rule, func.count())
        .where(alerts.c.number > after, alerts.c.number <= upto, alerts.c.region.in_(regions))
        .group_by(alerts.c.severity, alerts.c.rule)
    )
    return Counter({(severity, rule): count for severity, rule, count in conn.execute(query)})
