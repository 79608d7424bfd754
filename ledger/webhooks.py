"""Webhooks: which other systems are told of what, from which place in the journal on.

Each has a place of its own in the journal: what happens while it is paused waits there, and is told
when it goes on. Only so many messages wait at once; the rest stays in the journal.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, select, update

from ledger.ids import new_id
from ledger.officers import Role
from ledger.schema import officers, webhooks
from ledger.sql import plain, typed, typed_or_none

State = Literal["active", "paused"]
Reason = Literal["", "by hand", "failing", "gone", "maker"]
"""Why it is paused: somebody paused it, nothing arrived for too long, the receiver wants no more
(410), its maker may not make any more."""
MAKERS = frozenset({Role.ADMIN, Role.CITY})
"""Roles whose webhooks are told something: those that may make them."""


class Webhook(msgspec.Struct, frozen=True):
    """One subscription. It holds the secret that messages are signed with."""

    name: str
    url: str
    events: tuple[str, ...]
    region: str
    secret: str
    officer_id: str
    """Who made it: it is told no more than they may see."""
    created_at: datetime
    changed_at: datetime
    position: int
    """Journal id up to which it has been told, or its messages wait."""
    id: str = msgspec.field(default_factory=new_id)
    state: State = "active"
    reason: Reason = ""
    failures: int = 0
    """How many tries in a row have failed."""
    next_at: datetime | None = None
    """Nothing is tried before; None: at once."""
    removed_at: datetime | None = None
    old_secret: str | None = None
    """The secret before the present one: messages are signed with both, for a while."""
    old_secret_until: datetime | None = None

    def secrets_at(self, at: datetime) -> tuple[str, ...]:
        """The secrets that messages are signed with at `at`, the present one first."""
        old = self.old_secret if self.old_secret_until and at < self.old_secret_until else None
        return (self.secret, old) if old else (self.secret,)


def add(conn: Connection, new: Webhook) -> None:
    """Add one."""
    conn.execute(webhooks.insert(), plain(new) | {"events": list(new.events)})


def get(conn: Connection, webhook_id: str) -> Webhook | None:
    """The webhook of that id, unless it was removed."""
    found = select(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.removed_at.is_(None))
    return typed_or_none(conn.execute(found).one_or_none(), Webhook)


def list_in(conn: Connection, regions: Sequence[str]) -> list[Webhook]:
    """The webhooks over `regions`, the newest first."""
    found = select(webhooks).where(webhooks.c.region.in_(regions), webhooks.c.removed_at.is_(None))
    rows = conn.execute(found.order_by(webhooks.c.created_at.desc(), webhooks.c.id.desc()))
    return [typed(row, Webhook) for row in rows]


def active(conn: Connection) -> list[Webhook]:
    """Every webhook that is told something, by its id."""
    found = select(webhooks).where(webhooks.c.state == "active", webhooks.c.removed_at.is_(None))
    return [typed(row, Webhook) for row in conn.execute(found.order_by(webhooks.c.id))]


def with_maker_gone(conn: Connection) -> list[str]:
    """Ids of active webhooks whose maker may make none any more."""
    found = (
        select(webhooks.c.id)
        .join(officers, officers.c.id == webhooks.c.officer_id)
        .where(webhooks.c.state == "active", webhooks.c.removed_at.is_(None))
        .where(~officers.c.active | officers.c.role.not_in([role.value for role in MAKERS]))
    )
    return list(conn.scalars(found))


def pause(conn: Connection, webhook_id: str, reason: Reason, at: datetime) -> bool:
    """Tell it nothing for now; False if it is paused already."""
    found = update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.state == "active")
    changed = found.values(state="paused", reason=reason, changed_at=at)
    return conn.execute(changed).rowcount > 0


def resume(conn: Connection, webhook_id: str, at: datetime) -> bool:
    """Go on where it stood; False if it is not paused."""
    found = update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.state == "paused")
    changed = found.values(state="active", reason="", changed_at=at, failures=0, next_at=None)
    return conn.execute(changed).rowcount > 0


def rotate(conn: Connection, webhook_id: str, secret: str, until: datetime, at: datetime) -> None:
    """Sign with `secret` from now on, and with the one of until now as well, until then."""
    found = update(webhooks).where(webhooks.c.id == webhook_id)
    conn.execute(
        found.values(
            old_secret=webhooks.c.secret, old_secret_until=until, secret=secret, changed_at=at
        )
    )


def remove(conn: Connection, webhook_id: str, at: datetime) -> None:
    """Tell it nothing any more; what it was told stays on record for a while."""
    found = update(webhooks).where(webhooks.c.id == webhook_id)
    conn.execute(
        found.values(state="paused", removed_at=at, changed_at=at, secret="", old_secret=None)
    )


def move_on(conn: Connection, webhook_id: str, position: int) -> None:
    """Its messages up to that journal id wait now, or were of no interest."""
    found = update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.position < position)
    conn.execute(found.values(position=position))


def note_try(conn: Connection, webhook_id: str, *, failures: int, next_at: datetime | None) -> None:
    """How often it has failed in a row, and when it may be tried again."""
    found = update(webhooks).where(webhooks.c.id == webhook_id)
    conn.execute(found.values(failures=failures, next_at=next_at))
