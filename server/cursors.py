"""Cursors of lists: opaque names of the place after an item, good however the list grows.

A cursor holds its list's name and the sort key of the last item seen; the next page holds what
sorts behind it. So an item that was there stays on exactly one page, whatever is added meanwhile.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from server.problems import Problem, at_parameter

Item = TypeVar("Item")
Place = TypeVar("Place", bound=tuple[Any, ...])


def cursor(name: str, place: tuple[Any, ...]) -> str:
    """What a page of the list `name` gives as `next`."""
    told = msgspec.json.encode([name, *place])
    return base64.urlsafe_b64encode(told).rstrip(b"=").decode()


def place_of(name: str, before: str | None, kind: type[Place]) -> Place | None:
    """The place that the cursor `before` names, as the tuple type `kind`; None: the beginning.

    Raises Problem (422) for what no page of this list gave.
    """
    if before is None:
        return None
    try:
        told = base64.b64decode(before + "=" * (-len(before) % 4), b"-_", validate=True)
        named, *place = msgspec.json.decode(told, type=list[Any])
        found: Place = msgspec.convert(place, kind)
    except (binascii.Error, msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise invalid_cursor() from error
    if named != name or not all(_usable(one) for one in found):
        raise invalid_cursor()
    return found


def _usable(part: object) -> bool:
    """Whether it can be compared with what rows hold."""
    if isinstance(part, datetime):
        return part.tzinfo is not None
    return not isinstance(part, int) or abs(part) < 2**63


def invalid_cursor() -> Problem:
    """The answer to a cursor that no page gave."""
    said = "is not the `next` of a page of this list"
    return Problem(422, "invalid-cursor", f"before: {said}", faults=[at_parameter("before", said)])


def cut(
    rows: Iterable[Item],
    key: Callable[[Item], Place],
    name: str,
    kind: type[Place],
    limit: int,
    before: str | None,
    *,
    descending: bool = False,
) -> tuple[list[Item], str | None]:
    """One page of a list that is at hand whole: its items by `key`, which names each of them once.

    Raises Problem (422).
    """
    place = place_of(name, before, kind)
    left = sorted(rows, key=key, reverse=descending)
    if place is not None:
        left = [row for row in left if (key(row) < place if descending else key(row) > place)]
    return left[:limit], cursor(name, key(left[limit - 1])) if len(left) > limit else None


def sliced(
    rows: list[Item], key: Callable[[Item], Place], name: str, limit: int
) -> tuple[list[Item], str | None]:
    """One page of rows that the ledger has cut: `limit` of them, and one more if there are more."""
    return rows[:limit], cursor(name, key(rows[limit - 1])) if len(rows) > limit else None
