"""Which rules each gateway has loaded, as it said when it began."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from ledger.schema import loaded_rules
from ledger.sql import replacing, typed


class RuleFile(msgspec.Struct, frozen=True):
    """A file by name and content."""

    name: str
    sha256: str


class Loaded(msgspec.Struct, frozen=True):
    """What one gateway has loaded."""

    gateway: str
    loaded_at: datetime
    files: Sequence[RuleFile]
    rules: Sequence[tuple[str, str]]
    """Id and version of each rule."""


def put(conn: Connection, loaded: Loaded) -> None:
    """Note it in place of what that gateway said before."""
    row = {
        "gateway": loaded.gateway,
        "loaded_at": loaded.loaded_at,
        "files": msgspec.to_builtins(list(loaded.files)),
        "rules": [list(one) for one in loaded.rules],
    }
    conn.execute(replacing(conn.dialect.name, loaded_rules), row)


def list_all(conn: Connection) -> list[Loaded]:
    """Of every gateway that ever began here, the last to begin first."""
    rows = conn.execute(select(loaded_rules).order_by(loaded_rules.c.loaded_at.desc()))
    return [typed(row, Loaded) for row in rows]
