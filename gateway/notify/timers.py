"""What the pipeline does by the clock alone: digests of storms and days, silences' notices.

Each takes one transaction; the row that says when goes with what was done, so that it is done once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from contracts.notices import Wording
from contracts.words import Severity
from gateway.notify import digest, wording
from gateway.notify.people import Answers
from gateway.notify.pipeline_settings import PipelineSettings
from gateway.notify.routing import recipient_of
from ledger import notifications, notify_groups, officers, silences, sites
from ledger.engine import Connection
from ledger.notifications import NewNotification, NotificationRow
from ledger.notify_groups import Group
from ledger.officers import Officer, Role
from ledger.silences import Silence

DAILY: Literal["daily"] = "daily"
SILENCES: Literal["silences"] = "silences"
"""Timers of which there is one each."""
STORMS_AT_ONCE = 20
HIDDEN_MOST = 10_000


def run_timers(
    conn: Connection, settings: PipelineSettings, cursor: str, at: datetime
) -> dict[str, int] | None:
    """Do what is due by now; ids of the notifications made. None while somebody else is at it."""
    if notify_groups.turn(conn, cursor) is None:
        return None
    answers = Answers(conn, at)
    made: dict[str, int] = {}
    for timer in notify_groups.due(conn, at, "storm", STORMS_AT_ONCE):
        made |= _storm(conn, timer, answers, at)
    known = notify_groups.by_key(conn, (DAILY, SILENCES))
    if _is_due(known.get(DAILY), at):
        made |= _day(conn, settings, answers, at, first=DAILY not in known)
    if _is_due(known.get(SILENCES), at):
        made |= _silences(conn, settings, answers, at)
    return made


def reset(conn: Connection, settings: PipelineSettings, at: datetime) -> None:
    """The settings are new: every group is looked at, the day's digest goes by the new hour."""
    notify_groups.look_at(conn, at, hidden_only=False)
    look_at_silences(conn, at)
    daily = notify_groups.by_key(conn, (DAILY,)).get(DAILY)
    if daily is not None and not _is_due(daily, at):
        notify_groups.put(conn, [Group(DAILY, DAILY, at, digest.next_digest(settings, at))], [])


def look_at_silences(conn: Connection, at: datetime) -> None:
    """A silence was made or ended: its notices are due at other times."""
    notify_groups.put(conn, [Group(SILENCES, SILENCES, at, at)], [])


def _is_due(timer: Group | None, at: datetime) -> bool:
    return timer is None or (timer.next_at is not None and timer.next_at <= at)


def _storm(conn: Connection, timer: Group, answers: Answers, at: datetime) -> dict[str, int]:
    rows = notifications.waiting(conn, "storm", *recipient_of(timer.told_to[0]))
    made = {}
    if rows:
        made = _tell(conn, rows, digest.storm_digest(rows, at, answers.site_name), at)
    notify_groups.forget(conn, (), (timer.key,))
    return made


def _day(
    conn: Connection, settings: PipelineSettings, answers: Answers, at: datetime, *, first: bool
) -> dict[str, int]:
    """With `first` it is only beginning: nothing is told yet."""
    made: dict[str, int] = {}
    next_at = digest.next_digest(settings, at)
    if not first:
        by_recipient: dict[tuple[str, str], list[NotificationRow]] = {}
        for row in notifications.waiting(conn, "day"):
            by_recipient.setdefault((row.recipient, row.route), []).append(row)
        for rows in by_recipient.values():
            made |= _tell(conn, rows, digest.day_digest(rows, at, answers.site_name), at)
    notify_groups.put(conn, [Group(DAILY, DAILY, at, next_at)], [])
    return made


def _tell(
    conn: Connection, rows: Sequence[NotificationRow], new: NewNotification, at: datetime
) -> dict[str, int]:
    made = notifications.enqueue(conn, [new], at)
    notifications.told_in(conn, (row.id for row in rows), made[new.dedupe], at)
    return made


def _silences(
    conn: Connection, settings: PipelineSettings, answers: Answers, at: datetime
) -> dict[str, int]:
    before = timedelta(seconds=settings.ending_notice_s)
    new: list[NewNotification] = []
    for silence in silences.untold(conn, at, at + before):
        if silence.includes_class_1 and silence.city_told_at is None:
            author = officers.get(conn, silence.author)
            said = wording.silence_includes_class_1(silence, author.name if author else "")
            for officer in _city(conn, silence, answers):
                new.append(_notice(silence, "city", officer.id, said))
            silences.mark_told(conn, silence.id, "city_told_at", at)
        if silence.ends_at <= at:
            hidden = silences.preview(
                conn,
                silence.matchers,
                silence.starts_at,
                silence.ends_at,
                includes_class_1=silence.includes_class_1,
                limit=HIDDEN_MOST,
            )
            said = wording.silence_ended(silence, len(hidden))
            new.append(_notice(silence, "ended", silence.author, said))
            silences.mark_told(conn, silence.id, "expired_told_at", at)
        elif silence.ending_told_at is None and silence.ends_at <= at + before:
            # Of a short one there is nothing to be reminded of.
            if silence.ends_at - silence.starts_at >= 2 * before:
                said = wording.silence_ends(silence)
                new.append(_notice(silence, "ending", silence.author, said))
            silences.mark_told(conn, silence.id, "ending_told_at", at)
    next_at = silences.next_notice(conn, before)
    notify_groups.put(conn, [Group(SILENCES, SILENCES, at, next_at)], [])
    return notifications.enqueue(conn, new, at)


def _city(conn: Connection, silence: Silence, answers: Answers) -> Sequence[Officer]:
    """The city's officers above what is silenced."""
    region = silence.matchers.region
    if not region and silence.matchers.site:
        site = sites.get(conn, silence.matchers.site)
        region = site.region if site else ""
    if not region:
        author = officers.get(conn, silence.author)
        region = author.region if author else ""
    found = officers.list_in(conn, answers.above(region))
    return [one for one in found if one.role is Role.CITY and one.active]


def _notice(silence: Silence, which: str, recipient: str, said: Wording) -> NewNotification:
    return NewNotification(
        dedupe=f"silence|{silence.id}|{which}|{recipient}",
        kind="notice",
        severity=Severity.DEADLINE,
        recipient=recipient,
        title_zh=said.title_zh,
        title_en=said.title_en,
        body_zh=said.body_zh,
        body_en=said.body_en,
        region=silence.matchers.region,
        site=silence.matchers.site,
    )
