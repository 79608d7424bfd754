"""The journal of what was sent: who was told of what by which channel, and what was held back."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

import msgspec

from ledger import notice_counts, notifications, officers
from ledger.engine import Connection
from ledger.notifications import NotificationRow, State
from ledger.officers import Officer
from server.access import Scope, only_recipient
from server.desk import Names
from server.formats import SHANGHAI, local
from server.languages import Words

STATES: tuple[State, ...] = ("queued", "sending", "sent", "failed", "held", "cancelled")
ALERT_ROWS = 60
"""So many are shown on an alert's page."""


class NotificationLine(msgspec.Struct, frozen=True):
    """A notification with the name of whom it is for."""

    row: NotificationRow
    recipient: str
    """Empty: it goes to a route, not to a person."""

    def why(self, words: Words) -> str:
        """Why it is held, cancelled, failed or tried again, in the page's language."""
        said = self.row.reason
        name = f"told.why.{said}"
        if words.has(name):
            return words(name)
        return words.half(said)


class Balance(msgspec.Struct, frozen=True):
    """What one officer was told on one day, and what was kept from interrupting them."""

    officer_id: str
    name: str
    sent: int
    waiting: int
    failed: int
    held: int
    """In a digest, or to be in the next one."""
    cancelled: int


class NotificationFilter(msgspec.Struct, frozen=True):
    """What the journal shows; kept in the page's address."""

    day: date
    officer: str = ""
    state: str = ""

    @property
    def since(self) -> datetime:
        """When the day begins, in China."""
        return datetime.combine(self.day, time(), SHANGHAI)

    @property
    def until(self) -> datetime:
        """When it ends."""
        return self.since + timedelta(days=1)

    @property
    def states(self) -> Sequence[State] | None:
        """The states that are shown; None: any."""
        return tuple(one for one in STATES if one == self.state) or None

    def query(self, **changed: str) -> str:
        """The address's query with some parts changed."""
        parts = {"day": self.day.isoformat(), "officer": self.officer, "state": self.state}
        kept = [f"{name}={value}" for name, value in (parts | changed).items() if value]
        return "?" + "&".join(kept)


def today(now: datetime) -> date:
    """The day that it is in China."""
    return local(now).date()


def told_of(conn: Connection, alert_id: str, looker: Officer) -> list[NotificationLine]:
    """Who was told of an alert, newest first. An operator sees only what concerns themselves."""
    own = only_recipient(looker)
    found = notifications.list(conn, alert_id=alert_id, recipient=own, limit=ALERT_ROWS)
    return lines(conn, found)


def lines(conn: Connection, rows: Iterable[NotificationRow]) -> list[NotificationLine]:
    """The lines of these notifications."""
    found = list(rows)
    names = Names(conn).look_up(officers=(row.recipient for row in found))
    return [NotificationLine(row, names.officer(row.recipient)) for row in found]


def find_notifications(
    conn: Connection,
    scope: Scope,
    looker: Officer,
    wanted: NotificationFilter,
    limit: int,
    before: int | None = None,
) -> tuple[list[NotificationLine], bool]:
    """Those that the filter shows, newest first, and whether there are more."""
    found = notifications.list(
        conn,
        recipient=only_recipient(looker) or wanted.officer or None,
        since=wanted.since,
        until=wanted.until,
        states=wanted.states,
        regions=scope.listed,
        limit=limit + 1,
        before=before,
    )
    return lines(conn, found[:limit]), len(found) > limit


def recipients(conn: Connection, scope: Scope) -> list[Officer]:
    """Whom the journal can be filtered by."""
    return [one for one in officers.list_in(conn, scope.listed) if one.active]


def balances(
    conn: Connection, scope: Scope, looker: Officer, wanted: NotificationFilter
) -> list[Balance]:
    """What each officer was told on the day, the most burdened first."""
    own = only_recipient(looker) or wanted.officer or None
    counted = notice_counts.between(conn, scope.listed, wanted.since, wanted.until, recipient=own)
    names = Names(conn).look_up(officers=(one.recipient for one in counted))
    told: dict[str, dict[str, int]] = {}
    for one in counted:
        mine = told.setdefault(one.recipient, {})
        mine[one.state] = mine.get(one.state, 0) + one.count
    made = [
        Balance(
            officer_id=recipient,
            name=names.officer(recipient),
            sent=mine.get("sent", 0),
            waiting=mine.get("queued", 0) + mine.get("sending", 0),
            failed=mine.get("failed", 0),
            held=mine.get("held", 0),
            cancelled=mine.get("cancelled", 0),
        )
        for recipient, mine in told.items()
    ]
    return sorted(made, key=lambda one: (-(one.sent + one.held), one.name, one.officer_id))
