"""Reads from the ledger what a sender needs of a notification: its ways, its alerts, its words."""

from collections.abc import Container, Mapping, Sequence

import msgspec

from gateway.notify.channels.channel import Message
from gateway.notify.channels.webpush import NAME as WEBPUSH
from gateway.notify.delivery import Way
from gateway.notify.settings import Language
from ledger import alerts, contacts, officers, push_subscriptions
from ledger.alert_types import AlertRow
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
    row: NotificationRow,
    channels: Container[str],
    routes: Mapping[str, Sequence[str]],
) -> Ways:
    """How its recipient can be reached.

    An officer's contacts, and after them the browsers in which they have turned notifications on;
    a route's channels. The ways by channels that are not open here are left out.
    """
    if not row.recipient:
        names = routes.get(row.route, (row.route,) if row.route in channels else ())
        if not names:
            return Ways(reason=f"there is no route {row.route!r}")
        found = tuple(Way(f"route:{name}", name) for name in names if name in channels)
        return Ways(found, "" if found else f"no channel of route {row.route!r} is open")
    officer = officers.get(conn, row.recipient)
    if officer is None or not officer.active:
        return Ways(reason="the officer is not active any more")
    return ways_to(conn, officer, channels)


def ways_to(conn: Connection, officer: Officer, channels: Container[str]) -> Ways:
    """How an officer can be reached."""
    listed = contacts.of(conn, officer.id)
    ways = [Way(one.id, one.channel, one.address) for one in listed if one.channel in channels]
    asked = any(one.channel == WEBPUSH for one in listed)
    if not asked and WEBPUSH in channels and push_subscriptions.of_officer(conn, officer.id):
        ways.append(Way(WEBPUSH, WEBPUSH))
    if ways:
        return Ways(tuple(ways), language=officer.language)
    closed = sorted({one.channel for one in listed})
    return Ways(
        reason=f"no channel of the officer's contacts is open here: {', '.join(closed)}"
        if closed
        else "the officer has no contact"
    )


def alerts_of(conn: Connection, row: NotificationRow) -> tuple[AlertRow, ...]:
    """The alerts it is about as they stand now, the first ALERTS_MOST of them."""
    found = (alerts.get(conn, alert_id) for alert_id in row.alert_ids[:ALERTS_MOST])
    return tuple(one for one in found if one is not None)


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
        place = f"/alerts/{row.alert_ids[0]}" if len(row.alert_ids) == 1 else "/alerts"
        url = f"{console_url.rstrip('/')}{place}"
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
