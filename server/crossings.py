"""When readings lay beyond the limit in force, worked out of the readings and not of alerts.

Each reading is held against the limit of its own day. A crossing begins with the first reading
beyond it and ends with the first one within it; where readings stop, or another limit takes effect,
it ends with the last reading that was known to be beyond. What nobody measured is not made up.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal

import msgspec

from contracts.workdays import day_began
from ledger import sites
from ledger.devices import Device, DeviceKind
from ledger.engine import reading
from ledger.establishments import Establishment
from server.establishment_file import devices_of
from server.formats import local
from server.limit_lines import LimitLines, LimitRow
from server.place_history import HistoryFilter
from server.state import State
from timeseries.port import Sample, SeriesDown, SeriesStore

METRIC = "temperature"
GAP = timedelta(minutes=30)
"""Readings that lie further apart tell nothing of the time between."""
MOST_DAYS = 31
"""So many days are looked through at most: the newest of a longer time."""
Ended = Literal["back", "gap", "limit", "open"]
"""Within again; no readings any more; another limit took effect; still beyond at the end."""
LimitOn = Callable[[date], LimitRow | None]


class Crossing(msgspec.Struct, frozen=True):
    """A stretch of readings beyond a limit."""

    site: str
    device: str
    name: str
    began_at: datetime
    ended_at: datetime
    """The first reading within again; else the last one beyond."""
    ended: Ended
    peak: float
    """The reading furthest beyond."""
    peak_at: datetime
    readings: int
    """How many lay beyond."""
    limit: LimitRow


class Looked(msgspec.Struct, frozen=True):
    """What was looked through, and what was found: the newest crossing first."""

    since: datetime
    until: datetime
    probes: int
    without_limit: tuple[str, ...]
    """Probes that no rule has a limit for: nothing can be said of them."""
    found: tuple[Crossing, ...]
    readings: int = 0
    """How many readings were held against a limit; without any, nothing is known."""
    down: bool = False
    """The time series could not be asked: what there was is not known."""


def of_probe(
    probe: Device, samples: Iterable[Sample], limit_on: LimitOn, until: datetime
) -> list[Crossing]:
    """The crossings of one probe's readings, by time. `until`: when looking ended."""
    limits: dict[date, LimitRow | None] = {}
    found: list[Crossing] = []
    now: Crossing | None = None
    for sample in samples:
        day = local(sample.at).date()
        if day not in limits:
            limits[day] = limit_on(day)
        limit, value = limits[day], float(sample.value)
        beyond = limit is not None and not limit.allows(value)
        if now is not None:
            last_at = now.ended_at
            if sample.at - last_at > GAP:
                found.append(_ended(now, last_at, "gap"))
                now = None
            elif limit != now.limit:
                found.append(_ended(now, last_at, "limit"))
                now = None
            elif not beyond:
                found.append(_ended(now, sample.at, "back"))
                now = None
        if not beyond or limit is None:
            continue
        if now is None:
            who = (probe.site, probe.device, probe.name or probe.device)
            at = sample.at
            now = Crossing(*who, at, at, "open", value, at, 1, limit)
        else:
            now = _longer(now, sample.at, value)
    if now is not None:
        stopped = until - now.ended_at > GAP
        found.append(_ended(now, now.ended_at, "gap" if stopped else "open"))
    return found


def _ended(one: Crossing, at: datetime, how: Ended) -> Crossing:
    return msgspec.structs.replace(one, ended_at=at, ended=how)


def _longer(one: Crossing, at: datetime, value: float) -> Crossing:
    upward = one.limit.comparator in ("<", "<=")
    further = value > one.peak if upward else value < one.peak
    peak, peak_at = (value, at) if further else (one.peak, one.peak_at)
    return msgspec.structs.replace(
        one, ended_at=at, peak=peak, peak_at=peak_at, readings=one.readings + 1
    )


def look(
    store: SeriesStore,
    probes: Sequence[Device],
    limits: LimitLines,
    since: datetime,
    until: datetime,
) -> Looked:
    """Every reading of these probes, day by day, of the last MOST_DAYS at most.

    Raises SeriesDown.
    """
    since = max(since, until - timedelta(days=MOST_DAYS))
    found: list[Crossing] = []
    without = []
    count = 0
    for probe in probes:
        named = probe.name or probe.device

        def limit_on(day: date, one: Device = probe) -> LimitRow | None:
            return limits.of(one.device, METRIC, day, one.name)

        days = _days(since, until)
        if all(limit_on(local(at).date()) is None for at, _ in days):
            without.append(named)
            continue
        samples = list(_read(store, probe, days))
        count += len(samples)
        found += of_probe(probe, samples, limit_on, until)
    newest = sorted(found, key=lambda one: (one.began_at, one.site, one.device), reverse=True)
    return Looked(since, until, len(probes), tuple(without), tuple(newest), count)


def looked_through(state: State, one: Establishment, asked: HistoryFilter) -> Looked:
    """The crossings of a place within a filter's days; `down` if the readings cannot be asked."""
    now = state.clock()
    window = asked.period(now).window(1)
    until = min(window.until or now, now)
    since = min(window.since or until, until)
    with reading(state.engine) as conn:
        found = devices_of(conn, sites.of_establishment(conn, one.id))
    probes = [device for device in found if device.kind is DeviceKind.PROBE]
    try:
        return look(state.series, probes, state.limit_lines, since, until)
    except SeriesDown:
        since = max(since, until - timedelta(days=MOST_DAYS))
        return Looked(since, until, len(probes), (), (), down=True)


def _days(since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Stretches that begin and end with China's days."""
    made = []
    while since < until:
        end = min(until, (day_began(since) + timedelta(days=1)).astimezone(until.tzinfo))
        made.append((since, end))
        since = end
    return made


def _read(
    store: SeriesStore, probe: Device, days: Iterable[tuple[datetime, datetime]]
) -> Iterable[Sample]:
    tags = {
        "region": probe.region,
        "site": probe.site,
        "device": probe.device,
        "metric": METRIC,
    }
    for since, until in days:
        yield from store.samples("readings", "value", tags, since, until)


def as_document(looked: Looked) -> dict[str, Any]:
    """As a file has it: times and numbers as text."""
    return {
        "from": "readings",
        "since": looked.since.isoformat(),
        "until": looked.until.isoformat(),
        "reached": not looked.down,
        "known": not looked.down and looked.readings > 0,
        "readings": str(looked.readings),
        "probes": looked.probes,
        "without_limit": list(looked.without_limit),
        "crossings": [
            {
                "site": one.site,
                "device": one.device,
                "name": one.name,
                "began_at": one.began_at.isoformat(),
                "ended_at": one.ended_at.isoformat(),
                "ended": one.ended,
                "peak": f"{one.peak:g}",
                "peak_at": one.peak_at.isoformat(),
                "readings": str(one.readings),
                "limit": one.limit.text,
                "limit_id": one.limit.id,
                "limit_source": one.limit.source,
            }
            for one in looked.found
        ],
    }
