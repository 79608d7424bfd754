"""The rules of looks, by property: in time, once, bounded, of a live camera, never unblurred."""

import queue
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import encode
from contracts.events import Box, Command
from contracts.looks import LONGEST_SIDE, MOST_BYTES, MOST_PICTURES
from contracts.topics import identity
from contracts.words import LookState
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.rule.looking import Look
from edge_agent.custody.access_log import read_log
from edge_agent.custody.custody import NO_CUSTODY
from edge_agent.looks.looking import FRESH_S, HEARD_S, HONEST, Looking, Taken, View
from edge_agent.looks.order import Order, OrderError, read_order
from edge_agent.looks.settings import LookSettings
from edge_agent.looks.showing import picture_of
from edge_agent.looks.views import Views
from edge_agent.looks.worker import LOG, LookPost, Looks

AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
AGENT = identity("440703", "canteen1", "agent")


def look(number: int, seen_s: float, picture: np.ndarray | None = None, *heads: Box) -> Look:
    shown = np.zeros((9, 16, 3), np.uint8) if picture is None else picture
    return Look(Frame(shown, AT + timedelta(seconds=seen_s), seen_s, number), (), heads, ())


def order(look_id: str = "l1", camera: str = "cam1", lives_s: float = 20.0) -> Order:
    return Order(look_id, camera, "李", "抽查", AT, AT + timedelta(seconds=lives_s), b"{}")


def message(**changes: object) -> bytes:
    told: dict[str, object] = {
        "command_id": "l1",
        "name": "camera.look",
        "issued_at": AT,
        "expires_at": AT + timedelta(seconds=20),
        "arguments": {"camera": "cam1", "by": "李国华", "reason": "抽查"},
    }
    data = Command(**(told | changes))  # type: ignore[arg-type]
    return encode("commands", AGENT, data, event_id="l1", at=AT)


steps = st.lists(
    st.tuples(
        st.floats(0.05, 4),  # seconds that pass
        st.sampled_from([*Sight, Sight.LIVE, Sight.LIVE, Sight.LIVE]),
        st.floats(0, 20),  # how old the newest picture is
        st.floats(0, 8),  # how long the camera's program has been silent
        st.booleans(),  # whether there is a picture at all
        st.sampled_from(["", "l1", "l2", "l3"]),  # an order that comes
    ),
    max_size=120,
)


@given(steps, st.sampled_from([1.0, 3.0, 60.0]), st.integers(1, 3), st.booleans())
def test_a_look_keeps_to_every_bound(
    steps: list[tuple[float, Sight, float, float, bool, str]],
    lasts_s: float,
    per_hour: int,
    allowed: bool,
) -> None:
    settings = LookSettings(allowed=allowed, per_hour=per_hour, lasts_s=lasts_s)
    looking = Looking(settings, frozenset({"cam1"}))
    now_s, number = 0.0, 0
    begun: dict[str, float] = {}
    ended: set[str] = set()
    shown: dict[str, list[float]] = {}
    for passed_s, sight, age_s, silent_s, has, wanted in steps:
        now_s, number = now_s + passed_s, number + 1
        if wanted:
            taken, _ = looking.take(order(wanted), AT + timedelta(seconds=now_s), now_s)
            if taken is Taken.BEGUN:
                assert allowed and wanted not in begun, "an order does something once"
                assert now_s < 20, "and never after it has expired"
                assert len(begun) < per_hour
                begun[wanted] = now_s
        view = View(sight, now_s - silent_s, look(number, now_s - age_s) if has else None)
        for answer in looking.turn(lambda _, view=view: view, now_s):  # type: ignore[misc]
            look_id = answer.order.look_id
            assert look_id in begun and look_id not in ended
            if answer.state is LookState.LIVE:
                assert answer.look is view.look
                assert sight in HONEST and silent_s <= HEARD_S + 1e-6 and age_s <= FRESH_S + 1e-6
                assert now_s < begun[look_id] + lasts_s
                before = shown.setdefault(look_id, [])
                assert not before or now_s - before[-1] >= 1.0 - 1e-6
                before.append(now_s)
                assert len(before) <= MOST_PICTURES
            else:
                assert answer.why and answer.look is None
                ended.add(look_id)
    assert looking.wanted == ({"cam1"} if begun.keys() - ended else set())


def test_late_replayed_and_foreign_orders_do_nothing() -> None:
    looking = Looking(LookSettings(), frozenset({"cam1"}))
    late = AT + timedelta(seconds=20)
    assert looking.take(order(), late, 0)[0] is Taken.IGNORED
    assert looking.take(order(camera="cam9"), AT, 0)[0] is Taken.IGNORED
    assert looking.take(order(), AT, 0)[0] is Taken.BEGUN
    assert looking.take(order(), AT, 1)[0] is Taken.IGNORED
    assert looking.take(order("l2"), AT, 1)[0] is Taken.REFUSED  # another one runs
    again = Looking(LookSettings(), frozenset({"cam1"}), dict(looking.known))
    assert again.take(order(), AT, 0)[0] is Taken.IGNORED, "known after a restart"
    assert again.take(order("l2"), AT, 0)[0] is Taken.IGNORED, "a refused one as well"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "camera.open"}, "not known"),
        ({"expires_at": AT + timedelta(hours=1)}, "longer"),
        ({"expires_at": AT}, "longer"),
        ({"arguments": {"camera": "cam1", "by": "李", "reason": "  "}}, "reason"),
        ({"arguments": {"camera": "cam1"}}, "by, reason"),
    ],
)
def test_what_is_no_order_is_not_taken(changes: dict[str, object], says: str) -> None:
    assert read_order(message()).by == "李国华"
    with pytest.raises(OrderError, match=says):
        read_order(message(**changes))


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(360, 640), (720, 1280), (1080, 810)]),
    st.lists(st.tuples(st.floats(0, 0.7), st.floats(0, 0.7), st.floats(0.05, 0.3)), max_size=3),
)
def test_no_picture_leaves_sharp(
    seed: int, size: tuple[int, int], places: list[tuple[float, float, float]]
) -> None:
    """Noise has all the fine structure there is: nearly nothing of it may be left, anywhere."""
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    heads = [
        Box("head", x * size[1], y * size[0], (x + w) * size[1], (y + w) * size[0], 0.3)
        for x, y, w in places
    ]
    made = picture_of(AGENT, "l1", 1, look(1, 0, noise, *heads), NO_CUSTODY)
    shown = cv2.imdecode(np.frombuffer(made.content, np.uint8), cv2.IMREAD_COLOR)
    assert made.blurred
    assert max(shown.shape[:2]) <= LONGEST_SIDE
    assert len(made.content) <= MOST_BYTES
    fine = cv2.Laplacian(cv2.cvtColor(shown, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var()
    whole = cv2.resize(noise, (shown.shape[1], shown.shape[0]), interpolation=cv2.INTER_AREA)
    was = cv2.Laplacian(cv2.cvtColor(whole, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var()
    assert fine < 0.1 * was


def test_a_look_that_cannot_be_written_down_is_none(tmp_path: Path) -> None:
    (tmp_path / LOG).write_text("not a line of ours\n")
    told, looks = _worker(tmp_path)
    looks._take(message())
    assert [one.state for one in told] == [LookState.REFUSED]
    assert not looks._looking.wanted


def test_who_looked_stands_in_the_site_s_own_log(tmp_path: Path) -> None:
    told, looks = _worker(tmp_path)
    looks._take(message())
    (entry,) = read_log(tmp_path / LOG)
    assert (entry.who, entry.reason, entry.source) == (("李国华",), "抽查", "/440703/canteen1/cam1")
    assert [one["who"] for one in looks.newest("cam1")] == ["李国华"]
    assert looks.newest("cam2") == []
    assert told == []
    _, restarted = _worker(tmp_path)
    restarted._take(message())
    assert len(read_log(tmp_path / LOG)) == 1, "a replayed one is not even written down"


def _worker(state: Path) -> tuple[list, Looks]:  # type: ignore[type-arg]
    told: list = []  # type: ignore[type-arg]
    post = LookPost(
        queue.SimpleQueue(), lambda _who, one: told.append(one), lambda: AT, lambda _facts: None
    )
    made = Looks(
        LookSettings(), AGENT, ["cam1"], Views(), NO_CUSTODY, state, post,
        clock=lambda: AT, ticks=lambda: 0.0,
    )  # fmt: skip
    return told, made
