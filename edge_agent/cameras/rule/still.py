"""Is it a person at all: heads that never move are pictures, mannequins, calendars with a face.

Each head leaves a print: the grey levels of its place in a few cells, freed of the light. While the
print of that same place stays alike, the head has not moved; a person's does not stay alike for
minutes, however quietly they sit. What stood still for long enough is remembered by its place and
print: it is known again at once when the detector, or the track, loses and finds it. Screens whose
faces move, and mirrors, are beyond this: they need a mask.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from contracts.events import Box
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.pictures import grey, resize
from edge_agent.cameras.rule.scene import Stillness
from edge_agent.cameras.rule.track import Tracked

CELLS = 8
"""A print has so many cells on each side."""
LEVEL_STEP = 9.0
"""A cell has changed if its level differs by more; sensor noise and compression stay below, since a
cell is the mean of several pixels."""
CHANGED_CELLS = 3
"""A print has changed if so many of its cells have."""
PARTLY_CELLS = 16
"""While somebody stands beside a print that stood before, so many of its 64 cells may be theirs."""
SAME_PLACE = 0.45
"""Boxes that overlap so much are in the same place: detectors jitter."""
AWAY_S = 4.0
"""A print that stays unlike for so long is over; somebody may walk past a poster."""
MOST_UNLIKE, UNLIKE_SHARE = 4, 0.1
"""More looks that differ, and a greater share of them, are no disturbance before a picture but
somebody who moves and comes back."""
LIVELY_LOOKS = 3
"""So many looks that differ from the first print show that a head lives, if they are a share of
UNLIKE_SHARE of all …"""
LIVELY = 0.4
"""… or that it has moved by so many of its own sizes."""
WALKED = 1.0
"""Whoever moved so many of their own sizes from where they were first seen has walked there …"""
WALKED_FACTOR = 5.0
"""… and may sit still so many times longer."""
STOOD_S = 8.0
"""A print that stood for so long and is there again is a picture's: what was taken for life was
somebody before it."""
NEAR = 2.0
"""Whoever is so many head sizes away, of the larger head, may disturb a print."""
KEPT_S = 600.0
"""So long a place that is not proven is remembered without a head in it."""
MOST_PLACES = 64
DRIFT = 0.05
"""A proven print follows the light by so much a look."""

Print = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of a head's movements."""

    still_s: float
    """For so long it has not moved."""
    moved: bool
    """It has moved since it appeared."""
    picture: bool
    """It is taken for a picture."""


@dataclass(slots=True)
class _Place:
    box: Box
    mark: Print
    since_s: float
    alike_s: float
    """When the print was last alike."""
    looks: int = 0
    unlike: int = 0
    """Of those looks: how many differed."""
    proven: bool = False

    @property
    def restless(self) -> bool:
        """True if it differs again and again, as of somebody who sways."""
        return self.unlike > max(MOST_UNLIKE, UNLIKE_SHARE * self.looks)


@dataclass(slots=True)
class _Path:
    place: _Place
    first: Box
    """Where it was first seen …"""
    begun_s: float
    """… and when."""
    unlike: int = 0
    """Looks that differed from the print."""
    away: int = 0
    """Looks in a row at which it is clearly elsewhere than where it was first seen."""
    moved: bool = False
    walked: bool = False
    ever_walked: bool = False


@dataclass(slots=True)
class Movements:
    """The heads of one camera. Looks come in order."""

    settings: Stillness
    pictures: set[int] = field(default_factory=set, init=False)
    """Tracks that are taken for pictures and never walked, as long as they are followed."""
    _paths: dict[int, _Path] = field(default_factory=dict, init=False)
    _places: list[_Place] = field(default_factory=list, init=False)

    def look(
        self, picture: Picture, heads: Sequence[Tracked], followed: frozenset[int], at_s: float
    ) -> dict[int, Life]:
        """What is known of each head of a look, by track; `followed` are all living tracks."""
        self._forget(followed, at_s)
        told: dict[int, Life] = {}
        for head in sorted(heads, key=lambda one: one.track):
            near = any(
                one is not head
                and min(_apart(head.box, one.box), _apart(one.box, head.box)) <= NEAR
                for one in heads
            )
            path = self._path(picture, head, at_s, disturbed=near)
            told[head.track] = life = self._judge(picture, head.box, path, at_s, disturbed=near)
            if life.picture and not path.ever_walked:
                self.pictures.add(head.track)
            else:
                self.pictures.discard(head.track)
        return told

    def _path(self, picture: Picture, head: Tracked, at_s: float, *, disturbed: bool) -> _Path:
        path = self._paths.get(head.track)
        if path is None:
            place = self._known(picture, head.box, self._places)
            path = _Path(place or self._new(picture, head.box, at_s), head.box, at_s)
            self._paths[head.track] = path
        elif not path.place.proven:
            stood = [
                place
                for place in self._places
                if place.proven
                or (
                    place is not path.place
                    and place.alike_s - place.since_s >= STOOD_S
                    # Whoever walked in may return to where they stood; a picture was there before.
                    and not (path.ever_walked and place.since_s >= path.begun_s)
                )
            ]
            most = PARTLY_CELLS if disturbed else CHANGED_CELLS
            known = self._known(picture, head.box, stood, most)
            if known is not None:  # whoever stood before it has gone
                path.place, path.first = known, head.box
                path.moved, path.walked, path.unlike, path.away = False, False, 0, 0
        return path

    def _judge(
        self, picture: Picture, box: Box, path: _Path, at_s: float, *, disturbed: bool
    ) -> Life:
        place, moved_by = path.place, _apart(path.first, box)
        path.walked = path.walked or moved_by > WALKED
        path.ever_walked = path.ever_walked or path.walked
        path.away = path.away + 1 if moved_by > LIVELY else 0
        # Somebody before a picture may shift its box for a look, hardly for several.
        clearly = moved_by > WALKED or path.away >= LIVELY_LOOKS
        path.moved = path.moved or (clearly if disturbed else moved_by > LIVELY)
        place.looks += 1
        if _alike(picture, box, place):
            place.alike_s = at_s
            if place.proven:
                place.mark += DRIFT * (_print(picture, place.box) - place.mark)
        else:
            path.unlike += not disturbed
            place.unlike += 1
            gone = not _over(place.box, box) or at_s - place.alike_s > AWAY_S
            if gone or (not place.proven and place.restless):
                path.place = place = self._new(picture, box, at_s)
        still_s = place.alike_s - place.since_s
        limit_s = self.settings.after_s * (WALKED_FACTOR if path.walked else 1.0)
        if self.settings.after_s and still_s >= limit_s:
            place.proven = True
        lively = path.unlike >= max(LIVELY_LOOKS, UNLIKE_SHARE * place.looks)
        path.moved = path.moved or lively
        return Life(still_s, path.moved and not place.proven, place.proven)

    def _known(
        self, picture: Picture, box: Box, places: Sequence[_Place], most: int = CHANGED_CELLS
    ) -> _Place | None:
        """That of the places whose print is there still but for `most` cells, proven ones first."""
        alike = [place for place in places if _alike(picture, box, place, most)]
        return min(alike, key=lambda place: (not place.proven, place.since_s), default=None)

    def _new(self, picture: Picture, box: Box, at_s: float) -> _Place:
        place = _Place(box, _print(picture, box), at_s, at_s)
        self._places.append(place)
        if len(self._places) > MOST_PLACES:
            self._places.remove(min(self._places, key=lambda one: (one.proven, one.alike_s)))
        return place

    def _forget(self, followed: frozenset[int], at_s: float) -> None:
        self._paths = {track: path for track, path in self._paths.items() if track in followed}
        self.pictures &= followed
        used = {id(path.place) for path in self._paths.values()}
        self._places = [
            place
            for place in self._places
            if place.proven or id(place) in used or self._worth_keeping(place, at_s)
        ]

    def _worth_keeping(self, place: _Place, at_s: float) -> bool:
        """A place without a head: only one that stood for a while may be found again."""
        return place.alike_s - place.since_s >= AWAY_S and at_s - place.alike_s <= KEPT_S


def _print(picture: Picture, box: Box) -> Print:
    """Grey levels of a place in CELLS x CELLS cells."""
    height, width = picture.shape[:2]
    left, top = min(max(round(box.x0), 0), width - 1), min(max(round(box.y0), 0), height - 1)
    right = min(max(round(box.x1), left + 1), width)
    bottom = min(max(round(box.y1), top + 1), height)
    part = np.ascontiguousarray(picture[top:bottom, left:right])
    return grey(resize(part, CELLS, CELLS)).astype(np.float32)


def _alike(picture: Picture, box: Box, place: _Place, most: int = CHANGED_CELLS) -> bool:
    """True if a head is in a place and the place looks as before, in whatever light: fewer than
    `most` cells have changed."""
    if not _over(place.box, box):
        return False
    now, before = _print(picture, place.box), place.mark
    gain = float(np.clip(now.std() / max(1.0, float(before.std())), 0.6, 1.7))
    centred = before - np.median(before)
    return any(
        np.count_nonzero(np.abs(now - centred * factor - np.median(now)) > LEVEL_STEP) < most
        for factor in (gain, 1.0)
    )


def _over(one: Box, other: Box) -> bool:
    """True if two boxes are in the same place."""
    across = min(one.x1, other.x1) - max(one.x0, other.x0)
    down = min(one.y1, other.y1) - max(one.y0, other.y0)
    if across <= 0 or down <= 0:
        return False
    areas = (one.x1 - one.x0) * (one.y1 - one.y0) + (other.x1 - other.x0) * (other.y1 - other.y0)
    return across * down >= SAME_PLACE * (areas - across * down)


def _apart(one: Box, other: Box) -> float:
    """How far apart two boxes lie, in sizes of the first."""
    size = max(1.0, (one.x1 - one.x0 + one.y1 - one.y0) / 2)
    across = (one.x0 + one.x1 - other.x0 - other.x1) / 2
    down = (one.y0 + one.y1 - other.y0 - other.y1) / 2
    return float(np.hypot(across, down)) / size
