"""The motion gate."""

from itertools import pairwise

import numpy as np
from camera_parts import kitchen

from edge_agent.cameras.motion import MotionGate, changed_share
from edge_agent.cameras.pictures import small_grey

STEP_S = 0.2


def looks(gate: MotionGate, moves: list[bool], somebody: bool = False) -> list[int]:
    """At which of the steps the gate opens."""
    still = np.zeros((180, 320), np.uint8)
    opened, current = [], still
    for step, moved in enumerate(moves):
        if moved:
            current = current.copy()
            current[: 20 + step, :40] = 100 + step
        if gate.opens(current, step * STEP_S, somebody):
            opened.append(step)
    return opened


def test_a_still_room_is_looked_at_now_and_then() -> None:
    opened = looks(MotionGate(5, 2.0), [False] * 100)
    late = [step for step in opened if step > 20]
    assert {b - a for a, b in pairwise(late)} == {10}


def test_motion_opens_the_gate_at_once_and_somebody_keeps_it_open() -> None:
    moves = [False] * 50 + [True] + [False] * 20
    assert 50 in looks(MotionGate(5, 60.0), moves)
    assert len(looks(MotionGate(5, 60.0), [False] * 50, somebody=True)) == 50


def test_after_a_motion_a_still_room_is_looked_at_oftener_for_a_while() -> None:
    opened = looks(MotionGate(5, 60.0), [False] * 50 + [True] + [False] * 40)
    assert opened[opened.index(50) :] == [50, 53, 56, 59, 62, 65]


def test_no_more_looks_than_allowed() -> None:
    assert len(looks(MotionGate(1, 60.0), [True] * 50)) == 10


def test_noise_is_no_motion_and_a_small_head_is() -> None:
    still = small_grey(kitchen(seed=1))
    assert changed_share(still, small_grey(kitchen(seed=2))) < 0.001
    other = still.copy()
    other[50:61, 50:61] = 255 - other[50:61, 50:61]
    assert changed_share(still, other) >= 0.0015
