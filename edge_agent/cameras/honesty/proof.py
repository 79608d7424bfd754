"""Tells the city how many minutes of a meal a camera was proven live; they survive a restart."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.events import Reading, Readings
from contracts.sights import RUNNING_DUE, RUNNING_LIVE
from contracts.topics import Identity
from edge_agent.cameras.honesty.keepsakes import Keepsakes
from edge_agent.cameras.honesty.minutes import LiveMinutes, Meal
from edge_agent.cameras.schedule import Schedule
from edge_agent.ports import Fact

_log = logging.getLogger(__name__)

LIVE, MEAL = "camera_live_minutes", "camera_meal_minutes"
"""Metrics, once at the end of each meal: proven minutes, and how many it had."""


class Proof:
    """One camera's proof that it was live."""

    def __init__(self, who: Identity, schedule: Schedule, keepsakes: Keepsakes) -> None:
        self._who, self._keepsakes = who, keepsakes
        self._minutes = LiveMinutes(schedule, keepsakes.meals())
        self._told = {meal.name: (meal.live_minutes, meal.minutes) for meal in self._running()}

    def frame(self, at: datetime) -> None:
        """A good, new frame."""
        if self._minutes.frame(at):
            self._keep()

    def facts(self, at: datetime) -> list[Fact]:
        """The readings of the meals that ended."""
        done = self._minutes.over(at)
        for meal in (*self._running(), *done):
            self._told[meal.name] = (meal.live_minutes, meal.minutes)
        if done:
            self._keep()
        return [
            Fact(self._who, "readings", Readings(_readings(meal)), meal.ends_at) for meal in done
        ]

    def figures(self) -> dict[str, float]:
        """For the state: of each meal of the day, the minutes proven so far and its length."""
        figures: dict[str, float] = {}
        for name, (live, whole) in self._told.items():
            figures[f"{name}_live_minutes"] = float(live)
            figures[f"{name}_minutes"] = float(whole)
        return figures

    def so_far(self, at: datetime) -> dict[str, float]:
        """For the state, while a meal runs at `at`: minutes proven and whole minutes passed."""
        now = [meal for meal in self._running() if meal.begins_at <= at < meal.ends_at]
        if not now:
            return {}
        passed = sum((at - meal.begins_at) // timedelta(minutes=1) for meal in now)
        live = sum(meal.live_minutes for meal in now)
        return {RUNNING_LIVE: float(live), RUNNING_DUE: float(passed)}

    def _running(self) -> Sequence[Meal]:
        return tuple(self._minutes.running.values())

    def _keep(self) -> None:
        try:
            self._keepsakes.keep_meals(self._minutes.running)
        except OSError as error:  # a full disk: the minutes go on, a restart may lose some
            _log.error("camera %s: meals are not kept: %s", self._who.device, error)


def _readings(meal: Meal) -> list[Reading]:
    return [
        Reading(LIVE, float(meal.live_minutes), "min", meal.ends_at),
        Reading(MEAL, float(meal.minutes), "min", meal.ends_at),
    ]
