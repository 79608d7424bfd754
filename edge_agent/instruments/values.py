"""Values told truthfully: text as sent, number, ``<`` and ``>``, words and unit kept apart."""

import re
import unicodedata
from collections.abc import Mapping

from contracts.events import Value
from contracts.units import UNITS

NEGATIVE = (
    "阴性",
    "阴",
    "未检出",
    "negative",
    "neg",
    "neg.",
    "nd",
    "n.d.",
    "not detected",
    "-",
    "(-)",
)
POSITIVE = ("阳性", "阳", "检出", "positive", "pos", "pos.", "detected", "+", "(+)")
INVALID = ("无效", "invalid", "na", "n/a", "nan", "error", "err", "--", "---", "----", "*")
_WORDS = {
    word: meaning
    for meaning, words in (("negative", NEGATIVE), ("positive", POSITIVE), ("invalid", INVALID))
    for word in words
}
_NUMBER = re.compile(
    r"(<=|>=|[<>≤≥])?\s*([+-]?\s*(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)\s*(.*)", re.S
)
_UNIT_NAMES = {
    "°c": "Cel", "℃": "Cel", "%rh": "%", "ppm": "[ppm]", "ppb": "[ppb]",
    "µg/kg": "ug/kg", "μg/kg": "ug/kg", "µg/l": "ug/L", "μg/l": "ug/L", "ug/ml": "mg/L",
    "rlu": "[RLU]", "mgkoh/g": "mg/g",
}  # fmt: skip
_UCUM = {code.casefold(): code for code in UNITS} | _UNIT_NAMES
_KNOWN = frozenset(_UCUM.values())


def unit_code(sent: str, units: Mapping[str, str]) -> str:
    """UCUM code of a unit as sent: by the profile's own table, then by the usual names.

    A unit that no one knows stays as sent.
    """
    if sent in units:
        return units[sent]
    return _UCUM.get("".join(sent.split()).casefold(), sent)


def read_value(text: str, words: Mapping[str, str], unit: str, units: Mapping[str, str]) -> Value:
    """A value from its text. `unit` is its UCUM code where the record tells it elsewhere."""
    plain = unicodedata.normalize("NFKC", text).strip()
    folded = plain.casefold()
    meaning = words.get(text.strip()) or words.get(plain) or _WORDS.get(folded, "")
    if meaning:
        return Value(text, unit=unit, qualitative=meaning)
    found = _NUMBER.fullmatch(folded)
    if found is None:
        return Value(text, unit=unit)
    comparator, number, rest = found.groups()
    rest_words = _WORDS.get(rest.strip(" ()"), "")
    if rest and not rest_words:
        code = unit_code(plain[len(plain) - len(rest) :], units)
        if code not in _KNOWN and code not in units.values():
            return Value(text, unit=unit)
        unit = unit or code
    read = float("".join(number.split()))
    return Value(
        text,
        number=None if comparator else read,
        comparator={"<=": "<", "≤": "<", ">=": ">", "≥": ">"}.get(comparator, comparator or ""),
        bound=read if comparator else None,
        unit=unit,
        qualitative=rest_words,
    )
