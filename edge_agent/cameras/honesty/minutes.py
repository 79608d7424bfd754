"""Proven-live minutes at meals: in which of them did good, new frames come throughout? Pure.

A minute of the clock counts if no stretch of it is without a proof: from before its begin to after
its end, no two good frames lie farther apart than GAP_S. What is not proven is not counted,
whatever the reason: no picture, a dark one, an old one, the agent switched off.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from edge_agent.cameras.schedule import Occurrence, Schedule

GAP_S = 12.0
"""A still scene is decoded by its key frames alone, some seconds apart."""

_MINUTE = timedelta(minutes=1)


class Meal(msgspec.Struct, frozen=True):
    """A meal, and how much of it was seen so far."""

    name: str
    begins_at: datetime
    ends_at: datetime
    live_minutes: int = 0
    counted_until: datetime | None = None
    """Minutes that begin before it are decided."""

    @property
    def minutes(self) -> int:
        """How long the meal is."""
        return round((self.ends_at - self.begins_at) / _MINUTE)


@dataclass(slots=True)
class LiveMinutes:
    """Counts one camera's minutes. `running` may be what was kept before a restart."""

    schedule: Schedule
    running: dict[str, Meal] = field(default_factory=dict)
    """Meals that are not over, by name."""
    _proven_from: datetime | None = field(default=None, init=False)
    """Since then good frames came without a gap …"""
    _proven_until: datetime | None = field(default=None, init=False)
    """… until then."""

    def frame(self, at: datetime) -> bool:
        """A good, new frame at `at`. True if a minute was counted."""
        until = self._proven_until
        if until is None or not timedelta(0) <= at - until <= timedelta(seconds=GAP_S):
            self._proven_from = at
        self._proven_until = at
        for one in self.schedule.meals(at):
            if not self._knows(one):
                self.running[one.period.name] = Meal(one.period.name, one.begins_at, one.ends_at)
        return self._count(at)

    def over(self, at: datetime) -> list[Meal]:
        """The meals that ended before `at`; they are told once and forgotten.

        Half a gap late, so that the last minute can still be proven by a frame after its end.
        """
        for one in self.schedule.meals(at):
            if one.period.name not in self.running:
                self.running[one.period.name] = Meal(one.period.name, one.begins_at, one.ends_at)
        late = at - timedelta(seconds=GAP_S)
        done = [meal for meal in self.running.values() if meal.ends_at <= late]
        for meal in done:
            del self.running[meal.name]
        return done

    def _knows(self, one: Occurrence) -> bool:
        # An old one of the same name is told by `over`, which comes soon.
        return one.period.name in self.running

    def _count(self, at: datetime) -> bool:
        assert self._proven_from is not None
        counted = False
        for name, meal in self.running.items():
            minute = max(meal.begins_at, meal.counted_until or meal.begins_at)
            live = meal.live_minutes
            # Whatever begins before the proof can never be proven any more.
            while minute < self._proven_from and minute < meal.ends_at:
                minute += _MINUTE
            while minute + _MINUTE <= min(at, meal.ends_at):
                live, minute, counted = live + 1, minute + _MINUTE, True
            if minute != meal.counted_until:
                self.running[name] = msgspec.structs.replace(
                    meal, live_minutes=live, counted_until=minute
                )
        return counted
