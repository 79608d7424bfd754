"""The region tree: city, districts, towns, grid cells; rights are subtrees of it."""

from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import Connection, select

from contracts.topics import checked_segment
from ledger.schema import regions
from ledger.sql import among, insert_into, typed, typed_or_none


class Region(msgspec.Struct, frozen=True):
    """A node of the tree; `code` stands in topics. `source` says where the code was taken from."""

    code: str
    name_zh: str
    name_en: str
    parent: str | None = None
    source: str = ""


def add(conn: Connection, *new: Region) -> None:
    """Add regions, parents before children; a known code gets the new names, parent and source.

    Raises TopicError for a code that could not stand in a topic, ValueError for an unknown parent
    or a circle.
    """
    for region in new:
        checked_segment("region", region.code)
        if region.parent is not None:
            if get(conn, region.parent) is None:
                raise ValueError(f"region {region.code}: parent {region.parent} is not known")
            if region.code in ancestors(conn, region.parent):
                raise ValueError(f"region {region.code}: parent {region.parent} lies below it")
        row = msgspec.structs.asdict(region)
        statement = insert_into(conn, regions).values(row)
        conn.execute(statement.on_conflict_do_update(index_elements=["code"], set_=row))


def get(conn: Connection, code: str) -> Region | None:
    """The region of that code."""
    row = conn.execute(select(regions).where(regions.c.code == code)).one_or_none()
    return typed_or_none(row, Region)


_NAMES = select(regions.c.code, regions.c.name_zh, regions.c.name_en).where(
    among(regions.c.code, "codes")
)


def names(conn: Connection, codes: Collection[str]) -> dict[str, tuple[str, str]]:
    """Chinese and English names of these regions; those that are not known are left out."""
    return {code: (zh, en) for code, zh, en in conn.execute(_NAMES, {"codes": codes})}


def all_regions(conn: Connection) -> list[Region]:
    """Every region, in order of code."""
    return [typed(row, Region) for row in conn.execute(select(regions).order_by(regions.c.code))]


def children(conn: Connection, code: str | None) -> list[Region]:
    """The regions right below `code` (None: the roots), in order of code."""
    below = regions.c.parent.is_(None) if code is None else regions.c.parent == code
    rows = conn.execute(select(regions).where(below).order_by(regions.c.code))
    return [typed(row, Region) for row in rows]


def subtree(conn: Connection, code: str) -> list[str]:
    """`code` and every region below it; empty if it is not known."""
    tree = select(regions.c.code).where(regions.c.code == code).cte("tree", recursive=True)
    tree = tree.union(select(regions.c.code).where(regions.c.parent == tree.c.code))
    return sorted(conn.scalars(select(tree.c.code)))


_first = select(regions.c.code, regions.c.parent).where(among(regions.c.code, "codes"))
_up = _first.cte("up", recursive=True)
_UP = select(
    _up.union(select(regions.c.code, regions.c.parent).where(regions.c.code == _up.c.parent))
)


def ancestors(conn: Connection, code: str) -> list[str]:
    """`code`, its parent, and so on up to the root; empty if it is not known."""
    return paths(conn, (code,))[code]


def paths(conn: Connection, codes: Collection[str]) -> dict[str, list[str]]:
    """The `ancestors` of each of these codes."""
    parents = {row.code: row.parent for row in conn.execute(_UP, {"codes": codes})}
    found: dict[str, list[str]] = {}
    for code in codes:
        path: list[str] = []
        at: str | None = code
        while at is not None and at in parents and at not in path:
            path.append(at)
            at = parents[at]
        found[code] = path
    return found


def below_any(conn: Connection, codes: Sequence[str]) -> list[str]:
    """The union of several subtrees, sorted."""
    return sorted({found for code in codes for found in subtree(conn, code)})
