"""How each way to a recipient went: what a sender goes on from after a crash, and shows afterwards.

One row for each notification and contact; it is written after an outcome is known, so that what a
sender was doing when it was killed counts as not done.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, bindparam, select

from ledger.schema import notification_tries
from ledger.sql import plain, replacing, typed

State = Literal["waiting", "sent", "failed"]


class Try(msgspec.Struct, frozen=True):
    """One way to the recipient of one notification."""

    notification_id: int
    contact: str
    """Contact id; for a route or a browser, what stands for one."""
    channel: str
    state: State
    tries: int
    """How often it was tried."""
    at: datetime
    """When it was tried last."""
    next_at: datetime | None = None
    """When it may be tried again, if it waits."""
    reason: str = ""


_OF = (
    select(notification_tries)
    .where(notification_tries.c.notification_id.in_(bindparam("numbers", expanding=True)))
    .order_by(notification_tries.c.at)
)


def of(conn: Connection, numbers: Iterable[int]) -> Mapping[int, dict[str, Try]]:
    """What is known of these notifications' ways, by notification and contact."""
    wanted = list(numbers)
    found: dict[int, dict[str, Try]] = {number: {} for number in wanted}
    for row in conn.execute(_OF, {"numbers": wanted}):
        one = typed(row, Try)
        found[one.notification_id][one.contact] = one
    return found


def put(conn: Connection, tries: Iterable[Try]) -> None:
    """Keep how it went, in place of what was kept before."""
    rows = [plain(one) | {"reason": one.reason[:512]} for one in tries]
    if rows:
        conn.execute(replacing(conn.dialect.name, notification_tries), rows)
