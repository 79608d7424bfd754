"""What must be in the city after a fleet's run, and what it took: a JSON file that can be checked.

The facts themselves are not in it: script and seed make them again. What no seed knows is: the
epochs under which they were numbered.
"""

from collections import Counter
from pathlib import Path

import msgspec

from contracts.settings import SettingsError
from foodsentry.fleet.expected import SiteExpectation
from foodsentry.fleet.outbox import Span
from foodsentry.fleet.script import FleetScript


class Expected(msgspec.Struct, frozen=True):
    """Totals over all sites."""

    facts: int
    tests: int
    readings: int
    """Single readings: points of the time series."""
    observations: int
    """Episodes."""
    pictures: int
    alerts: dict[str, int]
    """Alerts by rule, of the rules that judge facts."""
    truth: dict[str, int]
    """Devices by how they lie."""


class FleetReport(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    script: FleetScript
    expected: Expected
    seconds: float
    told: int
    """Facts that were put into outboxes; all of them, unless it was stopped."""
    unreceipted: int
    sent: int
    """Messages given to the network; beyond `told`, what was sent again."""
    connections: int
    cuts: int
    restarts: int
    refused: int
    """Messages that the broker would not take."""
    rss_mb: float
    truth: dict[str, dict[str, str]]
    """By site and device: how it lies, how its clock is wrong."""
    numbered: dict[str, list[Span]]
    """By site: the epochs, and how many facts of the script each one numbers, in order."""


def expectation(script: FleetScript) -> Expected:
    """The totals that follow from a script."""
    kinds: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    truth: Counter[str] = Counter()
    readings = episodes = 0
    for site in script.each():
        found = SiteExpectation(site)
        kinds += found.kinds
        rules += found.rules
        episodes += len(found.phases)
        readings += len(found.readings)
        truth.update(site.truth.values())
    return Expected(
        facts=kinds.total(),
        tests=kinds["tests"],
        readings=readings,
        observations=episodes,
        pictures=kinds["evidence"],
        alerts=dict(rules),
        truth=dict(truth),
    )


def read_report(path: Path) -> FleetReport:
    """Read a report's file. Raises SettingsError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=FleetReport)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise SettingsError(f"{path}: is no report of a fleet: {error}") from None
