"""Judging the few whose absence is in question finds what judging everybody finds."""

import time
from datetime import timedelta
from typing import Any

import pytest
from gateway_town import COLD, KINDS, NOON, READER, canteen, market
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from contracts.topics import Identity
from contracts.words import DeviceState
from gateway.alerts.absence import AbsenceState, View, look
from gateway.alerts.book import RuleBook
from gateway.registry import ANEW_S, Devices
from ledger import devices
from ledger.engine import Engine, writing
from ledger.schema import devices as table

MOMENTS = st.integers(-200, 0).map(lambda s: NOON + timedelta(seconds=s))
TIMES = st.none() | MOMENTS
ROWS = st.fixed_dictionaries(
    {
        "silent_after_s": st.sampled_from((None, 30.0, 60.0, 90.0)),
        "last_seen_at": TIMES,
        "registered_at": MOMENTS,
        "state": st.sampled_from(("online", "offline", "unknown", "degraded")),
    }
)
SINCE_OR_FIRING = st.builds(AbsenceState, TIMES, st.booleans(), TIMES)
GONE = canteen("gone")


class Undo(Exception):
    """Raised to leave a ledger as it was."""


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_the_few_are_enough(ledger: Engine, book: RuleBook, data: st.DataObject) -> None:
    rules = [rule.id for rule in (*book.offlines, *book.silences)]
    keys = st.tuples(
        st.sampled_from(rules), st.sampled_from([who.source for who in (*KINDS, GONE)])
    )
    states = data.draw(st.dictionaries(keys, SINCE_OR_FIRING, max_size=6))
    listening_since = NOON - timedelta(seconds=data.draw(st.sampled_from((0, 50, 1000))))
    with pytest.raises(Undo), writing(ledger) as conn:
        for who in KINDS:
            _say(conn, who, data.draw(ROWS))
        also = [
            Identity(*source.split("/")[1:])
            for (_, source), state in states.items()
            if state.since or state.firing
        ]
        few = devices.doubtful(conn, NOON, also)
        everybody = list(devices.registry(conn).values())
        found = look(book, View(NOON, listening_since, few), states)
        wanted = look(book, View(NOON, listening_since, everybody), states)
        assert found.states == wanted.states
        assert sorted(found.unknown) == sorted(wanted.unknown)
        told = [sorted(map(repr, one.outcomes)) for one in (found, wanted)]
        assert told[0] == told[1]
        raise Undo


def _say(conn: Any, who: Identity, values: dict[str, Any]) -> None:
    where = (table.c.site == who.site, table.c.device == who.device)
    conn.execute(update(table).where(*where).values(values))


def test_nobody_is_read_while_all_are_well(ledger: Engine) -> None:
    with writing(ledger) as conn:
        assert devices.doubtful(conn, NOON, ()) == []
        _say(conn, COLD, {"silent_after_s": 60.0})
        late = NOON + timedelta(seconds=61)
        with_agent = [canteen("agent"), COLD]
        assert [one.identity for one in devices.doubtful(conn, late, ())] == with_agent
        # A probe that says "offline" is not an agent's farewell.
        _say(conn, READER, {"state": DeviceState.OFFLINE.value})
        assert devices.doubtful(conn, NOON, ()) == []
        _say(conn, market("agent"), {"state": DeviceState.OFFLINE.value})
        assert [one.identity for one in devices.doubtful(conn, NOON, ())] == [market("agent")]
        found = devices.doubtful(conn, NOON, [READER, GONE])
        assert [one.identity for one in found] == [canteen("agent"), market("agent"), READER]


def test_the_registry_is_read_now_and_then(ledger: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    registry = Devices(ledger)
    first = registry.known()
    assert set(first) == set(KINDS) and first[COLD].name == "一号冷库"
    with writing(ledger) as conn:
        _say(conn, COLD, {"name": "冷库"})
    now[0] += ANEW_S
    registry.keep_fresh()
    assert registry.known() is first
    now[0] += 1
    registry.keep_fresh()
    assert registry.known()[COLD].name == "冷库"


def test_a_long_list_is_not_read_all_the_time(
    ledger: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter((0.0, 0.5, 10.4, 10.6))  # half a second to read
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    registry = Devices(ledger)
    registry.refresh()
    assert not registry.may_be_old()
    assert registry.may_be_old()
