"""Moves the polygons of a scene file and leaves every other letter of it, comments too."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from contracts.settings import SettingsError, convert_settings
from edge_agent.cameras.rule.polygons import Point
from edge_agent.cameras.rule.scene import Scene, faults

_TABLE = re.compile(r"^\s*\[\[\s*(zones|masks)\s*\]\]", re.MULTILINE)
_ANY_TABLE = re.compile(r"^\s*\[", re.MULTILINE)
_POLYGON = re.compile(r"^(\s*polygon\s*=\s*)(\[)", re.MULTILINE)

Areas = Mapping[str, Sequence[Sequence[Point]]]
"""``zones`` and ``masks``: their polygons in the file's order."""


def with_polygons(text: str, areas: Areas, where: str) -> str:
    """The scene file's text with other polygons.

    Raises SettingsError that names `where` and the key if a polygon cannot be used, if there are
    more or fewer than in the file, or if the file is written so that it cannot be changed.
    """
    before = tomllib.loads(text)
    wanted = dict(before)
    for table in ("zones", "masks"):
        rows, polygons = before.get(table, []), list(areas.get(table, []))
        if len(rows) != len(polygons):
            raise SettingsError(f"{where}: {table}: {len(polygons)} polygons for {len(rows)}")
        if rows:
            wanted[table] = [
                {**row, "polygon": [[round(x, 4), round(y, 4)] for x, y in polygon]}
                for row, polygon in zip(rows, polygons, strict=True)
            ]
    scene = convert_settings(wanted, Scene, where)
    for key, fault in faults(scene):
        raise SettingsError(f"{where}: {key}: {fault}")
    fresh = _rewritten(text, wanted)
    if tomllib.loads(fresh) != wanted:
        raise SettingsError(f"{where}: is written so that its polygons cannot be replaced here")
    return fresh


def save_polygons(path: Path, areas: Areas, at: datetime) -> Path:
    """Change the polygons of a scene file; returns the copy of the old one beside it.

    Raises SettingsError (as `with_polygons`), OSError.
    """
    old = path.read_text("utf-8")
    fresh = with_polygons(old, areas, str(path))
    backup = path.with_name(f"{path.name}.{at:%Y%m%dT%H%M%S}.bak")
    backup.write_text(old, "utf-8")
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.write(fresh)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return backup


def _rewritten(text: str, wanted: Mapping[str, list[dict[str, Sequence[Point]]]]) -> str:
    """Each table's polygon replaced in place, from the file's end to its beginning."""
    tables = list(_TABLE.finditer(text))
    counts = {"zones": 0, "masks": 0}
    jobs: list[tuple[int, int, str]] = []
    for table in tables:
        name = table.group(1)
        rows = wanted.get(name, [])
        index, counts[name] = counts[name], counts[name] + 1
        following = _ANY_TABLE.search(text, _line_end(text, table.end()))
        end = following.start() if following else len(text)
        found = _POLYGON.search(text, table.end(), end)
        # A polygon over several lines has brackets at line starts: search to the whole file's end.
        found = found or _POLYGON.search(text, table.end())
        if found is None or index >= len(rows):
            return text
        begin = found.start(2)
        jobs.append((begin, _closing(text, begin), _polygon(rows[index]["polygon"])))
    for begin, end, polygon in reversed(jobs):
        text = text[:begin] + polygon + text[end:]
    return text


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _closing(text: str, begin: int) -> int:
    """The place after the bracket that closes the one at `begin`."""
    depth = 0
    for index in range(begin, len(text)):
        depth += {"[": 1, "]": -1}.get(text[index], 0)
        if depth == 0:
            return index + 1
    return len(text)


def _polygon(points: Sequence[Point]) -> str:
    return "[" + ", ".join(f"[{x:g}, {y:g}]" for x, y in points) + "]"
