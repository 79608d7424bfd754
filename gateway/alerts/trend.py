"""A reading that heads for its limit: a line through its readings of late, as a pure step.

Only a reading newer than all before is judged, by what was known then; a late one makes the line
more complete. At most 33 readings are kept, one for each 32nd of the window: the first in it.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from contracts.units import symbol
from gateway.alerts import ending, wording
from gateway.alerts.book import RuleBook
from gateway.alerts.kinds import TrendTo
from gateway.alerts.limits import StorageLimit
from gateway.alerts.outcomes import Outcome, Raise, Resolve, fingerprint, place, raising
from gateway.alerts.rule import Rule
from gateway.alerts.series import JudgedReading
from ledger.devices import Device

PARTS = 32
SLACK = 1.5
"""It is over when the limit is further off than so many horizons."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class TrendState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is remembered of one rule on one series."""

    points: tuple[tuple[datetime, float], ...] = ()
    """By time; one for each part of the window."""
    firing: bool = False


class Line(msgspec.Struct, frozen=True):
    """A line of least squares."""

    now: float
    """Its value at the newest point."""
    per_s: float
    fit: float
    """Share of the variance that it explains; 0 of a level line."""


def judge_trend(
    book: RuleBook,
    rule: Rule,
    device: Device,
    metric: str,
    state: TrendState,
    readings: Iterable[JudgedReading],
) -> tuple[TrendState, list[Outcome]]:
    """Run one rule over readings of one series, by time; returns its new state and outcomes."""
    when = rule.when
    outcomes: list[Outcome] = []
    if not isinstance(when, TrendTo):
        return state, outcomes
    for reading in readings:
        limit = book.limit_at(rule, when.limit, reading.at)
        if limit is None or limit.unit != reading.unit:
            continue
        points = add(state.points, reading.at, reading.value, when.window_s)
        if points == state.points:
            continue
        newest = not state.points or reading.at > state.points[-1][0]
        state = TrendState(points, state.firing)
        if newest:
            left_s = time_left(points, when, limit)
            horizon_s = when.horizon_s * (SLACK if state.firing else 1.0)
            heading = left_s is not None and left_s <= horizon_s
            if heading and not state.firing and left_s is not None:
                outcomes.append(_raise(rule, device, metric, limit, reading, points, left_s))
            elif state.firing and not heading:
                why = ending.NOT_HEADING if limit.allows(reading.value) else ending.REACHED
                outcomes.append(
                    Resolve(
                        fingerprint=fingerprint(rule, device.identity, f"{metric} trend"),
                        at=reading.at,
                        reason=ending.with_value(
                            wording.number(reading.value, reading.unit), limit.text, why
                        ),
                    )
                )
            state = TrendState(points, heading)
    return state, outcomes


def add(
    points: tuple[tuple[datetime, float], ...], at: datetime, value: float, window_s: float
) -> tuple[tuple[datetime, float], ...]:
    """The points with one more, unless its part of the window has an earlier one."""
    parts = {_part(one[0], window_s): one for one in points}
    part = _part(at, window_s)
    held = parts.get(part)
    if held is not None and held[0] <= at:
        return points
    parts[part] = (at, value)
    kept = sorted(parts.values())
    since = kept[-1][0] - timedelta(seconds=window_s)
    return tuple(one for one in kept if one[0] >= since)


def line(points: Sequence[tuple[datetime, float]]) -> Line | None:
    """The line through at least two points of different times."""
    newest = points[-1][0]
    times = [(at - newest).total_seconds() for at, _ in points]
    values = [value for _, value in points]
    count = len(points)
    mean_t, mean_v = sum(times) / count, sum(values) / count
    spread_t = sum((t - mean_t) ** 2 for t in times)
    spread_v = sum((v - mean_v) ** 2 for v in values)
    if not spread_t:
        return None
    both = sum((t - mean_t) * (v - mean_v) for t, v in zip(times, values, strict=True))
    slope = both / spread_t
    fit = both * both / (spread_t * spread_v) if spread_v else 0.0
    return Line(mean_v - slope * mean_t, slope, fit)


def time_left(
    points: Sequence[tuple[datetime, float]], when: TrendTo, limit: StorageLimit
) -> float | None:
    """Seconds until the line reaches the limit; None if it does not lead there, or is none.

    Too few points, or of less than half of the window, are no line. What is beyond the limit
    already is on no way to it.
    """
    if len(points) < when.least or not limit.allows(points[-1][1]):
        return None
    if (points[-1][0] - points[0][0]).total_seconds() < when.window_s / 2:
        return None
    found = line(points)
    if found is None or found.fit < when.fit:
        return None
    left = limit.limit - found.now
    toward = found.per_s if limit.comparator[0] == "<" else -found.per_s
    away = left if limit.comparator[0] == "<" else -left
    return max(0.0, away / toward) if toward > 0 else None


def _part(at: datetime, window_s: float) -> int:
    return int((at - _EPOCH).total_seconds() // (window_s / PARTS))


def _raise(
    rule: Rule,
    device: Device,
    metric: str,
    limit: StorageLimit,
    reading: JudgedReading,
    points: Sequence[tuple[datetime, float]],
    left_s: float,
) -> Raise:
    found = line(points)
    per_hour = (found.per_s if found else 0.0) * 3600
    common = place(device.identity, device.name) | {
        "metric": metric,
        "value": wording.number(reading.value, reading.unit),
        "limit": limit.text,
        "per_hour": wording.number(round(per_hour, 2), reading.unit),
    }
    zh = {"limit_meaning": limit.meaning_zh, "duration": wording.duration_zh(left_s)}
    en = {"limit_meaning": limit.meaning_en, "duration": wording.duration_en(left_s)}
    facts = {
        "metric": metric,
        "value": reading.value,
        "unit": symbol(reading.unit),
        "limit": limit.text,
        "limit_source": f"{limit.source} [{limit.mark}]",
        "per_hour": round(per_hour, 3),
        "reached_in_s": round(left_s),
        "measured_at": reading.at.isoformat(),
    }
    return raising(
        rule,
        device.identity,
        f"{metric} trend",
        reading.at,
        zh=common | zh,
        en=common | en,
        facts=facts,
    )
