"""Measure the classifier as cameras see: people who stand in drawn kitchens, under every effect.

`python -m models.measure_seen --data DIR --model FOLDER`: each of the validation photographs'
people stands for some seconds in a drawn room, near and far, under every condition; the head is
read where it is (a little shaken, as a detector's boxes are), plain and mirrored. To be called bare
at seven of ten looks is a false alarm if one is not.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from contracts.events import Box
from contracts.model_manifest import Decision
from edge_agent.cameras.eyes.attributes import Answer, both_read, decide, read_attributes
from edge_agent.cameras.eyes.inference import Model, open_model
from edge_agent.cameras.pictures import is_colourless
from edge_agent.cameras.rule.scene import Wear
from edge_agent.cameras.sources.capture import prepare_opencv
from edge_agent.simulation.clips import SIZE
from edge_agent.simulation.effects import Look, effect
from edge_agent.simulation.players import Figure, Pixels, Place, Player, Stage
from edge_agent.simulation.rooms import draw_room
from models.clip_cast import PhotoCast
from models.clips import photo_cast
from models.figures import table

LOOKS_S = tuple(0.93 * number for number in range(6))
HEIGHTS = (0.11, 0.15)
"""Of heads, in shares of the picture's height: 40 and 54 pixels."""
SHAKEN = 0.03
MISSING_SHARE, FEWEST = 0.7, 4
"""As an episode's votes: so many of the looks at which anything was read, and at least so many."""

Tally = dict[tuple[Wear, Look, bool], list[bool]]
"""Of each visit whether it is called bare, by what is asked, the light, and what is true."""


def main(argv: Sequence[str] | None = None) -> int:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="labelled photographs")
    parser.add_argument("--model", type=Path, required=True, help="folder of the classifier")
    parser.add_argument("--every", type=int, default=4, help="of bare people only each such one")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args(argv)
    prepare_opencv()
    model = open_model(arguments.model, task="classify")
    cast = photo_cast(arguments.data)
    tally: Tally = defaultdict(list)
    random = np.random.default_rng(arguments.seed)
    for wear, worn, figure in tqdm(list(people(cast, arguments.every)), mininterval=5):
        for height in HEIGHTS:
            for look, called in visit(model, figure, wear, height, random):
                tally[wear, look, worn].append(called)
    print(report(tally))
    return 0


def people(cast: PhotoCast, every: int) -> Iterator[tuple[Wear, bool, Figure]]:
    """All who wear something, and each `every`th of those who do not."""
    for wear in Wear:
        for worn in (True, False):
            for figure in cast.figures(wear, worn)[:: 1 if worn else every]:
                yield wear, worn, figure


def visit(
    model: Model, figure: Figure, wear: Wear, height: float, random: np.random.Generator
) -> Iterator[tuple[Look, bool]]:
    """Under each condition: is the figure called bare?"""
    seed = int(random.integers(1000))
    room, counter = draw_room(SIZE, seed)
    x, y = float(random.uniform(0.15, 0.85)), float(random.uniform(0.3, 0.42))
    player = Player(figure, (Place(0, x, y), Place(100, x, y)), height, seed=seed)
    stage = Stage(room, counter)
    pictures = [(at_s, stage.picture([player], at_s)) for at_s in LOOKS_S]
    for look in Look:
        seen = effect(look, SIZE, seed)
        answers = [
            read(model, seen(picture, at_s), _box(player, at_s, random), wear)
            for at_s, picture in pictures
        ]
        told = [answer for answer in answers if answer is not Answer.UNKNOWN]
        against = told.count(Answer.NO)
        yield look, against >= FEWEST and against >= MISSING_SHARE * len(told)


def read(model: Model, picture: Pixels, head: Box, wear: Wear) -> Answer:
    """What the pipeline would hear at this look."""
    decision: Decision = model.manifest.thresholds[wear.value]
    plain, mirrored = (
        read_attributes(model, picture, [head], mirrored=turned)[0] for turned in (False, True)
    )
    told: Sequence[Mapping[str, float]] = (plain.attributes or {}, both_read(plain, mirrored))
    by_infrared = is_colourless(picture)
    answers = [decide(one.get(wear.value), decision, by_infrared=by_infrared) for one in told]
    is_doubted = answers[0] is Answer.NO and answers[1] is not Answer.NO
    return Answer.UNSURE if is_doubted else answers[0]


def _box(player: Player, at_s: float, random: np.random.Generator) -> Box:
    place = player.place(at_s)
    assert place is not None
    left, top, right, bottom = player.figure.head
    high = player.head_share * SIZE[1]
    wide = high * (right - left) / (bottom - top)
    shaken = random.normal(0, SHAKEN, 4)
    x, y = place[0] * SIZE[0] + shaken[0] * wide, place[1] * SIZE[1] + shaken[1] * high
    half_x, half_y = wide * (1 + shaken[2]) / 2, high * (1 + shaken[3]) / 2
    return Box(
        "head",
        max(0.0, x - half_x),
        max(0.0, y - half_y),
        min(float(SIZE[0]), x + half_x),
        min(float(SIZE[1]), y + half_y),
        1.0,
    )


def report(tally: Tally) -> str:
    """A row for each condition, and one for all of them."""
    rows = []
    for wear in Wear:
        for look in (*Look, None):
            called = {
                worn: [
                    one
                    for (what, light, true), found in tally.items()
                    if what is wear and true is worn and look in (None, light)
                    for one in found
                ]
                for worn in (True, False)
            }
            rows.append(
                (
                    wear.value,
                    look.value if look else "**all**",
                    f"{sum(called[True])} of {len(called[True])}",
                    f"{np.mean(called[False] or [False]):.3f} of {len(called[False])}",
                )
            )
    return table(("asked", "seen", "worn, called bare", "bare, called so"), rows)


if __name__ == "__main__":
    raise SystemExit(main())
