"""The food dictionary: which food a sample's name means, with a stated confidence.

A name as sent stays as sent; what is guessed travels beside it. An alias (通菜) means one food
(空心菜). A name that the instrument cut is matched by its beginning against all names and aliases;
confidence is the share of the likeliest food among those that begin so, and less for a short
beginning.
"""

import csv
from collections.abc import Iterable
from pathlib import Path

import msgspec

from contracts.settings import SettingsError

THRESHOLD = 0.6
"""Below this confidence nothing is suggested."""
SHOWN = {0: 0.0, 1: 0.5, 2: 0.85}
"""How far a beginning of so many characters is believed; longer ones by `LONG`."""
LONG = 0.95
ALIAS = 0.98
"""An alias in full; some are used for other foods elsewhere."""


class Food(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the dictionary."""

    name: str
    aliases: tuple[str, ...]
    kind: str
    """``vegetable``, ``fruit``, ``meat``, ``fish``, ``egg``, ``bean`` …"""
    weight: float
    """How common it is at a market's stalls, 1 to 10; a judgement, not a statistic."""


class Guess(msgspec.Struct, frozen=True):
    """Which food a name may mean."""

    food: str
    confidence: float
    """0 to 1."""

    @property
    def flag(self) -> str:
        """As it travels among a result's flags: ``name_guess=空心菜:0.92``."""
        return f"name_guess={self.food}:{self.confidence:.2f}"


class Foods:
    """The dictionary in memory."""

    def __init__(self, rows: Iterable[Food] = ()) -> None:
        self._names: dict[str, Food] = {}
        for food in rows:
            for name in (food.name, *food.aliases):
                other = self._names.setdefault(_plain(name), food)
                if other is not food:
                    raise SettingsError(f"{name!r} stands for both {other.name} and {food.name}")

    def __len__(self) -> int:
        return len(set(self._names.values()))

    @property
    def rows(self) -> list[Food]:
        """Every food once, as the files have them."""
        return list({food.name: food for food in self._names.values()}.values())

    def named(self, name: str) -> Food | None:
        """The food whose own name or alias this is."""
        return self._names.get(_plain(name))

    def names_of(self, name: str) -> tuple[str, ...]:
        """The name itself, then every name of the food that it means."""
        food = self.named(name)
        return (name,) if food is None else (name, food.name, *food.aliases)

    def listed(self) -> list[Food]:
        """Every food, once, the commonest first."""
        return sorted(self.rows, key=lambda food: (-food.weight, food.name))

    def guess(self, name: str, *, cut: bool) -> Guess | None:
        """The food that a name as sent means, where that is not plain from the name itself.

        None: the name is a food's own, is unknown, or could be several foods.
        """
        shown = _plain(name)
        if not shown:
            return None
        exact = self._names.get(shown)
        if not cut:
            if exact is None or _plain(exact.name) == shown:
                return None
            return Guess(exact.name, ALIAS)
        votes: dict[str, float] = {}
        for known, food in self._names.items():
            if known.startswith(shown):
                votes[food.name] = max(votes.get(food.name, 0.0), food.weight)
        if not votes:
            return None
        best = max(votes, key=lambda food: votes[food])
        confidence = votes[best] / sum(votes.values()) * SHOWN.get(len(shown), LONG)
        return Guess(best, round(confidence, 2)) if confidence >= THRESHOLD else None


def _plain(name: str) -> str:
    """A name without spaces and unreadable ends, case folded."""
    return "".join(name.split()).rstrip("�").casefold()


def load_foods(folder: Path) -> Foods:
    """Read every ``*.csv`` of `folder`. Raises SettingsError that names file, line and column."""
    rows: list[Food] = []
    paths = sorted(folder.glob("*.csv"))
    for path in paths:
        try:
            text = path.read_text("utf-8-sig")
        except OSError as error:
            raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise SettingsError(f"{path}: not UTF-8 at byte {error.start}") from None
        reader = csv.DictReader(text.splitlines(), restkey="")
        rows += [_row(table, f"{path}: line {reader.line_num}") for table in reader]
    try:
        return Foods(rows)
    except SettingsError as error:
        raise SettingsError(f"{folder}: {error}") from None


def _row(table: dict[str, str], where: str) -> Food:
    if "" in table or None in table.values():
        raise SettingsError(f"{where}: number of cells does not fit the heading")
    aliases = [alias for alias in table.get("aliases", "").split("|") if alias]
    try:
        return msgspec.convert({**table, "aliases": aliases}, Food, strict=False)
    except msgspec.ValidationError as error:
        message, _, key = str(error).partition(" - at `$")
        raise SettingsError(f"{where}: {key.strip('.`') or 'row'}: {message}") from None
