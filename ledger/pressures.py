"""What recipients have had of late: by it the pipeline holds back what would be too much."""

from collections.abc import Iterable
from datetime import datetime

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from contracts.words import Severity
from ledger.schema import notifications
from ledger.sql import among

TOLD = ("queued", "sending", "sent", "failed")
"""States of what was meant to be told by itself."""


class Pressure(msgspec.Struct, frozen=True):
    """What one recipient has had of late."""

    recent: int = 0
    """Messages of any kind but digests, within a storm's window."""
    today: int = 0
    """Messages of this day that count for the budget."""
    storm: bool = False
    """Whether messages wait for a storm's digest."""


_made = notifications.c
_told = _made.state.in_(TOLD) & (_made.kind != "digest")
_counted = _told & (_made.severity != int(Severity.AT_ONCE)) & _made.kind.not_in(["notice", "case"])
_waits = (_made.state == "held") & (_made.hold == "storm") & _made.digest_id.is_(None)
_PRESSURES = (
    select(
        _made.recipient,
        _made.route,
        func.count().filter(_told & (_made.created_at > bindparam("recent_since"))),
        func.count().filter(_counted & (_made.created_at >= bindparam("today"))),
        func.count().filter(_waits),
    )
    .where(among(_made.recipient, "recipients"), _made.created_at > bindparam("since"))
    .group_by(_made.recipient, _made.route)
)


def pressures(
    conn: Connection, recipients: Iterable[tuple[str, str]], recent_since: datetime, today: datetime
) -> dict[tuple[str, str], Pressure]:
    """What these recipients (officer id, route) have had; `today`: since when the day counts."""
    wanted = set(recipients)
    given = {
        "recipients": {recipient for recipient, _ in wanted},
        "recent_since": recent_since,
        "today": today,
        "since": min(recent_since, today),
    }
    return {
        (recipient, route): Pressure(recent, day, waiting > 0)
        for recipient, route, recent, day, waiting in conn.execute(_PRESSURES, given)
        if (recipient, route) in wanted
    }
