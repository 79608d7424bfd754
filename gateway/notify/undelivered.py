"""Tells the next level that somebody could not be told: a notice to each of its officers.

Who is above: by the alert's place, as with escalation; for what names no alert, by the region of
the one who could not be reached. At the top nobody is above.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime

from contracts.words import Severity
from gateway.notify.words import UNDELIVERED_BODY, UNDELIVERED_TITLE
from ledger import alerts, duties, notifications, officers, regions
from ledger.engine import Connection
from ledger.notifications import NewNotification, NotificationRow
from ledger.officers import Officer

NOTICE = "undelivered"


def tell_next_level(
    conn: Connection,
    row: NotificationRow,
    reason: str,
    at: datetime,
    reachable: Callable[[Officer], bool],
) -> tuple[str, ...]:
    """Queue a notice for each officer above who is `reachable`; returns their ids.

    Of class 1 every single one is told, of the rest one an hour for each recipient.
    """
    missed = officers.get(conn, row.recipient) if row.recipient else None
    level, people = _above(conn, row, missed, at)
    told = [one for one in people if one.id != row.recipient and reachable(one)]
    name = missed.name if missed else row.route or row.recipient
    region = (missed.region if missed else row.region) or "-"
    notices = [_notice(row, name, region, reason, one, level, at) for one in told]
    notifications.enqueue(conn, notices, at)
    return tuple(one.id for one in told)


def _above(
    conn: Connection, row: NotificationRow, missed: Officer | None, at: datetime
) -> tuple[int, Sequence[Officer]]:
    asked = row.level + 1
    if asked > duties.TOP:
        return duties.TOP, ()
    alert = alerts.get(conn, row.alert_ids[0]) if row.alert_ids else None
    if alert is not None:
        found = duties.responsible(conn, alert, asked, at)
        return found.level, found.officers
    region = missed.region if missed else row.region
    path = regions.ancestors(conn, region) if region else []
    everybody = officers.list_in(conn, path)
    for level in range(asked, duties.TOP + 1):
        people = [one for one in everybody if one.active and one.role is duties.LEVELS[level]]
        if people:
            return level, people
    return duties.TOP, ()


def _notice(
    row: NotificationRow,
    name: str,
    region: str,
    reason: str,
    to: Officer,
    level: int,
    at: datetime,
) -> NewNotification:
    once = row.dedupe if row.severity is Severity.AT_ONCE else f"{row.recipient}|{at:%Y%m%d%H}"
    key = hashlib.sha256(f"{once}|{to.id}".encode()).hexdigest()[:24]
    titles = {"zh": row.title_zh, "en": row.title_en}
    said = {
        language: (
            UNDELIVERED_TITLE[language].format(name=name),
            UNDELIVERED_BODY[language].format(
                title=titles[language], name=name, region=region, reason=reason
            ),
        )
        for language in ("zh", "en")
    }
    return NewNotification(
        dedupe=f"{NOTICE}:{key}",
        kind="notice",
        severity=row.severity,
        recipient=to.id,
        title_zh=said["zh"][0],
        title_en=said["en"][0],
        body_zh=said["zh"][1],
        body_en=said["en"][1],
        alert_ids=row.alert_ids,
        level=level,
        region=row.region,
        site=row.site,
    )
