"""Checks of the identifiers that Chinese businesses carry: social credit code and food licence.

Sources: GB 32100-2015 (统一社会信用代码: 18 characters, check character by mod 31, ISO 7064 style);
食品经营许可管理办法 (licence number: the letters JY and 14 digits).
"""

import operator
import re

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_CREDIT_CODE = re.compile(rf"[{_ALPHABET}]{{18}}\Z")
_FOOD_LICENCE = re.compile(r"JY[0-9]{14}\Z")


class IdentifierError(ValueError):
    """An identifier that cannot be right; the text says why."""


def credit_code_check(body: str) -> str:
    """The check character for the first 17 characters. Raises IdentifierError."""
    if len(body) != 17 or not _VALUES.keys() >= set(body):
        raise IdentifierError(
            f"credit code {body[:40]!r} must begin with 17 digits or letters without I O S V Z"
        )
    values = map(_VALUES.__getitem__, body)
    return _ALPHABET[-sum(map(operator.mul, _WEIGHTS, values)) % 31]


def checked_credit_code(code: str) -> str:
    """Return `code` if it is a unified social credit code; raise IdentifierError that says why."""
    if not _CREDIT_CODE.match(code):
        raise IdentifierError(
            f"credit code {code[:40]!r} must be 18 digits or capital letters without I O S V Z"
        )
    expected = credit_code_check(code[:17])
    if code[17] != expected:
        raise IdentifierError(
            f"credit code {code}: its check character is {code[17]}, the others ask for {expected}"
        )
    return code


def checked_food_licence(number: str) -> str:
    """Return `number` if it is a food business licence; raise IdentifierError that says why."""
    if not _FOOD_LICENCE.match(number):
        raise IdentifierError(f"food licence {number[:40]!r} must be JY and 14 digits")
    return number
