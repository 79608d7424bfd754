"""A dry run: facts through the rules with states in memory, nothing written.

For examples and replay. The steps are those of the gateway; only where states are kept differs.
"""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import TypeVar

import msgspec

from contracts.events import Observation, Reading, TestResult
from contracts.words import Phase, Quality
from gateway.alerts import combine, conditions, counting
from gateway.alerts.absence import Key
from gateway.alerts.book import RuleBook
from gateway.alerts.combine import TogetherState, Told
from gateway.alerts.conditions import ConditionState
from gateway.alerts.counting import CountState, entries, look_for_ends, series_of
from gateway.alerts.evaluate import judge_observation, judge_result
from gateway.alerts.kinds import CountOf, TrendTo
from gateway.alerts.outcomes import Outcome, Raise
from gateway.alerts.rule import Rule
from gateway.alerts.series import JudgedReading, SeriesState, judge_readings
from gateway.alerts.trend import TrendState, judge_trend
from ledger.devices import Device

S = TypeVar("S", bound=msgspec.Struct)


class DryRun:
    """Takes facts in the order in which they came, and gathers what would have followed."""

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        self.outcomes: list[Outcome] = []
        self._states: dict[Key, msgspec.Struct] = {}
        self._phases: dict[tuple[str, str], Phase] = {}

    def raised(self) -> list[Raise]:
        """What would have been raised, in order."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, Raise)]

    def test(self, device: Device, name: str, test: TestResult) -> None:
        """A test result; `name` is unique among results."""
        self.take([*judge_result(self.book, device, name, name, test)])
        self._count(device, name, test)

    def observation(self, device: Device, seen: Observation) -> None:
        """An episode's opening or closing."""
        key = (device.identity.source, seen.observation_id)
        before = self._phases.get(key)
        if before is not Phase.CLOSED:
            self._phases[key] = seen.phase
        self.take(judge_observation(self.book, device, seen, before))
        self._count(device, f"{device.device}/{seen.observation_id}", seen)

    def readings(self, device: Device, readings: Sequence[Reading]) -> None:
        """Readings of one device."""
        by_metric: dict[str, list[JudgedReading]] = {}
        for one in readings:
            if one.quality is not Quality.BAD:
                judged = JudgedReading(one.measured_at, one.value, one.unit, one.quality)
                by_metric.setdefault(one.metric, []).append(judged)
        own = self.book.own(device)
        for metric, told in by_metric.items():
            told.sort(key=attrgetter("at"))
            for key, rule in own.series(metric):
                found: list[Outcome]
                if isinstance(rule.when, TrendTo):
                    line = self._state(key, TrendState)
                    self._states[key], found = judge_trend(
                        self.book, rule, device, metric, line, told
                    )
                else:
                    state = self._state(key, SeriesState)
                    self._states[key], found = judge_readings(
                        self.book, rule, device, metric, state, told
                    )
                self.take(found)

    def device(self, device: Device, at: datetime) -> None:
        """What a device says of itself, as it stands `at`."""
        for rule in self.book.conditions:
            if conditions.judges(self.book, rule, device):
                key = (rule.id, device.identity.source)
                grows = conditions.asks_growth(self.book, rule)
                state = self._state(key, ConditionState)
                self._states[key], found = conditions.step(
                    self.book, rule, device, state, at, grows=grows
                )
                self.take(found)

    def tick(self, at: datetime) -> None:
        """End what ends by the clock alone."""
        counts = {
            key: state for key, state in self._states.items() if isinstance(state, CountState)
        }
        found = look_for_ends(self.book, at, counts)
        self._states |= found.states
        self.take(found.outcomes)

    def take(self, outcomes: Sequence[Outcome]) -> None:
        """Note outcomes, and what rules that combine others make of them."""
        self.outcomes += outcomes
        together: dict[Key, tuple[Rule, list[Told]]] = {}
        for outcome in outcomes:
            for rule, part, site in self.book.combined(outcome):
                together.setdefault((rule.id, site), (rule, []))[1].append(Told(part, outcome))
        for key, (rule, told) in together.items():
            state = self._state(key, TogetherState)
            self._states[key], found = combine.step(state, rule, key[1], told)
            self.outcomes += found

    def _count(self, device: Device, name: str, fact: TestResult | Observation) -> None:
        for entry in entries(self.book, device, name, fact):
            key = (entry.rule.id, series_of(entry.group))
            if isinstance(entry.rule.when, CountOf):
                state, fires = counting.step(
                    self._state(key, CountState), entry.rule.when, [entry.event]
                )
                self._states[key] = state
                if fires:
                    self.take([counting.raised(entry, state)])

    def _state(self, key: Key, kind: type[S]) -> S:
        state = self._states.get(key)
        return state if isinstance(state, kind) else kind()
