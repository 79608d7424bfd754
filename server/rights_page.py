"""The page docs/rights.md: every route, the right that it asks for, and the roles that have it.

Read off the routes' signatures and the table of rights; written by `foodsentry.reference`.
"""

from collections.abc import Iterator, Sequence

import msgspec
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from ledger.officers import Role
from server import needs
from server.access import RIGHTS, Right

ROLES = (
    Role.ADMIN,
    Role.CITY,
    Role.COUNTY,
    Role.TOWN,
    Role.GRID,
    Role.OPERATOR,
    Role.AUDITOR,
)


class Asked(msgspec.Struct, frozen=True):
    """What a route asks of whoever calls it."""

    right: Right | None
    """None: nothing, it is public."""
    change: bool
    """It takes a request from our own page only."""
    own: bool = False
    """A change of what is one's own: whoever is signed in."""


def name_of(route: APIRoute) -> str:
    """Method and path, e.g. ``GET /alerts/{alert_id}``."""
    return f"{sorted(route.methods or ())[0]} {route.path}"


def asked_by(route: APIRoute) -> Asked:
    """What the route's signature asks for."""
    called = list(_calls(route.dependant))
    change = needs.sender in called
    for one in called:
        if isinstance(one, needs.Looker | needs.Changer):
            return Asked(one.right, change)
    seen = needs.viewer in called
    return Asked(Right.VIEW if seen else None, change, own=change)


def right_for(routes: Sequence[APIRoute], address: str) -> Right | None:
    """The right that the page at this address asks for; None: nobody needs to be signed in."""
    path = address.partition("?")[0]
    found = (one for one in routes if "GET" in (one.methods or ()) and one.path_regex.match(path))
    route = next(found, None)
    return asked_by(route).right if route else None


def _calls(dependant: Dependant) -> Iterator[object]:
    for one in dependant.dependencies:
        yield one.call
        yield from _calls(one)


def rights_page(routes: Sequence[APIRoute]) -> str:
    """The page as Markdown."""
    head = (
        "# Rights\n\n"
        "Generated from the routes' signatures and the table in `server/access.py` by\n"
        "`make docs`; edit those, not this page. ● may, – is refused (403). A right reaches an\n"
        "officer's own region and all below it; an operator's only the own establishment. What\n"
        "lies outside is answered with 404, as if it did not exist. *own*: whoever is signed in,\n"
        "of what is theirs. *public*: no sign-in. `tests/server/test_access.py` asks every route\n"
        "as every role.\n"
    )
    table = ["## Roles\n", _row("right", [role.value for role in ROLES]), _rule(len(ROLES) + 1)]
    table += [_row(f"`{right.value}`", _marks(right)) for right in Right]
    columns = ["asks for", *(role.value for role in ROLES), "no login"]
    listed = ["## Routes\n", _row("route", columns), _rule(len(columns) + 1)]
    listed += [_line(route) for route in sorted(routes, key=lambda one: (one.path, name_of(one)))]
    return "\n".join([head, *table, "", *listed]) + "\n"


def _line(route: APIRoute) -> str:
    asked = asked_by(route)
    word = "public" if asked.right is None else "own" if asked.own else asked.right.value
    marks = ["●"] * len(ROLES) if asked.right is None else _marks(asked.right)
    return _row(f"`{name_of(route)}`", [word, *marks, "●" if asked.right is None else "–"])


def _marks(right: Right) -> list[str]:
    return ["●" if right in RIGHTS[role] else "–" for role in ROLES]


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {first} | {' | '.join(cells)} |"


def _rule(columns: int) -> str:
    return "|---" * columns + "|"
