"""Reads a region tree from a TOML file: ``[[region]]`` tables, parents before children."""

from pathlib import Path

import msgspec

from contracts.settings import SettingsError, load_settings
from contracts.topics import TopicError, checked_segment
from ledger.regions import Region


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    name_zh: str
    name_en: str
    source: str
    parent: str | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    region: list[_Row]


def read_regions(path: Path) -> list[Region]:
    """The file's regions in order. Raises SettingsError that names the file and the region."""
    regions: dict[str, Region] = {}
    for place, row in enumerate(load_settings(path, _File).region):
        where = f"{path}: region[{place}]"
        try:
            checked_segment("code", row.code)
        except TopicError as error:
            raise SettingsError(f"{where}: {error}") from None
        if row.code in regions:
            raise SettingsError(f"{where}: code {row.code} stands twice")
        if row.parent is not None and row.parent not in regions:
            raise SettingsError(f"{where}: parent {row.parent} does not stand before it")
        regions[row.code] = Region(**msgspec.structs.asdict(row))
    return list(regions.values())
