"""One step of the pipeline, in one transaction: what has changed or is due, and what is told of it.

evaluate (the rules did) → deduplicate → inhibit → silence → group → route → hold back → write.
The cursor moves in the same transaction, so that a crash at any point leaves all of it or nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from contracts.words import AlertState, Severity
from gateway.notify import grouping, timers, wording
from gateway.notify.outgoing import Outgoing, Written
from gateway.notify.people import Answers
from gateway.notify.plan import Hidden, Plan, plan
from gateway.notify.policy import Policy
from gateway.notify.routing import key_of
from ledger import cursors, journal, notify_groups, silences
from ledger.alert_types import AlertRow
from ledger.engine import Connection
from ledger.notify_groups import Change, Group, Member, TimelineNote

BUSY_S = 0.2
"""After how long an alert is looked at again that another transaction was changing."""
GROUPS = 100
"""Most groups that are due in one step."""
ASIDE = timedelta(hours=1)
"""After how long a group is tried again whose messages the ledger refused."""


class Stepped(msgspec.Struct, frozen=True):
    """What a step did."""

    more: bool
    """Whether there is more to do at once."""
    queued: int = 0
    held: int = 0
    alerts_at: tuple[datetime, ...] = ()
    """When the alerts that were told of at once were raised in the journal."""


def step(
    conn: Connection,
    policy: Policy,
    cursor: str,
    at: datetime,
    limit: int,
    due_limit: int = GROUPS,
) -> Stepped | None:
    """Take a step over so many rows of the journal and due groups; None while another is at it.

    Raises LedgerDown and LedgerRefused; commit it.
    """
    position = notify_groups.turn(conn, cursor)
    if position is None:
        return None
    changes, come_to = notify_groups.changes(conn, position, limit)
    due = _Step(conn, policy, at).run(changes, due_limit)
    if come_to > position:
        cursors.set(conn, cursor, come_to)
    silenced = any(one.kind == journal.SILENCE for one in changes)  # its notices are due
    return replace(due, more=due.more or silenced or len(changes) == limit > 0)


def set_aside(conn: Connection, cursor: str, at: datetime, *, change: bool) -> str:
    """Pass over the next row of the journal, or put the next group that is due off for an hour.

    Returns which; empty if there is none.
    """
    position = notify_groups.turn(conn, cursor)
    if position is None:
        return ""
    if not change:
        groups = notify_groups.due(conn, at, "group", 1)
        notify_groups.put(conn, [replace(one, next_at=at + ASIDE) for one in groups], [])
        return "".join(one.key for one in groups)
    changes, come_to = notify_groups.changes(conn, position, 1)
    cursors.set(conn, cursor, come_to)
    alert_ids = [one.ref for one in changes if one.kind.startswith("alert.")]
    notes = [TimelineNote(one, "held", wording.REFUSED) for one in alert_ids]
    notify_groups.note(conn, notes, at)
    return "".join(one.ref for one in changes)


class _Step:
    """The work of one step."""

    def __init__(self, conn: Connection, policy: Policy, at: datetime) -> None:
        self._conn = conn
        self._policy = policy
        self._at = at
        self._answers = Answers(conn, at)
        self._busy: set[str] = set()
        self._sources: list[AlertRow] = []
        self._joined: list[Member] = []
        self._opened: set[str] = set()
        """Keys of groups that were not there before: they have no other members."""

    def run(self, changes: Sequence[Change], limit: int) -> Stepped:
        """Look at what has changed and what is due."""
        changed = {one.ref: one.at for one in changes if one.kind.startswith("alert.")}
        if any(one.kind == journal.SILENCE for one in changes):
            timers.look_at_silences(self._conn, self._at)
            notify_groups.look_at(self._conn, self._at, hidden_only=True)
        alerts, busy = notify_groups.standing(self._conn, changed)
        self._wake_what_they_hide(alerts.values())
        groups = {one.key: one for one in notify_groups.due(self._conn, self._at, "group", limit)}
        more = len(groups) == limit > 0
        self._joined = self._join(alerts, groups)
        if not groups:
            return Stepped(more)
        there = groups.keys() - self._opened
        members = [*notify_groups.members(self._conn, there), *self._joined]
        others, too = notify_groups.standing(
            self._conn, {one.alert_id for one in members} - alerts.keys()
        )
        self._busy = busy | too
        self._answers.expect((alerts | others).values())
        plans = self._plans(groups, members, alerts | others)
        outgoing = Outgoing(self._conn, self._policy, self._answers, self._at)
        for group, planned in plans:
            outgoing.add(group, planned)
        written = outgoing.write()
        self._keep(plans, written)
        at_once = (changed.get(one) for one in outgoing.at_once())
        return Stepped(
            more=more,
            queued=written.queued,
            held=written.held,
            alerts_at=tuple(one for one in at_once if one),
        )

    def _wake_what_they_hide(self, alerts: Iterable[AlertRow]) -> None:
        inhibiting = self._policy.inhibition.rules
        sites = {alert.site for alert in alerts if alert.rule in inhibiting}
        if sites:
            notify_groups.look_at(self._conn, self._at, hidden_only=True, sites=sites)

    def _join(self, alerts: dict[str, AlertRow], groups: dict[str, Group]) -> list[Member]:
        """Members for alerts that are new; adds the groups of all that have changed."""
        known = notify_groups.members_of(self._conn, alerts)
        new = [
            Member(alert.alert_id, grouping.group_key(alert), self._at)
            for alert in sorted(alerts.values(), key=lambda alert: alert.number)
            if alert.alert_id not in known and alert.state is not AlertState.CLOSED
        ]
        keys = {one.group_key for one in (*known.values(), *new)} - groups.keys()
        groups |= notify_groups.by_key(self._conn, keys)
        for one in new:
            if one.group_key not in groups:
                groups[one.group_key] = grouping.opened(alerts[one.alert_id], self._at)
                self._opened.add(one.group_key)
        return new

    def _plans(
        self, groups: dict[str, Group], members: Sequence[Member], alerts: dict[str, AlertRow]
    ) -> list[tuple[Group, Plan]]:
        inhibition = self._policy.inhibition
        if inhibition.rules:
            self._sources = notify_groups.sources(
                self._conn,
                {group.site for group in groups.values()},
                inhibition.rules,
                inhibition.sources_since(self._at),
            )
        pasts = notify_groups.pasts(self._conn, alerts)
        by_group: dict[str, list[Member]] = {key: [] for key in groups}
        for member in members:
            by_group[member.group_key].append(member)
        return [
            (
                group,
                plan(
                    group,
                    by_group[group.key],
                    alerts,
                    pasts,
                    self._hides,
                    self._policy.settings.of(group.severity),
                    self._at,
                ),
            )
            for group in sorted(groups.values(), key=lambda one: (one.severity, one.key))
        ]

    def _hides(self, alert: AlertRow) -> Hidden | None:
        if alert.alert_id in self._busy:
            return Hidden(wording.BUSY, self._at + timedelta(seconds=BUSY_S), passing=True)
        source = self._policy.inhibition.source(alert, self._at, self._sources)
        if source is not None:
            until = self._policy.inhibition.until(source)
            return Hidden(wording.inhibited(source), until, source.alert_id)
        above = self._answers.above(alert.region) if self._answers.silences else ()
        silence = silences.hidden_by(self._answers.silences, alert, self._at, above)
        if silence is not None:
            return Hidden(wording.silenced(silence), silence.ends_at, silence.id)
        graver = alert.severity is Severity.AT_ONCE
        if self._policy.modes.get(alert.rule) == "none" and not graver:
            return Hidden(wording.RULE_NONE)
        return None

    def _keep(self, plans: Sequence[tuple[Group, Plan]], written: Written) -> None:
        groups: list[Group] = []
        members = {one.alert_id: one for one in self._joined}
        closed: list[str] = []
        empty: list[str] = []
        for group, planned in plans:
            members |= {one.alert_id: one for one in planned.changed}
            closed += planned.closed
            if planned.empty:
                empty.append(group.key)
                continue
            told = dict.fromkeys((*group.told_to, *written.told_to.get(group.key, ())))
            kept = replace(planned.group, told_to=tuple(told) if planned.open else ())
            if kept != group or group.flushes == 0:
                groups.append(kept)
        groups += self._storm_timers(written.storms)
        notify_groups.put(self._conn, groups, [*members.values()])
        notify_groups.forget(self._conn, closed, empty)
        notify_groups.note(self._conn, written.notes, self._at)

    def _storm_timers(self, storms: Iterable[tuple[str, str]]) -> list[Group]:
        """When the digests of storms that begin now are to go."""
        ends_at = self._at + timedelta(seconds=self._policy.settings.storm_window_s)
        begun = {f"storm|{recipient}|{route}": (recipient, route) for recipient, route in storms}
        running = notify_groups.by_key(self._conn, begun)
        return [
            Group(key, "storm", self._at, ends_at, told_to=(key_of(*recipient),))
            for key, recipient in begun.items()
            if key not in running
        ]
