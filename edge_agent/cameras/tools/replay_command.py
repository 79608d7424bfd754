"""`foodsentry vision replay` and `annotate`: a clip through a camera's whole road."""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from contracts.events import Observation
from contracts.model_manifest import ManifestError
from contracts.settings import SettingsError
from edge_agent.cameras.frames import Picture, SourceError
from edge_agent.cameras.pipeline import Look, Models
from edge_agent.cameras.rule.scene import WHOLE, Scene, read_scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.shadow.comparison import Shadow, rendered
from edge_agent.cameras.sources.capture import prepare_opencv
from edge_agent.cameras.tools.drawing import Recording, draw
from edge_agent.cameras.tools.replay import Step, clip_pictures, play
from edge_agent.cameras.tools.timeline import Span, spans, told
from edge_agent.cameras.workers import open_models
from edge_agent.settings import chosen_camera

SAY_EVERY_S = 10.0
"""Of the clip; only told to a terminal."""


def add_annotate(
    leaves: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Register `annotate`."""
    leaf = leaves.add_parser("annotate", parents=[common], help="draw what the pipeline saw")
    _add_clip(leaf, "VIDEO")
    leaf.add_argument("out", type=Path, metavar="OUT.mp4")
    leaf.set_defaults(run=run_annotate)


def add_replay(
    leaves: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Register `replay`."""
    leaf = leaves.add_parser(
        "replay", parents=[common], help="the observations that a clip leads to, as live"
    )
    _add_clip(leaf, "CLIP")
    leaf.add_argument("--json", action="store_true", help="one JSON line per observation")
    leaf.add_argument(
        "--candidate",
        type=Path,
        metavar="DIR",
        help="folder of models: a candidate beside the current ones; the differences are counted",
    )
    leaf.set_defaults(run=run_replay)


def _add_clip(leaf: argparse.ArgumentParser, name: str) -> None:
    leaf.add_argument("--scene", type=Path, help="scene file; else one zone: the whole picture")
    leaf.add_argument("--settings", type=Path, help="edge settings: judge as `--camera` there does")
    leaf.add_argument("--camera", help="device id in the edge settings")
    leaf.add_argument("--fps", type=float, default=5.0, help="pace of a folder of pictures")
    leaf.add_argument("clip", type=Path, metavar=name, help="a video, or a folder of pictures")


def run_annotate(arguments: argparse.Namespace) -> int:
    """Write the annotated video and print every observation as a JSON line."""
    return _done(arguments, _annotate)


def run_replay(arguments: argparse.Namespace) -> int:
    """Print the observations, or the timeline of the episodes that they make."""
    return _done(arguments, _replay)


Work = Callable[[argparse.Namespace, CameraSettings, Scene, Models], None]


def _done(arguments: argparse.Namespace, work: Work) -> int:
    """0 done; 1 the clip cannot be read or the video not written; 2 scene or model refused."""
    try:
        settings = _settings(arguments)
        scene = read_scene(arguments.scene) if arguments.scene else WHOLE
        fault = scene.persistence.fault_at(settings.looks_per_s)
        if fault:
            raise SettingsError(f"{arguments.scene or 'scene'}: persistence: {fault}")
        models = open_models(arguments.models, arguments.detector, arguments.attributes)
        prepare_opencv()
        work(arguments, settings, scene, models)
    except (ManifestError, SettingsError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 2
    except (SourceError, OSError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    return 0


def _settings(arguments: argparse.Namespace) -> CameraSettings:
    """How the camera judges: as it is set up at the site, or by default. Raises SettingsError."""
    if arguments.settings:
        settings = chosen_camera(arguments.settings, arguments.camera or "")
    else:
        settings = CameraSettings("replay", f"file:{arguments.clip}", "replay")
    return msgspec.structs.replace(settings, folder_fps=arguments.fps)


def _replay(
    arguments: argparse.Namespace, settings: CameraSettings, scene: Scene, models: Models
) -> None:
    """Print the observations (JSON lines) or the spans that they make, in order of time."""
    observations: list[Observation] = []
    shadow: Shadow | None = None
    if arguments.candidate:
        names = (arguments.detector, arguments.attributes)
        shadow = Shadow(scene, open_models(arguments.candidate, *names))
    for step in _steps(arguments, settings, scene, models):
        if shadow is not None and step.outcome.look is not None:
            shadow.compare(step.outcome.look)
        for one in _observations(step):
            observations.append(one)
            if arguments.json:
                print(msgspec.json.encode(one).decode(), flush=True)
    if not arguments.json:
        found = spans(observations)
        for span in found:
            print(told(span))
        print(_summary(found))
    if shadow is not None:
        shadow.end_stretch()
        figures = shadow.counts.figures()
        print(msgspec.json.encode(figures).decode() if arguments.json else rendered(figures))


def _summary(found: list[Span]) -> str:
    kinds = sorted({span.kind for span in found})
    counts = [f"{kind} {sum(span.kind == kind for span in found)}" for kind in kinds]
    return f"{len(found)} episodes" + (": " + ", ".join(counts) if counts else "")


def _annotate(
    arguments: argparse.Namespace, settings: CameraSettings, scene: Scene, models: Models
) -> None:
    """Play a video through the pipeline; draw it into `out`; print the observations.

    Raises SourceError, OSError.
    """
    recording: Recording | None = None
    look: Look | None = None
    try:
        for step in _steps(arguments, settings, scene, models):
            for one in _observations(step):
                print(msgspec.json.encode(one).decode(), flush=True)
            look = step.outcome.look or look
            sight = step.pipeline.watch.sight
            picture: Picture = step.outcome.frame.picture
            shown = draw(picture, scene, look, sight, list(step.open_kinds))
            if recording is None:
                size = (shown.shape[1], shown.shape[0])
                recording = Recording(str(arguments.out), settings.looks_per_s, *size)
            recording.add(shown)
    finally:
        if recording is not None:
            recording.close()


def _steps(
    arguments: argparse.Namespace, settings: CameraSettings, scene: Scene, models: Models
) -> Iterator[Step]:
    """The clip, played; a terminal is told how far it is."""
    said_s = 0.0
    shows = sys.stderr.isatty()
    for step in play(clip_pictures(arguments.clip, settings), settings, scene, models):
        at_s = step.outcome.frame.seen_s
        if shows and at_s - said_s >= SAY_EVERY_S:
            said_s = at_s
            print(f"\r{arguments.clip}: {at_s:.0f} s played", end="", file=sys.stderr, flush=True)
        yield step
    if shows and said_s:
        print(file=sys.stderr)


def _observations(step: Step) -> list[Observation]:
    return [fact.data for fact in step.facts if isinstance(fact.data, Observation)]
