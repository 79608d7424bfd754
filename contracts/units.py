"""Units that values travel in: UCUM codes, and how people read them.

Source of the codes: UCUM (ucum.org), case-sensitive form.
"""

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """A UCUM code with its printed symbol."""

    code: str
    symbol: str


_UNITS = (
    Unit("Cel", "°C"),
    Unit("%", "%"),
    Unit("mg/kg", "mg/kg"),
    Unit("ug/kg", "µg/kg"),
    Unit("mg/L", "mg/L"),
    Unit("ug/L", "µg/L"),
    Unit("ng/mL", "ng/mL"),
    Unit("mg/g", "mg/g"),
    Unit("g", "g"),
    Unit("kg", "kg"),
    Unit("s", "s"),
    Unit("min", "min"),
    Unit("1", ""),
    Unit("[RLU]", "RLU"),
    Unit("[arb'U]", "AU"),
)
UNITS = {unit.code: unit for unit in _UNITS}


def symbol(code: str) -> str:
    """The printed symbol of a UCUM code; a code that is not listed prints as itself."""
    unit = UNITS.get(code)
    return unit.symbol if unit else code
