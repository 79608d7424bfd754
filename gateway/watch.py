"""Looks for who and what is missing, in a thread of its own; keeps the registry fresh on the way.

Who is silent is asked of the ledger, which answers with those few: a city's hundred thousand
devices are not read each time to find that nearly all of them are well.
While we are deaf (no broker, or intake behind) nothing is judged: our silence is not theirs.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from contracts.clock import Clock
from contracts.topics import Identity, parse_source
from gateway.alerts import expected
from gateway.alerts.absence import AbsenceState, Findings, Key, View, look
from gateway.alerts.book import RuleBook
from gateway.alerts.conditions import ConditionFindings, ConditionState, look_at_devices
from gateway.alerts.counting import CountFindings, CountState, look_for_ends
from gateway.alerts.expected import look_for_expected
from gateway.alerts.gaps import look_for_gaps
from gateway.alerts.judge import carry_out
from gateway.alerts.kinds import DeviceIs, Expected
from gateway.alerts.outcomes import Outcome, Raise
from gateway.alerts.rule import Rule
from gateway.health import Health
from gateway.looking import look_every
from gateway.metrics import Metrics
from gateway.registry import Devices
from ledger import devices as ledger_devices
from ledger import missing, results, rule_state
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection, Engine, reading, writing

log = logging.getLogger(__name__)

S = TypeVar("S", AbsenceState, ConditionState, CountState)


AnyFindings = Findings | ConditionFindings | CountFindings
F = TypeVar("F", Findings, ConditionFindings, CountFindings)


class Watch:
    """Judges absence every `every_s`; gaps, devices and what is expected every `gaps_every_s`."""

    def __init__(
        self,
        engine: Engine,
        devices: Devices,
        book: RuleBook,
        *,
        every_s: float,
        gaps_every_s: float = 30.0,
        listening_since: Callable[[], datetime | None],
        on_alerts: Callable[[], None],
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._devices = devices
        self._book = book
        self._agents_only = all(
            isinstance(rule.when, DeviceIs) and rule.when.device_kinds == (DeviceKind.AGENT.value,)
            for rule in (*book.conditions, *book.expected)
        )
        self._every_s = every_s
        self._gaps_every = timedelta(seconds=gaps_every_s)
        self._gaps_at: datetime | None = None
        self._listening_since = listening_since
        self._on_alerts = on_alerts
        self._metrics = metrics
        self._health = health
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`."""

        def look() -> None:
            self.look_once()
            self._health.well("watch")

        look_every(
            stop,
            look,
            every_s=self._every_s,
            part="watch",
            metrics=self._metrics,
            health=self._health,
        )

    def look_once(self) -> Findings | None:
        """Judge once; None while we are deaf. Raises LedgerDown."""
        self._devices.keep_fresh()
        listening_since = self._listening_since()
        if listening_since is None:
            return None
        at, since = self._clock(), listening_since

        def judge(conn: Connection, states: Mapping[Key, AbsenceState]) -> Findings:
            absent = [_who(key) for key, state in states.items() if state.since or state.firing]
            doubtful = ledger_devices.doubtful(conn, at, absent)
            return look(self._book, View(at, since, doubtful), states)

        found = self._settle((*self._book.offlines, *self._book.silences), AbsenceState, judge, at)
        if self._gaps_at is None or at - self._gaps_at >= self._gaps_every:
            view = View(at, since, self._everybody())
            self.look_for_gaps(view)
            self.look_further(view)
            self._gaps_at = at
        return found

    def _everybody(self) -> list[Device]:
        """Everybody whom the rules of `look_for_gaps` and `look_further` judge."""
        with reading(self._engine) as conn:
            return list(
                ledger_devices.agents(conn)
                if self._agents_only
                else ledger_devices.registry(conn).values()
            )

    def look_for_gaps(self, view: View) -> Findings:
        """Judge what does not arrive, and what is lost. Raises LedgerDown."""
        agents = [one for one in view.devices if one.kind is DeviceKind.AGENT]
        with reading(self._engine) as conn:
            lost = missing.lost(conn, agents) if self._book.losses else []
        return self._settle(
            (*self._book.waitings, *self._book.losses),
            AbsenceState,
            lambda _, states: look_for_gaps(self._book, view.at, agents, lost, states),
            view.at,
        )

    def look_further(self, view: View) -> None:
        """Judge what devices say of themselves, what is expected, and which windows are over.

        Raises LedgerDown.
        """
        book = self._book
        self._settle(
            book.conditions,
            ConditionState,
            lambda _, states: look_at_devices(book, view, states),
            view.at,
        )
        tested = self._tested(view)
        self._settle(
            book.expected,
            AbsenceState,
            lambda _, states: look_for_expected(book, view, tested, states),
            view.at,
        )
        self._settle(
            book.counts,
            CountState,
            lambda _, states: look_for_ends(book, view.at, states),
            view.at,
        )

    def _tested(self, view: View) -> dict[str, set[str]]:
        """For each rule that awaits test results: the sites that had one on its day so far."""
        found: dict[str, set[str]] = {}
        regions = sorted({device.region for device in view.devices})
        for rule in self._book.expected:
            when = rule.when
            if not isinstance(when, Expected) or when.event != "tests":
                continue
            with reading(self._engine) as conn:
                since = expected.since_of(when, view.at)
                found[rule.id] = results.sites_with(conn, regions, since, view.at)
        return found

    def _settle(
        self,
        rules: Sequence[Rule],
        kind: type[S],
        judge: Callable[[Connection, Mapping[Key, S]], F],
        at: datetime,
    ) -> F:
        """Judge by the states that `rules` remember; carry out and keep what has changed."""
        with reading(self._engine) as conn:
            found = judge(conn, self._states(conn, rules, kind))
        if not found.states:
            return found
        with writing(self._engine) as conn:
            # Again, now that nobody else can change these states.
            bodies = rule_state.get(conn, found.states)
            locked = {key: msgspec.convert(body, kind) for key, body in bodies.items()}
            settled = judge(conn, self._states(conn, rules, kind) | locked)
            outcomes = self._carry_out(conn, settled, at)
        self._tell(outcomes)
        return settled

    def _carry_out(self, conn: Connection, found: AnyFindings, at: datetime) -> list[Outcome]:
        if isinstance(found, Findings):
            # In the order in which everyone locks devices (`ledger.statuses`).
            for agent in sorted(found.unknown, key=lambda agent: agent.site):
                ledger_devices.set_site_unknown(conn, agent, "agent offline", at)
        following = carry_out(conn, self._book, found.outcomes, at)
        bodies = {key: msgspec.to_builtins(state) for key, state in found.states.items()}
        rule_state.put(conn, bodies, at)
        return [*found.outcomes, *following]

    def _tell(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes:
            self._on_alerts()
        for outcome in outcomes:
            change = "raised" if isinstance(outcome, Raise) else "resolved"
            rule = outcome.fingerprint.partition("|")[0]
            self._metrics.alerts.labels(rule, change).inc()
            log.info("%s %s", outcome.fingerprint, change)

    @staticmethod
    def _states(conn: Connection, rules: Sequence[Rule], kind: type[S]) -> dict[Key, S]:
        return {
            (rule.id, series): msgspec.convert(body, kind)
            for rule in rules
            for series, body in rule_state.series_of(conn, rule.id).items()
        }


def _who(key: Key) -> Identity:
    return parse_source(key[1])
