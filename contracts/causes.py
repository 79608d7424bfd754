"""Why an alert was false, as data: the causes that an officer may name, with their words.

Read from ``firmware_configs/verdicts/causes.toml``. Errors name the file and the cause.
"""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from contracts.settings import SettingsError, load_settings

FILE = Path(__file__).parent.parent / "firmware_configs" / "verdicts" / "causes.toml"
Basis = Literal["observation", "result", "reading", "state"]
"""What an alert rests on."""


class Cause(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One cause. Its id stands in the books for ever; its words may change."""

    id: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    zh: Annotated[str, Meta(min_length=1)]
    en: Annotated[str, Meta(min_length=1)]
    of: tuple[Basis, ...] = ()
    """What an alert must rest on for this to be offered; empty: anything."""
    text: bool = False
    """Whether it needs words of the officer's own."""
    counts: bool = True
    """False: such an alert is no false alarm of its rule and left out of its precision."""

    def fits(self, basis: Basis) -> bool:
        """Whether it may be said of an alert that rests on this."""
        return not self.of or basis in self.of


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cause: tuple[Cause, ...]


def load_causes(path: Path = FILE) -> dict[str, Cause]:
    """The causes by id, in the file's order. Raises SettingsError."""
    causes: dict[str, Cause] = {}
    for one in load_settings(path, _File).cause:
        if one.id in causes:
            raise SettingsError(f"{path}: cause {one.id!r} stands there twice")
        causes[one.id] = one
    return causes
