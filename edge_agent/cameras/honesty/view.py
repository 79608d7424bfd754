"""Does the camera still show its view: turned away, partly covered, greasy? Looked at now and then.

The view is the scene's reference picture, or what the camera has shown in its first good minutes.
Infrared light shows another picture of the same view, which is learned beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from edge_agent.cameras.frames import Picture
from edge_agent.cameras.honesty.landmarks import (
    LEAST_LANDMARKS,
    VIEW,
    Landmarks,
    compare,
    displacement,
    landmarks,
)
from edge_agent.cameras.honesty.latch import Sign, Streak
from edge_agent.cameras.pictures import Grey, grey, is_colourless, resize
from edge_agent.cameras.settings import HonestySettings


class Light(StrEnum):
    """By what a view is seen."""

    DAY = "day"
    INFRARED = "infrared"


_IN_PLACE = 0.45
"""From this share of the landmarks found, the view is there, with people before it."""
_CLEARLY = 0.85
"""From this share nothing else needs to be asked."""
_NOTHING = 0.1
"""Up to this share may be chance."""
_BARE = 0.4
"""Fewer landmarks' blocks with any edges: something smooth is before them."""
_GREASY = 0.35
"""Fineness below which a film lies on the lens; blurred by 3 pixels of 1280 it is 0.25 to 0.39."""
_LEARNT_FROM = 12
"""Looks whose median is a view: whoever walks about is not in it."""
_AGREEING = 0.6
"""Share of the landmarks that each of them must show."""
_SAME_ROOM = 0.15
"""Share of the other light's landmarks that a new view must show."""
_SOON_S = 2.0
"""Pause between looks while something is wrong: quick to recover."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one look says; None: it cannot be told."""

    moved: bool | None = None
    hidden: bool | None = None
    greasy: bool | None = None
    by: float = 0.0
    """How far the view has moved, in shares of its width; 0 if it is not found."""


@dataclass(slots=True)
class ViewWatch:
    """Keeps a camera's views and compares them."""

    settings: HonestySettings
    known: dict[Light, Landmarks] = field(default_factory=dict, init=False)
    learnt: dict[Light, Grey] = field(default_factory=dict, init=False)
    """Views learned since somebody last took them from here to keep them."""
    moved: Sign = field(default=Sign(None, 0.0), init=False)
    hidden: Streak = field(init=False)
    greasy: Streak = field(init=False)
    hidden_since_s: float = field(default=0.0, init=False)
    greasy_since_s: float = field(default=0.0, init=False)
    lost: bool = field(default=False, init=False)
    """True if at the last look nothing of the view was found."""
    _moved: Streak = field(init=False)
    _samples: list[Grey] = field(default_factory=list, init=False)
    _light: Light | None = field(default=None, init=False)
    _looked_s: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self._moved = Streak(self.settings.view_after_s)
        self.hidden = Streak(self.settings.view_after_s)
        self.greasy = Streak(self.settings.greasy_after_s)

    def know(self, views: Mapping[Light, Grey]) -> None:
        """Take over views of 640x360 grey levels; one without landmarks is of no use."""
        for light, levels in views.items():
            view = landmarks(levels)
            if view.count >= LEAST_LANDMARKS:
                self.known[light] = view

    def due(self, at_s: float, doubtful: bool) -> bool:
        """True if it is time for a look; `doubtful`: the frame looks blurred."""
        if self.settings.view_every_s <= 0:
            return False
        wrong = doubtful or self._moved.holds or self.hidden.holds or self.greasy.holds
        pause_s = min(_SOON_S, self.settings.view_every_s) if wrong else self.settings.view_every_s
        return at_s - self._looked_s >= pause_s

    def look(self, picture: Picture, at_s: float, *, blurred: bool) -> None:
        """Look at a frame that shows something; `blurred`: but not much."""
        self._looked_s = at_s
        levels, light = view_of(picture), light_of(picture)
        if light is not self._light:  # switched over: wait until it has settled
            self._light = light
            self._samples.clear()
            self._take(Verdict(), at_s)
            return
        view = self.known.get(light)
        if view is None:
            if not blurred:
                self._learn(levels, light)
            self._take(Verdict(), at_s)
            return
        self._take(self._compare(view, landmarks(levels), blurred), at_s)

    def cannot_tell(self, at_s: float) -> None:
        """There is nothing to be seen at all."""
        self._take(Verdict(), at_s)

    def _compare(self, view: Landmarks, now: Landmarks, blurred: bool) -> Verdict:
        seen = compare(view, now)
        self.lost = seen.found < _NOTHING
        if seen.found >= _CLEARLY:
            return Verdict(moved=False, hidden=False, greasy=seen.fineness < _GREASY)
        by = displacement(view, now)
        if by is not None and by >= self.settings.moved_by:
            return Verdict(moved=True, hidden=False, by=by)
        if seen.found >= _IN_PLACE:
            return Verdict(moved=False, hidden=False, greasy=seen.fineness < _GREASY)
        if blurred:
            return Verdict()
        if by is not None or seen.found >= _NOTHING or seen.structured < _BARE:
            return Verdict(moved=None if by is None else False, hidden=True)
        return Verdict(moved=True)

    def _take(self, verdict: Verdict, at_s: float) -> None:
        self.moved = self._moved.take(verdict.moved, at_s, verdict.by)
        self.hidden_since_s = self.hidden.take(verdict.hidden, at_s).since_s
        self.greasy_since_s = self.greasy.take(verdict.greasy, at_s).since_s

    def _learn(self, levels: Grey, light: Light) -> None:
        self._samples.append(levels)
        if len(self._samples) < _LEARNT_FROM:
            return
        middle = np.asarray(np.median(np.stack(self._samples), axis=0), np.uint8)
        view = landmarks(middle)
        agree = all(
            compare(view, landmarks(sample)).found >= _AGREEING for sample in self._samples[::3]
        )
        same_room = all(compare(other, view).found >= _SAME_ROOM for other in self.known.values())
        del self._samples[: _LEARNT_FROM // 2]
        if agree and same_room and view.count >= LEAST_LANDMARKS:
            self._samples.clear()
            self.known[light] = view
            self.learnt[light] = middle


def light_of(picture: Picture) -> Light:
    """By what light a picture was taken."""
    return Light.INFRARED if is_colourless(picture) else Light.DAY


def view_of(picture: Picture) -> Grey:
    """A picture as views are kept: 640x360 grey levels."""
    return grey(resize(picture, *VIEW))
