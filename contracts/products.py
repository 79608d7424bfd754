"""Products as testing rooms know them: the food dictionary, and what is known of a matrix."""

import csv
from pathlib import Path

import msgspec

from contracts.foods import load_foods
from contracts.settings import SettingsError

CONFIGS = Path(__file__).resolve().parents[1] / "firmware_configs"
FOODS = CONFIGS / "foods"
NOTES = CONFIGS / "rooms" / "matrix_notes.csv"


class Product(msgspec.Struct, frozen=True):
    """A product that may be tested."""

    name: str
    group: str
    """``vegetable``, ``fruit``, ``meat`` …; empty where nobody has said."""
    note_zh: str = ""
    note_en: str = ""


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the notes: a matrix that disturbs a test, and what helps."""

    name: str
    note_zh: str
    note_en: str
    source: str
    mark: str


class Products:
    """The products, and the group that a name means."""

    def __init__(self, foods: Path = FOODS, notes: Path = NOTES) -> None:
        """Read them. Raises SettingsError that names file and line."""
        said = {one.name: one for one in read_notes(notes)}
        known = load_foods(foods)
        self._foods = known
        self.all = tuple(
            Product(
                food.name,
                food.kind,
                said[food.name].note_zh if food.name in said else "",
                said[food.name].note_en if food.name in said else "",
            )
            for food in known.rows
        )
        strange = set(said) - {one.name for one in self.all}
        if strange:
            raise SettingsError(
                f"{notes}: no foods of the dictionary: {', '.join(sorted(strange))}"
            )

    def group_of(self, name: str) -> str:
        """The group of a food's own name or alias; '' for any other word: nothing is guessed."""
        found = self._foods.named(name)
        return found.kind if found is not None else ""


def read_notes(path: Path) -> list[Note]:
    """The notes of matrices. Raises SettingsError that names file and line."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from None
    reader = csv.DictReader(lines, restkey="")
    found = []
    for row in reader:
        try:
            found.append(msgspec.convert(row, Note))
        except msgspec.ValidationError as error:
            raise SettingsError(f"{path}: line {reader.line_num}: {error}") from None
    return found
