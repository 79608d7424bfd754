"""What goes beside the outbox: the newest picture, every end, and nothing that is old."""

from datetime import UTC, datetime

from contracts.events import Look
from contracts.topics import identity
from contracts.words import LookState
from edge_agent.uplink.asides import END_S, MOST_WAITING, PICTURE_S, Asides

CAMERA = identity("440703", "canteen1", "cam1")
AT = datetime(2026, 3, 2, tzinfo=UTC)


def test_the_newest_picture_takes_the_place_of_the_one_before() -> None:
    woken: list[int] = []
    asides = Asides(lambda: 0.0, lambda: woken.append(1))
    for number in range(1, 4):
        asides.put(CAMERA, Look("a", number, LookState.LIVE, AT))
    asides.put(CAMERA, Look("b", 1, LookState.BLIND, AT))
    taken = [asides.take() for _ in range(3)]
    told = [(one.look.look_id, one.look.number) for one in taken if one]
    assert told == [("a", 3), ("b", 1)]
    assert len(woken) == 4


def test_what_waits_too_long_is_let_go() -> None:
    now = [0.0]
    asides = Asides(lambda: now[0], lambda: None)
    asides.put(CAMERA, Look("a", 1, LookState.LIVE, AT))
    asides.put(CAMERA, Look("b", 1, LookState.OVER, AT))
    now[0] = PICTURE_S + 0.1
    left = asides.take()
    assert left is not None and left.look.look_id == "b"
    asides.put(CAMERA, Look("c", 1, LookState.OVER, AT))
    now[0] += END_S + 0.1
    assert asides.take() is None


def test_it_is_bounded() -> None:
    asides = Asides(lambda: 0.0, lambda: None)
    for number in range(30):
        asides.put(CAMERA, Look(f"l{number}", 1, LookState.OVER, AT))
    taken = iter(asides.take, None)
    assert [one.look.look_id for one in taken if one] == [
        f"l{number}" for number in range(30 - MOST_WAITING, 30)
    ]
