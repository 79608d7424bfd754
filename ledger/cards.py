"""Yellow and red cards 黄牌/红牌: what an overdue alert costs its establishment, and annulments."""

from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.sql.dml import ReturningInsert

from ledger import journal
from ledger.alert_life import note_only
from ledger.alert_types import AlertConflict, AlertRow
from ledger.ids import new_id
from ledger.schema import alerts, cards, establishments
from ledger.sql import insert_in, plain, typed, typed_or_none


class Colour(StrEnum):
    """Yellow first, then red."""

    YELLOW = "yellow"
    RED = "red"


class Card(msgspec.Struct, frozen=True):
    """A card of an establishment. An annulled one counts no more, and stays in the file."""

    establishment_id: str
    alert_id: str
    colour: Colour
    at: datetime
    reason: str
    annulled_at: datetime | None = None
    annulled_by: str | None = None
    annul_reason: str = ""
    id: str = msgspec.field(default_factory=new_id)


_TURN = (
    select(establishments.c.id)
    .where(establishments.c.id == bindparam("establishment"))
    .with_for_update(key_share=True)
)
"""Two gateways that judge two alerts of one establishment take turns."""


@cache
def _giving(dialect: str) -> ReturningInsert[Any]:
    """Insert a card, unless its alert has cost one of that colour."""
    statement = insert_in(dialect, cards)
    once = statement.on_conflict_do_nothing(index_elements=["alert_id", "colour"])
    return once.returning(cards.c.id)


def give(
    conn: Connection, alert: AlertRow, reason: str, at: datetime, *, lasts: timedelta
) -> Card | None:
    """Give the alert's establishment its next card: yellow, then red, then no more.

    Cards of the time `lasts` count, and annulled ones don't; but for the same alert none is given
    twice. None if there is no establishment or nothing more to give.
    """
    owner = alert.establishment_id
    if owner is None:
        return None
    conn.execute(_TURN, {"establishment": owner})
    found = of_establishment(conn, owner, standing_only=True)
    standing = {one.colour for one in found if at - lasts < one.at}
    if Colour.RED in standing:
        return None
    colour = Colour.RED if standing else Colour.YELLOW
    card = Card(owner, alert.alert_id, colour, at, reason)
    row = plain(card) | {"colour": colour.value}
    if conn.scalar(_giving(conn.dialect.name), row) is None:
        return None
    note_only(conn, alert.alert_id, at, "card", note=reason, body={"colour": colour.value})
    _tell(conn, journal.CARD, card, alert.region, alert.site, at)
    return card


def annul(conn: Connection, card_id: str, officer: str, at: datetime, reason: str) -> bool:
    """An officer (id) takes a card back, and says why; False if somebody had.

    Raises AlertConflict if there is no such card or no reason is given.
    """
    if not reason.strip():
        raise AlertConflict(f"card {card_id[:80]!r} is annulled with a reason only")
    change = update(cards).where(cards.c.id == card_id, cards.c.annulled_at.is_(None))
    row = conn.execute(
        change.values(annulled_at=at, annulled_by=officer, annul_reason=reason).returning(*cards.c)
    ).one_or_none()
    if row is None:
        if get(conn, card_id) is None:
            raise AlertConflict(f"there is no card {card_id[:80]!r}")
        return False
    card = typed(row, Card)
    place = select(alerts.c.region, alerts.c.site).where(alerts.c.alert_id == card.alert_id)
    region, site = conn.execute(place).one()
    body = {"colour": card.colour.value}
    note_only(conn, card.alert_id, at, "card_annulled", actor=officer, note=reason, body=body)
    _tell(conn, journal.CARD_ANNULLED, card, region, site, at)
    return True


def get(conn: Connection, card_id: str) -> Card | None:
    """The card of that id."""
    row = conn.execute(select(cards).where(cards.c.id == card_id)).one_or_none()
    return typed_or_none(row, Card)


def of_alert(conn: Connection, alert_id: str) -> list[Card]:
    """The cards given for an alert, oldest first."""
    found = select(cards).where(cards.c.alert_id == alert_id)
    return [typed(row, Card) for row in conn.execute(found.order_by(cards.c.at, cards.c.id))]


_OF_ESTABLISHMENT = (
    select(cards)
    .where(cards.c.establishment_id == bindparam("establishment"))
    .order_by(cards.c.at.desc(), cards.c.id)
)
_STANDING = _OF_ESTABLISHMENT.where(cards.c.annulled_at.is_(None))


def of_establishment(
    conn: Connection, establishment_id: str, *, standing_only: bool = False
) -> list[Card]:
    """An establishment's cards, newest first; `standing_only`: without annulled ones."""
    asked = _STANDING if standing_only else _OF_ESTABLISHMENT
    rows = conn.execute(asked, {"establishment": establishment_id})
    return [typed(row, Card) for row in rows]


def _tell(conn: Connection, kind: str, card: Card, region: str, site: str, at: datetime) -> None:
    body = msgspec.to_builtins(card)
    journal.append(conn, kind, at=at, region=region, site=site, ref=card.id, body=body)
