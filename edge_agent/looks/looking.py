"""Which orders are taken, and what is shown when: the rules of looks, without threads or clock.

An order does something once, in time, at a camera that is live; then it ends after its seconds or
its number of pictures, or as soon as the camera no longer proves that it sees.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.looks import MOST_KEPT, MOST_PICTURES
from contracts.words import LookState
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.rule.looking import Look
from edge_agent.looks import words
from edge_agent.looks.order import Order
from edge_agent.looks.settings import LookSettings

HONEST = frozenset({Sight.LIVE, Sight.CLOCK_WRONG})
"""A wrong clock of the camera's own does not make its picture an old one: times are the edge's."""
HEARD_S = 5.0
"""A camera's program that has said nothing for so long shows nothing."""
FRESH_S = 10.0
"""A picture that is older is not shown as what happens now."""
KEPT_KNOWN = 1000
REMEMBER = timedelta(days=1)
"""So long after its end an order's id is known: longer than any clock is wrong."""


class Taken(StrEnum):
    """What became of an order."""

    BEGUN = "begun"
    REFUSED = "refused"
    IGNORED = "ignored"
    """Not ours, too late, or met before: nothing is done and nothing is said."""


@dataclass(frozen=True, slots=True)
class View:
    """A camera as it is now."""

    sight: Sight
    at_s: float
    """When its program said so, on the clock that never jumps."""
    look: Look | None
    """The newest analysed picture since it was wanted, with the heads that were found in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be told of a look."""

    order: Order
    number: int
    state: LookState
    why: str = ""
    look: Look | None = None
    """What the picture is to be made of, heads hidden."""


@dataclass(slots=True)
class _Running:
    order: Order
    ends_s: float
    next_s: float
    answers: int = 0
    pictures: int = 0
    shown: int = -1
    """Number of the frame shown last."""

    def answer(self, state: LookState, why: str = "", look: Look | None = None) -> Answer:
        self.answers += 1
        return Answer(self.order, self.answers, state, why, look)


@dataclass(slots=True)
class Looking:
    """The looks of one agent. `cameras` are the devices that it has."""

    settings: LookSettings
    cameras: frozenset[str]
    known: dict[str, datetime] = field(default_factory=dict)
    """Orders met before, with when they ended: they must outlive a restart."""
    _running: dict[str, _Running] = field(default_factory=dict, init=False)
    _begun: dict[str, deque[float]] = field(default_factory=dict, init=False)
    _kept: dict[str, int] = field(default_factory=dict, init=False)
    """How many pictures of each of the newest looks were asked to be kept."""

    @property
    def wanted(self) -> frozenset[str]:
        """The cameras that are looked at."""
        return frozenset(self._running)

    def take(self, order: Order, now: datetime, now_s: float) -> tuple[Taken, str]:
        """Take an order in at the city's time `now`; what became of it, and why in words."""
        why = self._meet(order, now)
        if why:
            return Taken.IGNORED, why
        begun = self._begun.setdefault(order.camera, deque())
        while begun and now_s - begun[0] >= 3600:
            begun.popleft()
        if not self.settings.allowed:
            return Taken.REFUSED, words.NOT_ALLOWED
        if order.camera in self._running:
            return Taken.REFUSED, words.BUSY
        if len(begun) >= self.settings.per_hour:
            return Taken.REFUSED, words.TOO_OFTEN
        begun.append(now_s)
        ends_s = now_s + self.settings.lasts_s
        self._running[order.camera] = _Running(order, ends_s, now_s)
        return Taken.BEGUN, ""

    def take_keep(self, order: Order, now: datetime) -> tuple[Taken, str]:
        """Take in that a picture is to be kept: BEGUN if it may be, as far as rules say."""
        why = self._meet(order, now)
        if why:
            return Taken.IGNORED, why
        if not self.settings.allowed:
            return Taken.REFUSED, words.NOT_ALLOWED
        count = self._kept.get(order.of_look, 0)
        if count >= MOST_KEPT:
            return Taken.REFUSED, words.KEPT_ENOUGH
        self._kept = dict([*self._kept.items(), (order.of_look, count + 1)][-KEPT_KNOWN:])
        return Taken.BEGUN, ""

    def _meet(self, order: Order, now: datetime) -> str:
        """Why nothing is done; empty if it is ours, in time, and not met before: now it is."""
        if order.camera not in self.cameras:
            return "not a camera of ours"
        if order.look_id in self.known:
            return "met before"
        if now >= order.expires_at:
            return "too late"
        if order.issued_at - now > REMEMBER:
            return "from a time to come"
        self.known = {key: at for key, at in self.known.items() if now - at < REMEMBER}
        self.known[order.look_id] = order.expires_at
        return ""

    def give_up(self, order: Order) -> None:
        """A look that has begun shows nothing after all."""
        self._running.pop(order.camera, None)

    def turn(self, view_of: Callable[[str], View | None], now_s: float) -> list[Answer]:
        """What is to be told now."""
        told: list[Answer] = []
        for camera, one in list(self._running.items()):
            answer = self._step(one, view_of(camera), now_s)
            if answer is None:
                continue
            told.append(answer)
            if answer.state is not LookState.LIVE:
                del self._running[camera]
        return told

    def _step(self, one: _Running, view: View | None, now_s: float) -> Answer | None:
        if now_s >= one.ends_s:
            return one.answer(LookState.OVER, words.TIME_IS_UP)
        if one.pictures >= MOST_PICTURES:
            return one.answer(LookState.OVER, words.ENOUGH)
        if view is None or now_s - view.at_s > HEARD_S:
            return one.answer(LookState.BLIND, words.NOTHING_HEARD)
        if view.sight not in HONEST:
            return one.answer(LookState.BLIND, words.blind(view.sight))
        look = view.look
        if look is None or now_s < one.next_s or look.frame.number == one.shown:
            return None
        if now_s - look.frame.seen_s > FRESH_S:
            return None
        one.pictures += 1
        one.shown, one.next_s = look.frame.number, now_s + self.settings.every_s
        return one.answer(LookState.LIVE, look=look)


def kept(known: Mapping[str, datetime]) -> dict[str, str]:
    """The known orders as they are written down."""
    return {key: at.isoformat() for key, at in known.items()}
