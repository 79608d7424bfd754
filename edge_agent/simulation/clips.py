"""Golden clips: kitchens in which people of known dress come and go, with the episodes to expect.

The truth is computed from where each player's head is and what it wears; nobody labels by hand.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from contracts.events import Box
from edge_agent.cameras.rule.scene import Scene, Zone
from edge_agent.simulation.effects import Look, Pixels, effect
from edge_agent.simulation.players import Player, Stage
from edge_agent.simulation.rooms import draw_room

SIZE = (640, 360)
"""A camera's substream."""
FPS = 5.0

MUST_S = 6.0
"""One person in violation for so long must be found …"""
MAY_S = 1.6
"""… so short must not; in between either is right."""
BLINK_S = 1.5
"""A person who is hidden no longer than this stays the same to everybody."""


class Matter(StrEnum):
    """What a clip is made to prove."""

    EPISODES = "episodes"
    """Somebody is in violation, or only seems so: what is found, what is missed."""
    EMPTY = "nobody"
    """Nobody comes; every episode is a false alarm."""
    DRESSED = "all dressed"
    """Everybody wears what is asked for; the same."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An episode of the truth, in seconds of the clip."""

    kind: str
    zone: str
    start_s: float
    end_s: float
    must: bool
    """False: it may be found or not."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip, not yet drawn."""

    name: str
    matter: Matter
    look: Look
    lasts_s: float
    scene: Scene
    players: tuple[Player, ...]
    seed: int
    dimmed: tuple[tuple[float, float], ...] = ()
    """Stretches in which half of the lamps are off."""

    def pictures(self, size: tuple[int, int] = SIZE) -> Iterator[tuple[float, Pixels]]:
        """The clip's pictures with their times, FPS a second."""
        room, counter = draw_room(size, self.seed)
        stage = Stage(room, counter)
        seen = effect(self.look, size, self.seed)
        for number in range(round(self.lasts_s * FPS)):
            at_s = number / FPS
            picture = stage.picture(self.players, at_s)
            if any(begin <= at_s < end for begin, end in self.dimmed):
                picture = (picture >> 1) + (picture >> 3)
            yield at_s, seen(picture, at_s)

    def expected(self, size: tuple[int, int] = SIZE) -> list[Expected]:
        """The episodes to expect, in order of their beginning."""
        by_case: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for player in self.players:
            for case, found in self._violations(player, size).items():
                by_case.setdefault(case, []).extend(found)
        rule = self.scene.persistence
        gap_s = rule.leave_s + rule.merge_s + BLINK_S
        episodes = []
        for (kind, zone), stretches in by_case.items():
            for group in _joined(sorted(stretches), gap_s):
                longest = max(end - begin for begin, end in group)
                if longest > MAY_S:
                    start_s, end_s = group[0][0], max(end for _, end in group)
                    episodes.append(Expected(kind, zone, start_s, end_s, longest >= MUST_S))
        return sorted(episodes, key=lambda one: (one.start_s, one.kind))

    def _violations(
        self, player: Player, size: tuple[int, int]
    ) -> dict[tuple[str, str], list[tuple[float, float]]]:
        """When one player is in violation of what, hidden moments bridged."""
        times: dict[tuple[str, str], list[float]] = {}
        for number in range(round(self.lasts_s * FPS)):
            zone = self.zone_of(player, number / FPS, size)
            for wear in () if zone is None else zone.required:
                if player.figure.wears.get(wear.value, True) is False and zone is not None:
                    times.setdefault((f"no_{wear.value}", zone.name), []).append(number / FPS)
        return {case: _stretches(found) for case, found in times.items()}

    def zone_of(self, player: Player, at_s: float, size: tuple[int, int]) -> Zone | None:
        """The zone in which a player's head is at a time; None if in none or not to be seen."""
        place = player.place(at_s)
        if place is None or player.restless == 0:  # a poster is nobody
            return None
        width, height = size
        x, y, half = place[0] * width, place[1] * height, player.head_share * height / 2
        box = Box("head", x - half, y - half, x + half, y + half, 1.0)
        return (
            None
            if self.scene.ignores(box, width, height)
            else self.scene.zone_of(box, width, height)
        )


def _stretches(times: Sequence[float]) -> list[tuple[float, float]]:
    """Moments 1/FPS apart, with gaps up to BLINK_S, as stretches."""
    found = [[times[0], times[0] + 1 / FPS]]
    for before, now in pairwise(times):
        if now - before > BLINK_S:
            found.append([now, now])
        found[-1][1] = now + 1 / FPS
    return [(begin, end) for begin, end in found]


def _joined(
    stretches: Sequence[tuple[float, float]], gap_s: float
) -> list[list[tuple[float, float]]]:
    """Groups of stretches with gaps of at most `gap_s`: one episode each."""
    groups: list[list[tuple[float, float]]] = []
    until_s = float("-inf")
    for begin, end in stretches:
        if begin - until_s > gap_s:
            groups.append([])
        groups[-1].append((begin, end))
        until_s = max(until_s, end)
    return groups
