"""What happens in golden clips: people come and go, pass by, are hidden, change what they wear.

Every script is drawn by lot from a seed; a cast says which figures there are.
"""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from edge_agent.cameras.rule.scene import Scene, Zone
from edge_agent.simulation.clips import Clip, Matter
from edge_agent.simulation.effects import Look
from edge_agent.simulation.players import Figure, Place, Player

Chance = np.random.Generator
Part = tuple[list[Player], float]
"""Players, and how long it lasts."""

HEADS = (0.11, 0.2)
"""Heights of heads, in shares of the picture's height."""


class Cast(Protocol):
    """Figures to choose from, and the scene whose zones they fit."""

    scene: Scene

    def figure(self, chance: Chance, zone: Zone, missing: frozenset[str]) -> Figure:
        """Somebody who wears all that `zone` requires but for `missing`."""

    def changes(self, chance: Chance, zone: Zone, missing: str) -> tuple[Figure, Figure]:
        """Somebody dressed, and the same without `missing`; if there is no such pair, two."""


def _span(zone: Zone) -> tuple[float, float]:
    xs = [x for x, _ in zone.polygon]
    return min(xs), max(xs)


def _edge(zone: Zone) -> float:
    """Where people come in: the picture's side on which the zone lies."""
    left, right = _span(zone)
    return -0.08 if left < 1 - right else 1.08


def _visit(
    chance: Chance, zone: Zone, figure: Figure, begin_s: float, stays_s: float
) -> tuple[Player, float]:
    """Walks in, works here and there, walks out; and when that is over."""
    left, right = _span(zone)
    y, head = float(chance.uniform(0.3, 0.42)), float(chance.uniform(*HEADS))
    low, high = left + 0.06, right - 0.06
    spots = [float(chance.uniform(low, high)) for _ in range(max(2, int(stays_s // 8)))]
    at_s = begin_s
    path = [Place(at_s, _edge(zone), y)]
    at_s += 2.5
    for spot in spots:
        path.append(Place(at_s, spot, y))
        at_s += stays_s / len(spots) * 0.7
        path.append(Place(at_s, spot + float(chance.uniform(-0.02, 0.02)), y))
        at_s += stays_s / len(spots) * 0.3
    path.append(Place(at_s + 2.5, _edge(zone), y))
    player = Player(figure, tuple(path), head, seed=int(chance.integers(100)))
    return player, at_s + 2.5


def _zone(chance: Chance, cast: Cast) -> Zone:
    return cast.scene.zones[int(chance.integers(len(cast.scene.zones)))]


def _lacking(chance: Chance, zone: Zone) -> str:
    return zone.required[int(chance.integers(len(zone.required)))].value


def come_and_go(chance: Chance, cast: Cast) -> Part:
    """Somebody without something comes, works and goes."""
    zone = _zone(chance, cast)
    figure = cast.figure(chance, zone, frozenset({_lacking(chance, zone)}))
    player, end_s = _visit(chance, zone, figure, 5, float(chance.uniform(14, 28)))
    return [player], end_s + 14


def with_a_neighbour(chance: Chance, cast: Cast) -> Part:
    """The same while somebody dressed works beside."""
    zone = _zone(chance, cast)
    good, _ = _visit(chance, zone, cast.figure(chance, zone, frozenset()), 2, 40)
    bad = cast.figure(chance, zone, frozenset({_lacking(chance, zone)}))
    player, end_s = _visit(chance, zone, bad, 8, float(chance.uniform(14, 24)))
    return [good, player], end_s + 14


def hidden_for_a_while(chance: Chance, cast: Cast) -> Part:
    """The same, and twice something stands before the person."""
    zone = _zone(chance, cast)
    figure = cast.figure(chance, zone, frozenset({_lacking(chance, zone)}))
    player, end_s = _visit(chance, zone, figure, 5, 26)
    gone = ((16.0, 16.0 + float(chance.uniform(0.6, 2.5))), (25.0, 27.5))
    hidden = Player(player.figure, player.path, player.head_share, gone, seed=player.seed)
    return [hidden], end_s + 14


def taken_off_and_put_on(chance: Chance, cast: Cast) -> Part:
    """Dressed, without something for a while, dressed again, at one place."""
    zone = _zone(chance, cast)
    dressed, lacking = cast.changes(chance, zone, _lacking(chance, zone))
    left, right = _span(zone)
    x, y = float(chance.uniform(left + 0.1, right - 0.1)), float(chance.uniform(0.3, 0.42))
    head, seed = float(chance.uniform(*HEADS)), int(chance.integers(100))
    off_s = 12 + float(chance.uniform(10, 18))
    stretches = ((2.0, 12.0, dressed), (12.0, off_s, lacking), (off_s, off_s + 16, dressed))
    players = [
        Player(figure, (Place(begin, x, y), Place(end, x, y)), head, seed=seed)
        for begin, end, figure in stretches
    ]
    return players, off_s + 18


def crossing(chance: Chance, cast: Cast) -> Part:
    """Two walk past each other again and again; one of them lacks something."""
    zone = _zone(chance, cast)
    left, right = _span(zone)
    low, high, y = left + 0.08, right - 0.08, float(chance.uniform(0.32, 0.42))
    head, lasts_s = float(chance.uniform(*HEADS)), 24.0
    figures = (
        cast.figure(chance, zone, frozenset()),
        cast.figure(chance, zone, frozenset({_lacking(chance, zone)})),
    )
    players = []
    for number, figure in enumerate(figures):
        ends = (low, high) if number else (high, low)
        path = [Place(4.0 + 4 * step, ends[step % 2], y) for step in range(int(lasts_s // 4) + 1)]
        players.append(Player(figure, tuple(path), head, seed=number))
    return players, lasts_s + 18


def passing_by(chance: Chance, cast: Cast) -> Part:
    """Looks in for a second or so without anything, three times: nothing to tell."""
    zone = _zone(chance, cast)
    required = frozenset(wear.value for wear in zone.required)
    figure = cast.figure(chance, zone, required)
    edge = max(0.0, min(1.0, _edge(zone)))
    inward = 0.07 if edge < 0.5 else -0.07
    y, head = float(chance.uniform(0.32, 0.42)), float(chance.uniform(*HEADS))
    players = []
    for visit in range(3):
        begin_s = 5 + 15.0 * visit
        path = (
            Place(begin_s, edge - inward, y),
            Place(begin_s + 0.9, edge + inward, y),
            Place(begin_s + 1.8, edge - inward, y),
        )
        players.append(Player(figure, path, head, seed=visit))
    return players, 50


def all_dressed(chance: Chance, cast: Cast) -> Part:
    """Two work as they should; nothing to tell."""
    players = []
    for zone in cast.scene.zones:
        player, _ = _visit(chance, zone, cast.figure(chance, zone, frozenset()), 3, 30)
        players.append(player)
    return players, 42


def poster(chance: Chance, cast: Cast) -> Part:
    """A picture of a face hangs on the wall, and somebody dressed works: nothing to tell."""
    zone = _zone(chance, cast)
    required = frozenset(wear.value for wear in zone.required)
    left, right = _span(zone)
    place = float(chance.uniform(left + 0.06, right - 0.06)), 0.16
    hangs = Player(
        cast.figure(chance, zone, required),
        (Place(0, *place), Place(10_000, *place)),
        0.11,
        restless=0,
    )
    worker, _ = _visit(chance, zone, cast.figure(chance, zone, frozenset()), 20, 25)
    return [hangs, worker], 60


SCRIPTS: dict[str, Callable[[Chance, Cast], Part]] = {
    script.__name__: script
    for script in (
        come_and_go, with_a_neighbour, hidden_for_a_while, taken_off_and_put_on, crossing,
        passing_by, all_dressed, poster,
    )
}  # fmt: skip


def story(name: str, look: Look, cast: Cast, seed: int) -> Clip:
    """The clip of a script."""
    players, lasts_s = SCRIPTS[name](np.random.default_rng(seed), cast)
    whole = f"{name}-{look.name.lower()}-{seed}"
    return Clip(whole, Matter.EPISODES, look, lasts_s, cast.scene, tuple(players), seed)


def day(matter: Matter, look: Look, cast: Cast, seed: int, lasts_s: float = 600.0) -> Clip:
    """A stretch of ordinary work, or of nobody: no episode is right. Lamps go off and on."""
    chance = np.random.default_rng(seed)
    players: list[Player] = []
    at_s = float(chance.uniform(5, 60))
    while matter is Matter.DRESSED and at_s < lasts_s - 60:
        zone = _zone(chance, cast)
        figure = cast.figure(chance, zone, frozenset())
        player, end_s = _visit(chance, zone, figure, at_s, float(chance.uniform(10, 45)))
        players.append(player)
        at_s = end_s + float(chance.exponential(70))
    dims = sorted(float(chance.uniform(0, lasts_s)) for _ in range(3))
    dimmed = tuple((begin, begin + float(chance.uniform(3, 40))) for begin in dims)
    name = f"{matter.name.lower()}-{look.name.lower()}-{seed}"
    return Clip(name, matter, look, lasts_s, cast.scene, tuple(players), seed, dimmed)
