"""What is missing, where, since when: waiting, silent, lost and thinned are told apart."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from ledger_town import AGENT, AT, after

from contracts.events import Numbering, Status
from contracts.sequences import RangeSet
from contracts.words import DeviceState
from ledger import devices, intake, missing
from ledger.engine import Engine, reading, writing
from ledger.missing import Missing, MissingKind


def told(book: Engine, at_s: float = 10.0, **changes: object) -> None:
    """The agent says how it is."""
    status = {"state": DeviceState.ONLINE, "at": after(at_s), "epoch": "e2", **changes}
    with writing(book) as conn:
        devices.mark_seen(conn, {AGENT: after(at_s)})
        devices.set_status(conn, AGENT, Status(**status), after(at_s))  # type: ignore[arg-type]


def taken_in(book: Engine, epoch: str, *numbers: int) -> None:
    with writing(book) as conn:
        intake.claim(conn, AGENT, epoch, numbers)


def found(book: Engine, at_s: float = 20.0) -> list[Missing]:
    with reading(book) as conn:
        return missing.find(conn, after(at_s), [AGENT.region])


def numbering(*given: tuple[str, int, int]) -> tuple[Numbering, ...]:
    return tuple(Numbering(name, AT, count, thinned) for name, count, thinned in given)


def test_a_whole_ledger_misses_nothing(town: Engine) -> None:
    taken_in(town, "e1", *range(1, 101))
    taken_in(town, "e2", 1, 2, 3)
    told(town, numbering=numbering(("e2", 3, 0), ("e1", 100, 0)), lowest_unreceipted=4)
    assert found(town) == []


def test_what_was_receipted_and_is_not_here_is_lost_and_named(town: Engine) -> None:
    taken_in(town, "e1", *range(1, 51), *range(60, 91))
    taken_in(town, "e2", 1)
    told(
        town,
        numbering=numbering(("e2", 9, 0), ("e1", 100, 0), ("e0", 7, 0)),
        lowest_unreceipted=5,
        backlog=5,
        oldest_unsent_age_s=2.0,
    )
    lost = {one.epoch: one for one in found(town)}
    assert {one.kind for one in lost.values()} == {MissingKind.LOST}
    assert lost["e1"].ranges == [(51, 59), (91, 100)]
    assert lost["e1"].events == 19
    assert lost["e2"].ranges == [(2, 4)], "from 5 on it still waits at the site"
    assert lost["e0"].ranges == [(1, 7)], "an epoch that the ledger never heard of"
    assert (lost["e0"].agent, lost["e0"].since) == (AGENT, AT)


def test_a_ledger_put_back_from_yesterday_shows_the_hole_after_the_agents_restart(
    town: Engine,
) -> None:
    taken_in(town, "e1", *range(1, 11))  # what the copy still knew of 40
    told(town, epoch="", numbering=numbering(("e1", 40, 0)))
    (gap,) = found(town)
    assert (gap.kind, gap.ranges) == (MissingKind.LOST, [(11, 40)])


def test_what_was_thinned_is_told_apart_from_what_was_lost(town: Engine) -> None:
    taken_in(town, "e2", *range(1, 11))
    told(town, numbering=numbering(("e2", 30, 15)), lowest_unreceipted=31)
    assert [(one.kind, one.events) for one in found(town)] == [
        (MissingKind.LOST, 5),
        (MissingKind.THINNED, 15),
    ]


def test_a_backlog_is_missing_when_it_waits_for_long_and_since_its_oldest(town: Engine) -> None:
    state = {"numbering": numbering(("e2", 90, 0)), "lowest_unreceipted": 1, "backlog": 90}
    told(town, oldest_unsent_age_s=5.0, **state)
    assert found(town, 20) == []
    told(town, 11, oldest_unsent_age_s=3600.0, detail="no receipts", **state)
    (gap,) = found(town, 20)
    assert (gap.kind, gap.events, gap.since) == (MissingKind.WAITING, 90, after(11 - 3600))
    assert (gap.detail, gap.epoch) == ("no receipts", "e2")


def test_a_silent_agent_is_a_gap_since_it_was_heard_and_its_backlog_is_remembered(
    town: Engine,
) -> None:
    (never,) = found(town, 3600)
    assert (never.kind, never.since) == (MissingKind.SILENT, None)
    state = {"numbering": numbering(("e2", 9, 0)), "lowest_unreceipted": 1, "backlog": 9}
    told(town, 10, **state)
    assert found(town, 40) == []
    (gap,) = found(town, 3600)
    assert (gap.kind, gap.events, gap.since) == (MissingKind.SILENT, 9, after(10))
    told(town, 11, state=DeviceState.OFFLINE, epoch="", detail="connection lost")  # a last will
    (gap,) = found(town, 20)
    assert (gap.kind, gap.events, gap.detail) == (MissingKind.SILENT, 9, "connection lost")


def test_an_agent_of_before_numbering_and_a_strange_one_say_nothing_false(town: Engine) -> None:
    told(town, lowest_unreceipted=500)
    told(town, 11, epoch="e9", lowest_unreceipted=500, numbering=numbering(("e2", 3, 0)))
    assert found(town) == []
    told(town, 12, oldest_unsent_age_s=1e30, backlog=1)
    assert [one.kind for one in found(town)] == [MissingKind.WAITING]


def test_only_the_asked_regions_are_told(town: Engine) -> None:
    with reading(town) as conn:
        assert missing.find(conn, AT + timedelta(days=1), ["440705"]) == []
        assert missing.find(conn, AT + timedelta(days=1), site=AGENT.site)


@given(st.sets(st.integers(1, 40)), st.integers(0, 40))
def test_gaps_are_exactly_the_numbers_that_are_not_held(held: set[int], upto: int) -> None:
    gaps = missing._gaps(RangeSet.of(held), upto)
    assert set(RangeSet(gaps)) == set(range(1, upto + 1)) - held
