"""Golden clips through the whole pipeline, many at once: every clip becomes a `Score`.

Resumable: what a file of scores holds already is not played again.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Literal

import msgspec

from contracts.events import Observation
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources.capture import prepare_opencv
from edge_agent.cameras.tools.replay import play
from edge_agent.cameras.tools.timeline import spans
from edge_agent.cameras.workers import open_models
from edge_agent.simulation.clips import FPS, Clip, Matter
from edge_agent.simulation.drawn_cast import DrawnCast
from edge_agent.simulation.effects import Look
from edge_agent.simulation.scripts import SCRIPTS, Cast, day, story
from models.clip_cast import PhotoCast
from models.clip_scores import Score, judge
from models.corrections import corrected
from models.other_heads import with_other_heads
from models.truth import read_truth
from models.validation import VALIDATION_ONLY, split

DAY_S = 600.0
Part = Literal["stories", "days"]


class Job(msgspec.Struct, frozen=True):
    """Which clip to make, in words that another process understands."""

    matter: Matter
    script: str
    look: Look
    seed: int

    @property
    def name(self) -> str:
        """Unique among the jobs of a run."""
        return f"{self.script}-{self.look.name.lower()}-{self.seed}"


class Source(msgspec.Struct, frozen=True):
    """Whose people, and which models."""

    photos: Path | None
    """Folder of labelled photographs; None: drawn cooks."""
    models: Path
    detector: str
    attributes: str


def plan(stories: int, hours: float, seed: int = 0) -> list[Job]:
    """Every script under every condition `stories` times, then `hours` of days, half of them with
    nobody and half with people who are dressed. Another `seed` makes other clips."""
    first = 1_000_000 * seed
    jobs = [
        Job(Matter.EPISODES, script, look, first + 1000 * turn + 10 * place + number)
        for turn in range(stories)
        for place, script in enumerate(SCRIPTS)
        for number, look in enumerate(Look)
    ]
    for number in range(round(hours * 3600 / DAY_S)):
        matter = (Matter.EMPTY, Matter.DRESSED)[number % 2]
        look = list(Look)[(number // 2) % len(Look)]
        jobs.append(Job(matter, matter.name.lower(), look, first + 500_000 + number))
    return jobs


def cast_of(source: Source) -> Cast:
    """The cast of a source. Raises TruthError."""
    return DrawnCast() if source.photos is None else photo_cast(source.photos)


def photo_cast(folder: Path) -> PhotoCast:
    """The people of the labelled photographs that training leaves out. Raises TruthError."""
    photos = with_other_heads(corrected(read_truth(folder)))
    outside = [photo for photo in photos if photo.source == VALIDATION_ONLY]
    return PhotoCast(split(photos)[1] + outside)


def clip_of(job: Job, cast: Cast) -> Clip:
    """The clip of a job."""
    if job.matter is Matter.EPISODES:
        return story(job.script, job.look, cast, job.seed)
    return day(job.matter, job.look, cast, job.seed, DAY_S)


def score(job: Job, clip: Clip, models: Models, version: str) -> Score:
    """Play a clip as a camera would and judge what it told."""
    settings = CameraSettings("clip", "file:none", "clip", looks_per_s=FPS)
    observations = [
        fact.data
        for step in play(clip.pictures(), settings, clip.scene, models)
        for fact in step.facts
        if isinstance(fact.data, Observation)
    ]
    expected, found = clip.expected(), spans(observations)
    delays, wrong = judge(expected, found)
    return Score(
        name=job.name,
        script=job.script,
        matter=job.matter,
        look=job.look.value,
        lasts_s=clip.lasts_s,
        models=version,
        expected=sum(one.must for one in expected),
        found=len(delays),
        false=sum(one.startswith("false") for one in wrong),
        delays_s=tuple(round(delay, 1) for delay in delays),
        wrong=tuple(wrong),
        sights=tuple(one.kind for one in found if one.kind.startswith("camera_")),
    )


def version_of(models: Models, photos: Path | None) -> str:
    """What a score is only comparable with: the models, their thresholds, and the cast."""
    both = [msgspec.json.encode(one.manifest) for one in (models.detector, models.classifier)]
    cast = "photographs" if photos else "drawn"
    return f"{cast} {hashlib.sha256(b''.join(both)).hexdigest()[:12]}"


_held: dict[str, tuple[Cast, Models, str]] = {}
"""What a working process has opened, by its source."""


def _opened(source: Source) -> tuple[Cast, Models, str]:
    key = repr(source)
    if key not in _held:
        prepare_opencv()
        models = open_models(source.models, source.detector, source.attributes)
        _held[key] = (cast_of(source), models, version_of(models, source.photos))
    return _held[key]


def score_job(job: Job, source: Source) -> Score:
    """Make, play and judge one clip. Raises TruthError, ManifestError."""
    cast, models, version = _opened(source)
    return score(job, clip_of(job, cast), models, version)


def run(
    jobs: Sequence[Job], source: Source, scores_file: Path, processes: int,
    progress: Callable[[int, int], None],
) -> list[Score]:  # fmt: skip
    """Score all jobs; each score is written as it comes. Raises TruthError, ManifestError."""
    _, _, version = _opened(source)
    scores = {one.name: one for one in read_scores(scores_file) if one.models == version}
    wanted = {job.name: job for job in jobs}
    left = [job for name, job in wanted.items() if name not in scores]
    scores_file.parent.mkdir(parents=True, exist_ok=True)
    with scores_file.open("ab") as file:
        if file.tell():
            file.write(b"\n")  # the last line may be torn
        for one in _scored(left, source, processes):
            scores[one.name] = one
            file.write(msgspec.json.encode(one) + b"\n")
            file.flush()
            progress(len(scores.keys() & wanted.keys()), len(wanted))
    return [scores[name] for name in wanted]


def _scored(jobs: Sequence[Job], source: Source, processes: int) -> Iterator[Score]:
    if processes == 1:
        yield from (score_job(job, source) for job in jobs)
        return
    with ProcessPoolExecutor(processes) as pool:
        for future in as_completed([pool.submit(score_job, job, source) for job in jobs]):
            yield future.result()


def read_scores(path: Path) -> list[Score]:
    """Scores of earlier runs; a torn last line is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_bytes().splitlines():
        try:
            found.append(msgspec.json.decode(line, type=Score))
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
    return found
