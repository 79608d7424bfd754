"""Makes the workers of all instruments of a site: one per serial line."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from contracts.clock import Clock, utc_now
from contracts.events import Status
from contracts.foods import Foods, load_foods
from contracts.limits import Limits, load_limits
from contracts.profile import Modbus, Poll
from contracts.settings import SettingsError
from contracts.topics import Identity
from contracts.words import DeviceState
from edge_agent.instruments.bus import Bus
from edge_agent.instruments.hosts.make import make_host
from edge_agent.instruments.profiles import LoadedProfile, load_profile
from edge_agent.instruments.results import Reader
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.instruments.unit import Unit
from edge_agent.ports import Sink, Worker

logger = logging.getLogger(__name__)
_NO_FOODS = Foods()


def instrument_workers(
    settings: Sequence[InstrumentSettings],
    agent: Identity,
    sink: Sink,
    *,
    profiles_dir: Path,
    limits_dir: Path,
    state_dir: Path,
    foods_dir: Path | None = None,
    clock: Clock = utc_now,
    witness: Callable[[bytes], None] | None = None,
) -> list[Worker]:
    """One worker per port; instruments that share a port share a worker.

    `state_dir` is a folder of the agent that survives restarts: each instrument keeps there what it
    has acknowledged but not yet turned into facts, and which records it has taken already. An
    instrument whose profile is broken is left out and reported offline with the file and key; the
    others are not touched. Raises SettingsError if the limits can't be read, since then nothing
    could be judged. `witness` is told the bytes of each record before what it gives is put.
    """
    limits, foods = load_limits(limits_dir), _foods(foods_dir)
    lines: dict[str, list[Unit]] = {}
    workers: list[Worker] = []
    for each in settings:
        who = agent.sibling(each.device)
        try:
            profile = load_profile(profiles_dir, each.profile)
            if each.port in lines and not _can_share(lines[each.port], profile):
                raise SettingsError(
                    f"port {each.port}: {each.device} can't share it: only units that are polled "
                    "can live on one bus"
                )
        except SettingsError as error:
            logger.error("%s: left out: %s", each.device, error)
            workers.append(LeftOut(who, sink, str(error), clock))
            continue
        unit = make_unit(each, profile, who, sink, limits, state_dir, clock, foods, witness)
        lines.setdefault(each.port, []).append(unit)
    workers += [Bus(port, units, clock) for port, units in lines.items()]
    return workers


def make_unit(
    settings: InstrumentSettings,
    profile: LoadedProfile,
    who: Identity,
    sink: Sink,
    limits: Limits,
    state_dir: Path,
    clock: Clock,
    foods: Foods = _NO_FOODS,
    witness: Callable[[bytes], None] | None = None,
) -> Unit:
    """One instrument: settings, profile and where its facts go."""
    reader = Reader(profile.ref, limits, settings.utc_offset_h, foods)
    host = make_host(profile, reader, address=settings.address, every_s=settings.poll_every_s)
    path = state_dir / f"{who.device}.sqlite"
    return Unit(settings, profile, host, reader, who, sink, path, clock, witness)


def _foods(folder: Path | None) -> Foods:
    """The food dictionary; a broken one costs the suggestions, not the results."""
    try:
        return _NO_FOODS if folder is None else load_foods(folder)
    except SettingsError as error:
        logger.error("food dictionary: left out: %s", error)
        return _NO_FOODS


def _can_share(units: Sequence[Unit], profile: LoadedProfile) -> bool:
    everyone = [*(unit.profile for unit in units), profile]
    return all(isinstance(each.spec.dialogue, Poll | Modbus) for each in everyone)


class LeftOut:
    """Stands for an instrument that can't be read: says so, and does nothing else."""

    def __init__(self, who: Identity, sink: Sink, reason: str, clock: Clock) -> None:
        self._who = who
        self._sink = sink
        self._reason = reason
        self._clock = clock

    @property
    def name(self) -> str:
        """The device's id."""
        return self._who.device

    def run(self, stop: threading.Event) -> None:
        """Tell the reason, and wait."""
        status = Status(DeviceState.OFFLINE, self._clock(), detail=self._reason[:512])
        self._sink.report(self._who, status)
        stop.wait()
