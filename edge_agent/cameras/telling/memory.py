"""Remembers on disk which observations of a camera are open: a kill leaves none dangling."""

import logging
from collections.abc import Iterable
from pathlib import Path

import msgspec

from contracts.events import Observation
from contracts.files import write_whole

_log = logging.getLogger(__name__)


def recall(path: Path) -> list[Observation]:
    """The observations that were open when the file was last written. A damaged file counts empty:
    what it held stays open at the city until a person closes it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Observation])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        _log.error("%s: cannot be read: %s", path, error)
        return []


def remember(path: Path, observations: Iterable[Observation]) -> None:
    """Write what is open, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, msgspec.json.encode(list(observations)), mode=0o666)
