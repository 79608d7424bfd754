"""What is to be told of a group at one moment, and when to look at it again. Pure: the heart of it.

It goes by what the ledger says of each alert now and by what was told before, never by the order in
which changes came to be known: to plan twice tells nothing twice.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec.structs import replace

from contracts.words import AlertState, Severity
from gateway.notify import grouping
from gateway.notify.pipeline_settings import ClassSettings
from ledger.alert_types import AlertRow
from ledger.notify_groups import REASON_MOST, Group, Member, Past

NEVER = Past()


class Hidden(msgspec.Struct, frozen=True):
    """Nobody is told of an alert at present. `until`: when that may change by itself."""

    reason: str
    until: datetime | None = None
    source: str = ""
    """Id of the alert or silence that hides it."""
    passing: bool = False
    """Another transaction holds the alert: no reason that anybody should read of."""


Hides = Callable[[AlertRow], Hidden | None]


class Entry(msgspec.Struct, frozen=True):
    """An alert of a message, and the lowest level that is to be told of it."""

    alert: AlertRow
    from_level: int = 0


class Telling(msgspec.Struct, frozen=True):
    """One thing to tell of a group."""

    kind: Literal["alert", "escalated", "resolved"]
    entries: tuple[Entry, ...]
    again: bool = False
    """All of it was told before."""
    late: bool = False
    """It was over before anybody was told: for the day's digest."""


class Plan(msgspec.Struct, frozen=True):
    """What comes of looking at a group once."""

    group: Group
    """As it is to be kept; whom it was told to is not yet added."""
    changed: tuple[Member, ...]
    closed: tuple[str, ...]
    """Alerts that need not be remembered."""
    tellings: tuple[Telling, ...]
    hidden: tuple[tuple[str, Hidden], ...]
    """Alerts of which it is news that they are hidden."""
    empty: bool
    """Whether the group has no members left."""
    open: bool
    """Whether somebody who was told of one of them is still to be told how it goes on."""


def plan(
    group: Group,
    members: Sequence[Member],
    alerts: Mapping[str, AlertRow],
    pasts: Mapping[str, Past],
    hides: Hides,
    settings: ClassSettings,
    at: datetime,
) -> Plan:
    """Look at a group once."""
    work = _Work(group, settings, hides, at)
    for member in members:
        alert = alerts.get(member.alert_id)
        if alert is None or alert.state is AlertState.CLOSED:
            work.closed.append(member.alert_id)
        else:
            work.look(member, alert, pasts.get(member.alert_id, NEVER))
    return work.done()


class _Work:
    """One look at one group."""

    def __init__(self, group: Group, settings: ClassSettings, hides: Hides, at: datetime) -> None:
        self._group = group
        self._settings = settings
        self._hides = hides
        self._at = at
        self._wait = timedelta(seconds=settings.group_wait_s)
        self._interval = timedelta(seconds=settings.group_interval_s)
        self._repeat = timedelta(seconds=settings.repeat_s)
        self._before: dict[str, Member] = {}
        self._after: dict[str, Member] = {}
        self._next: list[datetime] = []
        self._new: list[Entry] = []
        self._again: list[tuple[Entry, datetime]] = []
        self._escalated: list[Entry] = []
        self._over: list[Entry] = []
        self._late: list[Entry] = []
        self._hidden: list[tuple[str, Hidden]] = []
        self.closed: list[str] = []

    def look(self, before: Member, alert: AlertRow, past: Past) -> None:
        """Sort one member by what is to be told of it."""
        member = grouping.stand(before, alert, past, self._at)
        self._before[member.alert_id] = before
        self._after[member.alert_id] = member
        hidden = self._hides(alert)
        if hidden is not None and self._matters(member, alert):
            self._hide(member, alert, hidden)
            return
        if hidden is None and member.reason:
            member = self._keep(replace(member, reason=""))
        if grouping.escalates(member, alert):
            self._escalated.append(Entry(alert, member.level + 1))
        elif member.state == "waiting":
            self._look_at_waiting(member, alert)
        elif member.state == "told" and grouping.over(alert):
            self._look_at_over(alert)
        elif member.state == "told" and member.told_at and alert.paused_since is None:
            self._again.append((Entry(alert), member.told_at + self._repeat))

    def _matters(self, member: Member, alert: AlertRow) -> bool:
        """Whether there would be something to tell of it, now or later, if it were not hidden.

        That a deadline was missed by somebody who had taken it on is never hidden.
        """
        return member.state in ("waiting", "told") or (
            member.state == "over" and grouping.escalates(member, alert)
        )

    def _hide(self, member: Member, alert: AlertRow, hidden: Hidden) -> None:
        if hidden.passing:
            self._next.append(hidden.until or self._at)
            return
        if grouping.over(alert) and not grouping.escalates(member, alert):
            member = replace(member, state="over", level=max(member.level, 0))
        elif hidden.until is not None:
            self._next.append(hidden.until)
        self._keep(replace(member, reason=hidden.reason[:REASON_MOST]))
        if member.reason != hidden.reason[:REASON_MOST]:
            self._hidden.append((alert.alert_id, hidden))

    def _look_at_waiting(self, member: Member, alert: AlertRow) -> None:
        if alert.severity is Severity.AT_ONCE:
            self._new.append(Entry(alert))
        elif grouping.over(alert):
            self._late.append(Entry(alert))
        else:
            due_at = max(member.joined_at + self._wait, self._free_at())
            self._if_due(self._new, Entry(alert), due_at)

    def _look_at_over(self, alert: AlertRow) -> None:
        if self._settings.resolved and self._group.told_to:
            self._if_due(self._over, Entry(alert), self._free_at())
        else:
            self._keep(replace(self._after[alert.alert_id], state="over"))

    def _free_at(self) -> datetime:
        """When the group may be told of again."""
        flushed_at = self._group.flushed_at
        return self._at if flushed_at is None else flushed_at + self._interval

    def _if_due(self, entries: list[Entry], entry: Entry, due_at: datetime) -> None:
        if due_at <= self._at:
            entries.append(entry)
        else:
            self._next.append(due_at)

    def _keep(self, member: Member) -> Member:
        self._after[member.alert_id] = member
        return member

    def done(self) -> Plan:
        """Put it together."""
        again: list[Entry] = []
        if any(due_at <= self._at for _, due_at in self._again):
            again = [entry for entry, _ in self._again]
        else:
            self._next += [due_at for _, due_at in self._again]
        tellings: list[Telling] = []
        if self._escalated:
            tellings.append(Telling("escalated", tuple(self._escalated)))
        if self._new or again:
            entries = (*self._new, *again)
            tellings.append(Telling("alert", entries, again=not self._new))
        if self._over:
            tellings.append(Telling("resolved", tuple(self._over)))
        if self._late:
            tellings.append(Telling("alert", tuple(self._late), late=True))
        for telling in tellings:
            for entry in telling.entries:
                self._told(telling, entry.alert)
        return self._plan(tuple(tellings))

    def _told(self, telling: Telling, alert: AlertRow) -> None:
        before = self._after[alert.alert_id]
        member = replace(before, level=max(before.level, alert.level), told_at=self._at)
        if telling.kind == "resolved" or telling.late:
            member = replace(member, state="over")
        elif telling.kind == "alert":
            member = replace(member, state="told")
            if grouping.over(alert):
                self._next.append(self._at + self._interval)
            elif alert.paused_since is None:
                self._next.append(self._at + self._repeat)
        elif member.state == "told":
            pause = self._interval if grouping.over(alert) else self._repeat
            self._next.append(self._at + pause)
        self._keep(member)

    def _plan(self, tellings: tuple[Telling, ...]) -> Plan:
        group = self._group
        if any(not telling.late for telling in tellings):
            group = replace(group, flushed_at=self._at, flushes=group.flushes + 1)
        elif tellings:
            group = replace(group, flushes=group.flushes + 1)
        group = replace(group, next_at=min(self._next, default=None))
        changed = [one for key, one in self._after.items() if one != self._before[key]]
        return Plan(
            group=group,
            changed=tuple(changed),
            closed=tuple(self.closed),
            tellings=tellings,
            hidden=tuple(self._hidden),
            empty=not self._after,
            open=any(member.state == "told" for member in self._after.values()),
        )
