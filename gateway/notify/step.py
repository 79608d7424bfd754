"""One step of the pipeline, in one transaction: what has changed or is due, and what is told of it.

evaluate (the rules did) → deduplicate → inhibit → silence → group → route → hold back → write.
The cursor moves in the same transaction, so that a crash at any point leaves all of it or nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from contracts.words import AlertState, Severity
from gateway.notify import budget, digest, grouping, timers, wording
from gateway.notify.people import Answers
from gateway.notify.plan import Hidden, Plan, Telling, plan
from gateway.notify.policy import Policy
from gateway.notify.routing import Share, Shares, share, share_again
from ledger import cursors, journal, notifications, notify_groups
from ledger.alert_types import AlertRow
from ledger.engine import Connection
from ledger.notifications import Hold, NewNotification
from ledger.notify_groups import Change, Group, Member, TimelineNote

BUSY_S = 0.2
"""After how long an alert is looked at again that another transaction was changing."""


class Stepped(msgspec.Struct, frozen=True):
    """What a step did."""

    more: bool
    """Whether there is more to do at once."""
    made: dict[str, int] = {}
    """Ids of the notifications made, by key."""
    queued: int = 0
    held: int = 0
    alerts_at: tuple[datetime, ...] = ()
    """When the alerts that were told of at once were raised in the journal."""


def step(conn: Connection, policy: Policy, cursor: str, at: datetime, limit: int) -> Stepped | None:
    """Take a step; None while somebody else is at it. Raises LedgerDown; commit it."""
    position = notify_groups.turn(conn, cursor)
    if position is None:
        return None
    changes = notify_groups.changes(conn, position, limit)
    due = _Step(conn, policy, at).run(changes, limit)
    if changes:
        cursors.set(conn, cursor, changes[-1].id)
    silenced = any(one.kind == journal.SILENCE for one in changes)  # its notices are due
    return replace(due, more=due.more or silenced or len(changes) == limit)


class _Told(msgspec.Struct, frozen=True):
    """A telling of a group, with the notifications that come of it."""

    telling: Telling
    keys: tuple[str, ...]


class _Step:
    """The work of one step."""

    def __init__(self, conn: Connection, policy: Policy, at: datetime) -> None:
        self._conn = conn
        self._policy = policy
        self._at = at
        self._answers = Answers(conn, at)
        self._logins = self._answers.logins(policy.logins)
        self._busy: set[str] = set()
        self._sources: list[AlertRow] = []
        self._new: list[NewNotification] = []
        self._told: list[_Told] = []
        self._notes: list[TimelineNote] = []
        self._joined: list[Member] = []

    def run(self, changes: Sequence[Change], limit: int) -> Stepped:
        """Look at what has changed and what is due."""
        changed = {one.ref: one.at for one in changes if one.kind.startswith("alert.")}
        if any(one.kind == journal.SILENCE for one in changes):
            timers.look_at_silences(self._conn, self._at)
            notify_groups.look_at(self._conn, self._at, hidden_only=True)
        alerts, busy = notify_groups.standing(self._conn, changed)
        self._wake_what_they_hide(alerts.values())
        groups = {one.key: one for one in notify_groups.due(self._conn, self._at, "group", limit)}
        more = len(groups) == limit
        self._joined = self._join(alerts, groups)
        if not groups:
            return Stepped(more)
        members = [*notify_groups.members(self._conn, groups), *self._joined]
        others, too = notify_groups.standing(
            self._conn, {one.alert_id for one in members} - alerts.keys()
        )
        self._busy = busy | too
        plans = self._plans(groups, members, alerts | others)
        made = self._write(plans)
        at_once = [changed.get(one) for told in self._told for one in _at_once(told.telling)]
        return replace(made, more=more, alerts_at=tuple(one for one in at_once if one))

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
        found = [one for one in self._answers.silences if one.hides(alert, self._at, above)]
        if found:
            last = max(found, key=lambda one: (one.ends_at, one.id))
            return Hidden(wording.silenced(last), last.ends_at, last.id)
        graver = alert.severity is Severity.AT_ONCE
        if self._policy.modes.get(alert.rule) == "none" and not graver:
            return Hidden(wording.RULE_NONE)
        return None

    def _share(self, group: Group, telling: Telling) -> Shares:
        if telling.kind == "resolved":
            return share_again(telling, group.told_to)
        return share(
            telling,
            self._answers.responsible,
            lambda alert: self._policy.routes.taken(alert, self._answers.above(alert.region)),
            self._logins,
        )

    def _write(self, plans: Sequence[tuple[Group, Plan]]) -> Stepped:
        told_to: dict[str, list[str]] = {}
        owners: dict[str, str] = {}
        for group, planned in plans:
            for alert_id, hidden in planned.hidden:
                body: dict[str, object] = {"source": hidden.source} if hidden.source else {}
                self._notes.append(TimelineNote(alert_id, "held", hidden.reason, body))
            for telling in planned.tellings:
                shares = self._share(group, telling)
                keys = [
                    one.dedupe
                    for part in shares.shares
                    for one in self._messages(planned.group, telling, part)
                ]
                self._told.append(_Told(telling, tuple(keys)))
                owners |= dict.fromkeys(keys, group.key)
                if not telling.again:
                    self._report(shares.orphans)
        pressures = (
            notifications.pressures(
                self._conn,
                {(one.recipient, one.route) for one in self._new},
                self._at - timedelta(seconds=self._policy.settings.storm_window_s),
                digest.day_began(self._at),
            )
            if self._new
            else {}
        )
        held = budget.hold_back(self._new, pressures, self._policy.settings)
        made = notifications.enqueue(self._conn, held.new, self._at)
        by_key = {one.dedupe: one for one in held.new}
        for key, group_key in owners.items():
            one = by_key[key]
            if one.hold != "day" and one.kind != "resolved":
                told_to.setdefault(group_key, []).append(one.recipient or f"route:{one.route}")
        self._note_telling(by_key)
        self._keep(plans, told_to, held.storms)
        waiting = sum(one.hold != "" for one in held.new)
        return Stepped(False, made, len(held.new) - waiting, waiting)

    def _messages(self, group: Group, telling: Telling, part: Share) -> list[NewNotification]:
        """What one recipient is told: at most one message now, and one that waits."""
        waits: dict[str, list[AlertRow]] = {}
        for alert in part.alerts:
            waits.setdefault(self._waits(telling, alert), []).append(alert)
        made = []
        for number, (reason, alerts) in enumerate(sorted(waits.items())):
            said, parts = wording.message(
                telling, alerts, part.level, self._answers.site_name(group.site)
            )
            hold: Hold = "day" if reason else ""
            one = NewNotification(
                dedupe=_key(group, telling, part.key, number if reason else None),
                kind=telling.kind,
                severity=Severity(group.severity),
                recipient=part.recipient,
                route=part.route,
                title_zh=said.title_zh,
                title_en=said.title_en,
                body_zh=said.body_zh,
                body_en=said.body_en,
                alert_ids=tuple(alert.alert_id for alert in alerts),
                parts=parts,
                group_key=group.key,
                level=part.level,
                region=group.region,
                site=group.site,
                hold=hold,
                reason=reason,
            )
            made.append(one)
        self._new += made
        return made

    def _waits(self, telling: Telling, alert: AlertRow) -> str:
        """Why an alert waits for the day's digest; empty if it does not."""
        if alert.severity is Severity.AT_ONCE or telling.kind == "escalated":
            return ""
        if telling.late:
            return wording.LATE
        if self._policy.modes.get(alert.rule) == "digest":
            return wording.RULE_DIGEST
        for mode in self._answers.modes:
            if mode.holds(alert, self._at, self._answers.above(alert.region)):
                return wording.in_digest(mode)
        return ""

    def _report(self, orphans: Sequence[AlertRow]) -> None:
        """Once a day the county is told of a place that nobody is in charge of."""
        day = f"{digest.day_began(self._at):%Y-%m-%d}"
        for alert in orphans:
            for officer in self._answers.responsible(alert, 1).officers:
                self._new.append(
                    wording.orphan(alert, self._answers.site_name(alert.site), officer.id, day)
                )

    def _note_telling(self, by_key: dict[str, NewNotification]) -> None:
        for told in self._told:
            by_alert: dict[str, list[NewNotification]] = {}
            for key in told.keys:
                for alert_id in by_key[key].alert_ids:
                    by_alert.setdefault(alert_id, []).append(by_key[key])
            for entry in told.telling.entries:
                some = by_alert.get(entry.alert.alert_id, [])
                self._notes.append(_note(told.telling, entry.alert.alert_id, some))

    def _keep(
        self,
        plans: Sequence[tuple[Group, Plan]],
        told_to: dict[str, list[str]],
        storms: Iterable[tuple[str, str]],
    ) -> None:
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
            told = dict.fromkeys((*group.told_to, *told_to.get(group.key, ())))
            kept = replace(planned.group, told_to=tuple(told) if planned.open else ())
            if kept != group or group.flushes == 0:
                groups.append(kept)
        timers = {f"storm|{recipient}|{route}": (recipient, route) for recipient, route in storms}
        running = notify_groups.by_key(self._conn, timers) if timers else {}
        ends_at = self._at + timedelta(seconds=self._policy.settings.storm_window_s)
        groups += [
            Group(key, "storm", self._at, ends_at, told_to=(recipient or f"route:{route}",))
            for key, (recipient, route) in timers.items()
            if key not in running
        ]
        notify_groups.put(self._conn, groups, [*members.values()])
        notify_groups.forget(self._conn, closed, empty)
        notify_groups.note(self._conn, self._notes, self._at)


def _key(group: Group, telling: Telling, recipient: str, waiting: int | None) -> str:
    late = ".late" if telling.late else ""
    held = "" if waiting is None else f".held{waiting}"
    opened = f"{group.opened_at:%Y%m%dT%H%M%S.%f}"
    return f"{group.key}|{opened}|{group.flushes}|{telling.kind}{late}{held}|{recipient}"


def _at_once(telling: Telling) -> list[str]:
    """Ids of the alerts of class 1 that are told for the first time."""
    if telling.kind != "alert" or telling.again:
        return []
    return [
        entry.alert.alert_id
        for entry in telling.entries
        if entry.alert.severity is Severity.AT_ONCE
    ]


def _note(telling: Telling, alert_id: str, some: Sequence[NewNotification]) -> TimelineNote:
    """Whom an alert was told to, or why nobody."""
    told = [one for one in some if not one.hold]
    if not told:
        reason = some[0].reason if some else wording.NOBODY
        return TimelineNote(alert_id, "held", reason, {"kind": telling.kind})
    body: dict[str, object] = {
        "kind": telling.kind,
        "to": [one.recipient for one in told if one.recipient],
        "routes": [one.route for one in told if one.route],
    }
    return TimelineNote(alert_id, "notified", "", body)
