"""A short watch of a source, for setting up: live at its pace, a clip as fast as it can be read."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.eyes.inference import Model
from edge_agent.cameras.frames import Picture, SourceEnded, SourceError, Ticks
from edge_agent.cameras.pictures import shrink
from edge_agent.cameras.rule.looking import HEAD
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources.capture import open_source, prepare_opencv
from edge_agent.cameras.tools.replay import clip_pictures
from edge_agent.cameras.tools.survey import Survey

EVERY_S = 0.5


def watch(
    settings: CameraSettings,
    password: str | None,
    detector: Model,
    for_s: float,
    ticks: Ticks,
    progress: Callable[[float, int], None] = lambda at_s, heads: None,
) -> Survey:
    """Look at a source twice a second for `for_s`; a clip's own seconds count.

    `progress` is told how far it is and how many heads are in view. Raises SourceError if there
    was not one picture.
    """
    prepare_opencv()
    survey: Survey | None = None
    due_s = 0.0
    for at_s, whole in _pictures(settings, password, for_s, ticks):
        if at_s < due_s:
            continue
        due_s = at_s + EVERY_S
        picture = shrink(whole, settings.longest_side_px)
        if survey is None:
            survey = Survey(picture.shape[1], picture.shape[0])
        if picture.shape[:2] == (survey.height, survey.width):
            heads = [box for box in detect(detector, picture) if box.label == HEAD]
            survey.look(picture, heads)
            progress(at_s, len(heads))
    if survey is None:
        raise SourceError(f"{settings.source}: gave no picture")
    return survey


def _pictures(
    settings: CameraSettings, password: str | None, for_s: float, ticks: Ticks
) -> Iterator[tuple[float, Picture]]:
    kind, _, path = settings.source.partition(":")
    if kind in ("file", "folder"):
        for at_s, picture in clip_pictures(Path(path), settings):
            if at_s > for_s:
                return
            yield at_s, picture
        return
    source, stop, began_s = open_source(settings, password), threading.Event(), ticks()
    try:
        while (at_s := ticks() - began_s) <= for_s:
            source.grab(stop)
            yield at_s, source.retrieve()
    except SourceEnded:
        return
    finally:
        source.close()
