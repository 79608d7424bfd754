"""Reads from the ledger what a sender needs of a notification: its ways, its alerts, its words."""

from collections.abc import Collection, Container, Mapping, Sequence

import msgspec

from gateway.notify.channels.channel import Message
from gateway.notify.channels.webpush import NAME as WEBPUSH
from gateway.notify.delivery import Way
from gateway.notify.settings import Language
from ledger import alerts, contacts, officers, push_subscriptions
from ledger.alert_types import AlertRow
from ledger.contacts import Contact
from ledger.engine import Connection
from ledger.notifications import NotificationRow
from ledger.officers import Officer

ALERTS_MOST = 100
"""Alerts that are read for one message; a digest may name thousands."""


class Ways(msgspec.Struct, frozen=True):
    """A recipient's ways in order, or why there is none."""

    ways: tuple[Way, ...] = ()
    reason: str = ""
    language: Language | None = None
    """The recipient's; None: the channels' own."""


def ways_of(
    conn: Connection,
    rows: Sequence[NotificationRow],
    channels: Container[str],
    routes: Mapping[str, Sequence[str]],
) -> list[Ways]:
    """How the recipient of each row can be reached.

    An officer's contacts, and after them the browsers in which they have turned notifications on;
    a route's channels. The ways by channels that are not open here are left out.
    """
    found = officers.those(conn, {row.recipient for row in rows if row.recipient})
    ways = ways_to(conn, [one for one in found.values() if one.active], channels)
    gone = Ways(reason="the officer is not active any more")
    return [
        ways.get(row.recipient, gone) if row.recipient else _of_route(row.route, channels, routes)
        for row in rows
    ]


def ways_to(
    conn: Connection, people: Collection[Officer], channels: Container[str]
) -> dict[str, Ways]:
    """How each of these officers can be reached, by id."""
    if not people:
        return {}
    ids = [one.id for one in people]
    listed = contacts.of_these(conn, ids)
    browsers = push_subscriptions.officers_with_any(conn, ids) if WEBPUSH in channels else set()
    return {one.id: _ways(one, listed[one.id], channels, one.id in browsers) for one in people}


def _ways(
    officer: Officer, listed: Sequence[Contact], channels: Container[str], browser: bool
) -> Ways:
    ways = [Way(one.id, one.channel, one.address) for one in listed if one.channel in channels]
    asked = any(one.channel == WEBPUSH for one in listed)
    if browser and not asked:
        ways.append(Way(WEBPUSH, WEBPUSH))
    if ways:
        return Ways(tuple(ways), language=officer.language)
    closed = sorted({one.channel for one in listed})
    return Ways(
        reason=f"no channel of the officer's contacts is open here: {', '.join(closed)}"
        if closed
        else "the officer has no contact"
    )


def _of_route(route: str, channels: Container[str], routes: Mapping[str, Sequence[str]]) -> Ways:
    names = routes.get(route, (route,) if route in channels else ())
    if not names:
        return Ways(reason=f"there is no route {route!r}")
    found = tuple(Way(f"route:{name}", name) for name in names if name in channels)
    return Ways(found, "" if found else f"no channel of route {route!r} is open")


def alerts_of(conn: Connection, rows: Sequence[NotificationRow]) -> list[tuple[AlertRow, ...]]:
    """The alerts that each row is about as they stand now, the first ALERTS_MOST of them."""
    named = [row.alert_ids[:ALERTS_MOST] for row in rows]
    found = alerts.those(conn, {alert_id for some in named for alert_id in some})
    return [tuple(found[one] for one in some if one in found) for some in named]


def _place(row: NotificationRow) -> str:
    """Where in the console the message leads."""
    if row.kind == "case":
        return f"/cases/{row.group_key.removeprefix('case|')}".rstrip("/")
    return f"/alerts/{row.alert_ids[0]}" if len(row.alert_ids) == 1 else "/alerts"


def message_for(
    row: NotificationRow,
    way: Way,
    about: tuple[AlertRow, ...],
    language: Language,
    console_url: str,
) -> Message:
    """The message for one way."""
    chinese = language == "zh"
    url = ""
    if console_url:
        url = f"{console_url.rstrip('/')}{_place(row)}"
    return Message(
        dedupe=row.dedupe,
        kind=row.kind,
        severity=row.severity,
        title=row.title_zh if chinese else row.title_en,
        body=row.body_zh if chinese else row.body_en,
        at=row.created_at,
        language=language,
        url=url,
        address=way.address,
        recipient=row.recipient,
        group_key=row.group_key,
        route=row.route,
        region=row.region,
        site=row.site,
        alerts=about,
        left_out=max(0, len(row.alert_ids) - len(about)),
    )
