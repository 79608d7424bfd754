"""Steps of cases that wait for a second officer: they sign in as themselves and confirm, or don't.

A step that needs two officers is not made before the second one has said so. It is asked for upon
the case as it stood; once the case has moved on, it can no longer be confirmed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Select, select, update

from contracts.casework import Given
from ledger.ids import new_id
from ledger.schema import case_confirmations, cases
from ledger.sql import typed, typed_or_none

Answer = Literal["confirmed", "declined", "withdrawn"]


class Confirmation(msgspec.Struct, frozen=True):
    """A step that `asked_by` would make, if `second` confirms that both were there."""

    id: str
    case_id: str
    version: int
    """Of the case as `asked_by` saw it."""
    move: str
    given: Given
    asked_by: str
    second: str
    asked_at: datetime
    answer: Literal["", "confirmed", "declined", "withdrawn"]
    """Empty while it waits."""
    answered_at: datetime | None
    note: str
    """Why it was declined or withdrawn."""


def ask(
    conn: Connection,
    case_id: str,
    version: int,
    move: str,
    given: Given,
    asked_by: str,
    at: datetime,
) -> Confirmation:
    """Ask `given.second` to confirm a step; an older question for the same step is withdrawn."""
    older = _open().where(
        case_confirmations.c.case_id == case_id,
        case_confirmations.c.move == move,
        case_confirmations.c.asked_by == asked_by,
    )
    for row in conn.execute(older).all():
        answer(conn, row.id, "withdrawn", at)
    asked = Confirmation(
        id=new_id(),
        case_id=case_id,
        version=version,
        move=move,
        given=given,
        asked_by=asked_by,
        second=given.second,
        asked_at=at,
        answer="",
        answered_at=None,
        note="",
    )
    given_row = {"given": msgspec.to_builtins(given)}
    conn.execute(case_confirmations.insert(), msgspec.structs.asdict(asked) | given_row)
    return asked


def answer(
    conn: Connection, confirmation_id: str, said: Answer, at: datetime, note: str = ""
) -> bool:
    """Answer a question; False if it was answered already."""
    changed = (
        update(case_confirmations)
        .where(case_confirmations.c.id == confirmation_id, case_confirmations.c.answer == "")
        .values(answer=said, answered_at=at, note=note)
    )
    return conn.execute(changed).rowcount == 1


def get(conn: Connection, confirmation_id: str) -> Confirmation | None:
    """The question of that id."""
    found = select(case_confirmations).where(case_confirmations.c.id == confirmation_id)
    return typed_or_none(conn.execute(found).one_or_none(), Confirmation)


def of_case(conn: Connection, case_id: str) -> list[Confirmation]:
    """All that was asked in a case, the oldest first."""
    found = select(case_confirmations).where(case_confirmations.c.case_id == case_id)
    ordered = found.order_by(case_confirmations.c.asked_at, case_confirmations.c.id)
    return [typed(row, Confirmation) for row in conn.execute(ordered)]


def waiting_for(conn: Connection, second: str, regions: Sequence[str]) -> list[Confirmation]:
    """What waits for this officer in these regions, the oldest first, as long as it can be made."""
    found = (
        _open()
        .join(cases, cases.c.case_id == case_confirmations.c.case_id)
        .where(
            case_confirmations.c.second == second,
            case_confirmations.c.version == cases.c.version,
            cases.c.region.in_(regions),
        )
        .order_by(case_confirmations.c.asked_at, case_confirmations.c.id)
    )
    return [typed(row, Confirmation) for row in conn.execute(found)]


def _open() -> Select[Any]:
    return select(case_confirmations).where(case_confirmations.c.answer == "")
