"""What the pipeline goes by: settings, and what rules say of routes, inhibition and push."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from contracts.settings import SettingsError
from gateway.alerts.rule import Rule
from gateway.health import Health
from gateway.notify.inhibit import Inhibition
from gateway.notify.pipeline_settings import PipelineSettings
from gateway.notify.routing import Routes
from gateway.notify.settings import NotifySettings

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
Mode = Literal["push", "digest", "none"]


class Policy(msgspec.Struct, frozen=True):
    """Everything that decides what is told, but the ledger."""

    settings: PipelineSettings
    inhibition: Inhibition
    routes: Routes
    modes: Mapping[str, Mode]
    """How a rule's alerts are told; push if it is not here."""
    logins: tuple[str, ...]
    """Login names that routes give."""


def policy_of(settings: NotifySettings, rules: Iterable[Rule]) -> Policy:
    """The policy of these settings and rules."""
    known = list(rules)
    pipeline = settings.pipeline
    return Policy(
        settings=pipeline,
        inhibition=Inhibition(
            {rule.id: rule.inhibits for rule in known}, pipeline.class_2.group_wait_s
        ),
        routes=Routes(settings.routes, {rule.id: rule.routes for rule in known if rule.routes}),
        modes={rule.id: rule.notify for rule in known},
        logins=tuple(sorted({login for route in settings.routes for login in route.officers})),
    )


class PolicyFile:
    """The policy as the settings file says it: read anew when the file has changed.

    A file that can't be used is said in /healthz, and the last good one goes on to count.
    """

    def __init__(
        self,
        file: Path,
        read: Callable[[Path], NotifySettings],
        first: NotifySettings,
        rules: Iterable[Rule],
        health: Health,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        """`first`: the settings as they were read at the start."""
        self._file = file
        self._read = read
        self._rules = tuple(rules)
        self._health = health
        self._ticks = ticks
        self._settings = first
        self._policy = policy_of(first, self._rules)
        self._stamp = self._look()
        self._look_at = ticks() + LOOK_EVERY_S

    def __call__(self) -> Policy:
        """The policy now."""
        if self._ticks() >= self._look_at:
            self._look_at = self._ticks() + LOOK_EVERY_S
            stamp = self._look()
            if stamp != self._stamp:
                self._stamp = stamp
                self._renew()
        return self._policy

    def _look(self) -> tuple[int, int] | None:
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def _renew(self) -> None:
        try:
            settings = self._read(self._file)
        except SettingsError as error:
            self._health.trouble("notify settings", str(error))
            log.warning("the old settings go on to count: %s", error)
            return
        self._health.well("notify settings")
        if settings != self._settings:
            self._settings = settings
            self._policy = policy_of(settings, self._rules)
            log.info("%s: who is told of what goes by new settings", self._file)
