"""Plays pictures with known times through a camera's whole road; the same clip tells the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from contracts.topics import Identity
from edge_agent.cameras.frames import Frame, Picture, SourceError
from edge_agent.cameras.pictures import PICTURE_ENDINGS, read_picture, shrink
from edge_agent.cameras.pipeline import Models, Outcome, Pipeline
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources.capture import every_picture
from edge_agent.cameras.telling.teller import Teller
from edge_agent.ports import Fact

BEGIN = datetime(2000, 1, 1, tzinfo=UTC)
"""A clip begins here, so that it tells the same whenever it is played."""

NOBODY = Identity("440700", "replay", "camera")


def clip_pictures(path: Path, settings: CameraSettings) -> Iterator[tuple[float, Picture]]:
    """The pictures of a video, or of a folder at `folder_fps`, with their times in seconds.

    As fast as they can be read. Raises SourceError.
    """
    if not path.is_dir():
        yield from every_picture(path, settings.refuse_above_px)
        return
    paths = sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURE_ENDINGS)
    if not paths:
        raise SourceError(f"{path}: holds no picture")
    for number, one in enumerate(paths):
        yield number / settings.folder_fps, read_picture(one, settings.refuse_above_px)


@dataclass(frozen=True, slots=True)
class Step:
    """One frame of a clip and what it led to."""

    outcome: Outcome
    facts: tuple[Fact, ...]
    open_kinds: tuple[str, ...]
    """Kinds of the observations that are open after it."""
    pipeline: Pipeline


def play(
    pictures: Iterable[tuple[float, Picture]],
    settings: CameraSettings,
    scene: Scene,
    models: Models,
    *,
    who: Identity = NOBODY,
    begin: datetime = BEGIN,
) -> Iterator[Step]:
    """One step for each picture that a live camera would have taken at its rate of looks.

    `pictures` are (seconds from the beginning, picture). What is open at the end is closed by a
    last step for the last frame.
    """
    pipeline = Pipeline(settings, scene, models, started_s=0.0)
    teller = Teller(who, pipeline)
    taken_s = float("-inf")
    last: Outcome | None = None
    for number, (at_s, picture) in enumerate(pictures, 1):
        if at_s - taken_s < 0.9 / settings.looks_per_s:
            continue
        taken_s = at_s
        shrunk = shrink(picture, settings.longest_side_px)
        last = pipeline.take(Frame(shrunk, begin + timedelta(seconds=at_s), at_s, number))
        facts = teller.tell(last)
        yield _step(last, facts, teller)
    if last is not None and teller.open:
        ended = Outcome(None, (), last.frame)
        yield _step(ended, teller.end(last.frame.grabbed_at, taken_s), teller)


def _step(outcome: Outcome, facts: list[Fact], teller: Teller) -> Step:
    kinds = tuple(sorted({observation.kind for observation in teller.open.values()}))
    return Step(outcome, tuple(facts), kinds, teller.pipeline)
