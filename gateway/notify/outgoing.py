"""From plans to rows: who is told which message, what waits, what timelines say of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property

import msgspec

from contracts.words import Severity
from contracts.workdays import day_began
from gateway.notify import budget, wording
from gateway.notify.people import Answers
from gateway.notify.plan import Plan, Telling
from gateway.notify.policy import Policy
from gateway.notify.routing import Share, Shares, key_of, share, share_again
from ledger import notifications, rule_modes
from ledger.alert_types import AlertRow
from ledger.engine import Connection
from ledger.notifications import Hold, NewNotification
from ledger.notify_groups import Group, TimelineNote
from ledger.pressures import Pressure, pressures


class Written(msgspec.Struct, frozen=True):
    """What became of the tellings of one step."""

    queued: int
    held: int
    told_to: dict[str, list[str]]
    """Who was told, by group: officer ids, and routes as ``route:name``."""
    storms: set[tuple[str, str]]
    """Recipients (officer id, route) of whom something waits for a storm's digest."""
    notes: list[TimelineNote]


class _Told(msgspec.Struct, frozen=True):
    """A telling of a group, with the keys of the notifications that come of it."""

    telling: Telling
    keys: tuple[str, ...]


class Outgoing:
    """Gathers the tellings of one step, and writes them together."""

    def __init__(self, conn: Connection, policy: Policy, answers: Answers, at: datetime) -> None:
        self._conn = conn
        self._policy = policy
        self._answers = answers
        self._at = at
        self._new: list[NewNotification] = []
        self._told: list[_Told] = []
        self._notes: list[TimelineNote] = []
        self._groups: dict[str, str] = {}
        """Groups by the keys of their notifications."""

    def add(self, group: Group, planned: Plan) -> None:
        """What is to be told of a group (as it was before the plan), and what is hidden."""
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
            self._groups |= dict.fromkeys(keys, group.key)
            if not telling.again:
                self._report(shares.orphans)

    def at_once(self) -> list[str]:
        """Ids of the alerts of class 1 that are told for the first time."""
        return [
            entry.alert.alert_id
            for told in self._told
            if told.telling.kind == "alert" and not told.telling.again
            for entry in told.telling.entries
            if entry.alert.severity is Severity.AT_ONCE
        ]

    def write(self) -> Written:
        """Let messages pass or hold them back, and make their rows."""
        held = budget.hold_back(self._new, self._pressures(), self._policy.settings)
        notifications.enqueue(self._conn, held.new, self._at)
        by_key = {one.dedupe: one for one in held.new}
        told_to: dict[str, list[str]] = {}
        for key, group_key in self._groups.items():
            one = by_key[key]
            if one.hold != "day" and one.kind != "resolved":
                told_to.setdefault(group_key, []).append(key_of(one.recipient, one.route))
        self._note_tellings(by_key)
        waiting = sum(one.hold != "" for one in by_key.values())
        return Written(len(by_key) - waiting, waiting, told_to, held.storms, self._notes)

    @cached_property
    def _logins(self) -> dict[str, str]:
        return self._answers.logins(self._policy.logins)

    def _pressures(self) -> dict[budget.Recipient, Pressure]:
        asked = {(one.recipient, one.route) for one in self._new if budget.bounded(one)}
        if not asked:
            return {}
        return pressures(
            self._conn,
            asked,
            self._at - timedelta(seconds=self._policy.settings.storm_window_s),
            day_began(self._at),
        )

    def _share(self, group: Group, telling: Telling) -> Shares:
        if telling.kind == "resolved":
            return share_again(telling, group.told_to)
        return share(
            telling,
            self._answers.responsible,
            lambda alert: self._policy.routes.taken(alert, self._answers.above(alert.region)),
            self._logins,
        )

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
        above = self._answers.above(alert.region)
        mode = rule_modes.mode_of(self._answers.modes, alert, self._at, above)
        return wording.in_digest(mode) if mode else ""

    def _report(self, orphans: Sequence[AlertRow]) -> None:
        """Once a day the county is told of a place that nobody is in charge of."""
        day = f"{day_began(self._at):%Y-%m-%d}"
        for alert in orphans:
            for officer in self._answers.responsible(alert, 1).officers:
                self._new.append(
                    wording.orphan(alert, self._answers.site_name(alert.site), officer.id, day)
                )

    def _note_tellings(self, by_key: dict[str, NewNotification]) -> None:
        for told in self._told:
            by_alert: dict[str, list[NewNotification]] = {}
            for key in told.keys:
                for alert_id in by_key[key].alert_ids:
                    by_alert.setdefault(alert_id, []).append(by_key[key])
            for entry in told.telling.entries:
                some = by_alert.get(entry.alert.alert_id, [])
                if not some and told.telling.again:
                    continue  # that nobody can be told was said the first time
                self._notes.append(_note(told.telling, entry.alert.alert_id, some))


def _key(group: Group, telling: Telling, recipient: str, waiting: int | None) -> str:
    late = ".late" if telling.late else ""
    held = "" if waiting is None else f".held{waiting}"
    opened = f"{group.opened_at:%Y%m%dT%H%M%S.%f}"
    return f"{group.key}|{opened}|{group.flushes}|{telling.kind}{late}{held}|{recipient}"


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
