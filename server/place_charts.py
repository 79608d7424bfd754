"""Charts of an establishment's file by week and by hour of the day: pass rate, hygiene.

What was not seen, or not judged, is said so: it is never drawn as clean or as passed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from contracts.looks import KEPT_KIND
from contracts.words import DeviceState, Verdict
from contracts.workdays import day_began
from ledger.device_states import Changes
from ledger.devices import Device
from ledger.observations import ObservationRow
from ledger.place_findings import SIGHT
from ledger.place_tests import figures
from server.device_list import device_line
from server.formats import local
from server.languages import Words

WEEKS = 12
HYGIENE_DAYS = 30
BLIND_FOR = timedelta(minutes=5)
"""A camera that could not see for longer than this of an hour makes the hour unknown."""
HOUR = timedelta(hours=1)
Span = tuple[datetime, datetime]


def first_week(now: datetime) -> datetime:
    """When the first week of the chart begins: a Monday in China."""
    here = day_began(now)
    return here - timedelta(days=here.weekday(), weeks=WEEKS - 1)


def pass_rate(
    tests: Iterable[tuple[datetime, Verdict]], words: Words, now: datetime
) -> dict[str, Any]:
    """The share of the judged quick tests that passed, by week; without a judged one, a gap."""
    begin = first_week(now)
    counted: list[dict[Verdict, int]] = [{} for _ in range(WEEKS)]
    for at, verdict in tests:
        week = (local(at) - begin).days // 7
        if 0 <= week < WEEKS:
            counted[week][verdict] = counted[week].get(verdict, 0) + 1
    weeks = [figures(one, None) for one in counted]
    shares = [None if one.pass_share is None else round(one.pass_share, 1) for one in weeks]
    return {
        "kind": "weeks",
        "shape": "line",
        "unit": "%",
        "min": 0,
        "max": 100,
        "description": words("chart.passrate.say"),
        "filled": any(one.judged for one in weeks),
        "weeks": [f"{begin + timedelta(weeks=number):%m-%d}" for number in range(WEEKS)],
        "counts": [one.judged for one in weeks],
        "series": [{"name": words("figure.passed"), "points": shares, "tone": "ok"}],
    }


def hygiene(
    cameras: Sequence[Device],
    changes: Mapping[tuple[str, str], Changes],
    seen: Collection[ObservationRow],
    words: Words,
    now: datetime,
) -> dict[str, Any]:
    """Days by hour of the day: something was observed, could not see, or seen and nothing."""
    begin = hygiene_since(cameras, now)
    scenes = [
        one
        for one in seen
        if not one.kind.startswith(SIGHT) and one.kind != KEPT_KIND and not one.retracted
    ]
    found = {_hour(one.started_at) for one in scenes if one.started_at >= begin}
    blind: dict[datetime, timedelta] = {}
    for camera in cameras:
        told = changes.get((camera.site, camera.device), [])
        own = [
            (max(one.started_at, begin), min(one.ended_at or now, now))
            for one in seen
            if one.kind.startswith(SIGHT) and (one.site, one.device) == (camera.site, camera.device)
        ]
        spans = joined([*blind_spans(camera, told, begin, now), *own])
        for hour, length in by_hour(spans).items():
            blind[hour] = max(length, blind.get(hour, timedelta()))
    clean, dirty, unknown = [0] * 24, [0] * 24, [0] * 24
    hour = begin
    while hour < now:
        if hour in found:
            dirty[hour.hour] += 1
        elif blind.get(hour, timedelta()) > BLIND_FOR:
            unknown[hour.hour] += 1
        else:
            clean[hour.hour] += 1
        hour += HOUR
    series = (
        ("found", "warn", dirty),
        ("unknown", "mute", unknown),
        ("clean", "ok", clean),
    )
    return {
        "kind": "weeks",
        "shape": "bar",
        "unit": words("chart.hygiene.unit"),
        "description": words("chart.hygiene.say"),
        "filled": bool(cameras),
        "weeks": [f"{number:02d}" for number in range(24)],
        "counts": None,
        "series": [
            {"name": words(f"chart.hygiene.{name}"), "points": points, "tone": tone}
            for name, tone, points in series
        ],
    }


def hygiene_since(cameras: Sequence[Device], now: datetime) -> datetime:
    """When the chart begins: a full hour, and not before the first camera was there."""
    first = min((one.registered_at for one in cameras), default=now)
    return _hour(max(first, now - timedelta(days=HYGIENE_DAYS)))


def blind_spans(camera: Device, told: Changes, begin: datetime, now: datetime) -> list[Span]:
    """When a camera was anything but online, or nobody had said so yet; silence at the end, too."""
    spans: list[Span] = []
    since, state = begin, DeviceState.UNKNOWN.value
    for at, new in [*told, (now, "")]:
        until = min(max(at, begin), now)
        if state != DeviceState.ONLINE.value and until > since:
            spans.append((since, until))
        since, state = until, new
    if device_line(camera, now).state is not DeviceState.ONLINE:
        heard_at = camera.last_seen_at or begin
        spans.append((min(max(heard_at, begin), now), now))
    return spans


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans without those that overlap."""
    made: list[Span] = []
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if made and begin <= made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((begin, end))
    return made


def by_hour(spans: Iterable[Span]) -> dict[datetime, timedelta]:
    """How much of each hour the spans, which do not overlap, cover."""
    covered: dict[datetime, timedelta] = {}
    for begin, end in spans:
        hour = _hour(begin)
        while hour < end:
            part = min(end, hour + HOUR) - max(begin, hour)
            covered[hour] = covered.get(hour, timedelta()) + part
            hour += HOUR
    return covered


def _hour(at: datetime) -> datetime:
    return local(at).replace(minute=0, second=0, microsecond=0)
