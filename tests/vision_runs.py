"""For tests of the `foodsentry vision` commands: runs one, and records a clip for it."""

import argparse
from collections.abc import Iterable
from pathlib import Path

from camera_parts import Pixels

from edge_agent.cameras.tools.commands import add_commands
from edge_agent.cameras.tools.drawing import Recording


def run(*words: object) -> int:
    """The exit status of `foodsentry vision WORDS…`."""
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    arguments = parser.parse_args(["vision", *map(str, words)])
    status: int = arguments.run(arguments)
    return status


def record(path: Path, pictures: Iterable[tuple[float, Pixels]], fps: float) -> Path:
    """The pictures of 640x360 as a video."""
    recording = Recording(str(path), fps, 640, 360)
    for _, picture in pictures:
        recording.add(picture)
    recording.close()
    return path
