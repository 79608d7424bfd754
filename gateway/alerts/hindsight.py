"""What would have been raised of stored facts under these rules, beside what was. Reads only.

Facts are played site by site and day by day, in the order of their time; old ones under the rule of
their day. Before the span there is a lead, so that what rules remember is there: facts of the lead
raise nothing. What leaves no history (silence, offline agents, backlogs, keys, what devices said of
themselves, what was expected) cannot be played again, and is said to be so.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby

import msgspec

from contracts.events import Observation, Reading, TestResult
from contracts.words import Phase
from gateway.alerts.book import RuleBook
from gateway.alerts.dry import DryRun
from gateway.alerts.kinds import (
    BeyondLimit,
    Combination,
    CountOf,
    ObservationOf,
    ReadingIs,
    TrendTo,
    VerdictIs,
)
from gateway.alerts.outcomes import Raise
from gateway.alerts.rule import Rule
from ledger import spans
from ledger.devices import Device
from ledger.engine import Connection
from timeseries.port import SeriesStore

PLAYED = VerdictIs | ObservationOf | BeyondLimit | ReadingIs | TrendTo | CountOf | Combination
DAY = timedelta(days=1)
UNITS = {"temperature": "Cel", "humidity": "%", "relative_humidity": "%", "mass": "g"}
"""Units of metrics, which the time series does not keep, where no limit says it."""


class Would(msgspec.Struct, frozen=True):
    """An alert that would have been raised; the first time within the span."""

    fingerprint: str
    rule: str
    version: str
    region: str
    site: str
    device: str
    at: datetime
    title_zh: str
    title_en: str


class Line(msgspec.Struct, frozen=True):
    """One rule: how many alerts these rules raise, how many were, and how many are the same."""

    rule: str
    severity: int
    would: int
    was: int
    both: int

    @property
    def more(self) -> int:
        """Would be raised and was not."""
        return self.would - self.both

    @property
    def fewer(self) -> int:
        """Was raised and would not be."""
        return self.was - self.both


class Hindsight(msgspec.Struct, frozen=True):
    """The two beside each other."""

    since: datetime
    until: datetime
    facts: int
    lines: list[Line]
    more: list[Would]
    fewer: list[spans.Raised]
    not_played: list[str]
    """Rules whose kind leaves no history."""


def replay(
    conn: Connection,
    store: SeriesStore | None,
    book: RuleBook,
    devices: Iterable[Device],
    since: datetime,
    until: datetime,
) -> Hindsight:
    """Play the facts of `devices` within a span. Without a store no readings are played.

    Raises LedgerDown and SeriesDown.
    """
    run = DryRun(book)
    counted = 0
    sites = [
        (site, {one.device: one for one in group})
        for site, group in groupby(sorted(devices, key=lambda one: one.site), lambda one: one.site)
    ]
    begin = since - _lead(book)
    while begin < until:
        end = min(begin + DAY, until)
        for site, at_site in sites:
            for at, play in sorted(
                _facts(conn, store, book, run, site, at_site, begin, end), key=lambda one: one[0]
            ):
                play()
                counted += at >= since
        run.tick(end)
        begin = end
    played = {rule.id for rule in book.rules if isinstance(rule.when, PLAYED)}
    would: dict[str, Would] = {}
    for raised in run.raised():
        if since <= raised.at < until:
            would.setdefault(raised.fingerprint, _would(raised))
    regions = sorted({device.region for _, at_site in sites for device in at_site.values()})
    names = {site for site, _ in sites}
    was = {
        one.fingerprint: one
        for one in spans.alerts_of(conn, regions, since, until)
        if one.site in names
    }
    return Hindsight(
        since=since,
        until=until,
        facts=counted,
        lines=_lines(book.rules, played, would, was),
        more=[one for name, one in would.items() if name not in was],
        fewer=[one for name, one in was.items() if name not in would and one.rule in played],
        not_played=sorted({rule.id for rule in book.rules} - played),
    )


Play = Callable[[], None]


def _facts(
    conn: Connection,
    store: SeriesStore | None,
    book: RuleBook,
    run: DryRun,
    site: str,
    devices: Mapping[str, Device],
    begin: datetime,
    end: datetime,
) -> Iterator[tuple[datetime, Play]]:
    """What one site told in a part of the span: when, and how it is played."""
    for told in spans.results_of(conn, site, begin, end):
        device, fact = devices.get(told.who.device), told.fact
        if device is not None and isinstance(fact, TestResult):
            yield fact.captured_at, partial(run.test, device, told.name, fact)
    for told in spans.observations_of(conn, site, begin, end):
        device, fact = devices.get(told.who.device), told.fact
        if device is not None and isinstance(fact, Observation):
            # Only its latest phase is kept: an opening looked the same, but was not over.
            opened = msgspec.structs.replace(
                fact, phase=Phase.OPEN, ended_at=None, captured_at=fact.started_at, retracted=False
            )
            yield fact.started_at, partial(run.observation, device, opened)
            if fact.phase is Phase.CLOSED:
                over_at = fact.ended_at or fact.captured_at
                yield over_at, partial(run.observation, device, fact)
    if store is not None:
        for device in devices.values():
            for metric in book.own(device).readings:
                yield from _readings(store, book, run, device, metric, begin, end)


def _readings(
    store: SeriesStore,
    book: RuleBook,
    run: DryRun,
    device: Device,
    metric: str,
    begin: datetime,
    end: datetime,
) -> Iterator[tuple[datetime, Play]]:
    tags = {
        "region": device.region,
        "site": device.site,
        "device": device.device,
        "metric": metric,
    }
    unit = _unit(book, book.own(device).readings[metric], metric, begin)
    for sample in store.samples("readings", "value", tags, begin, end):
        if isinstance(sample.value, int | float):
            reading = Reading(metric, float(sample.value), unit, sample.at)
            yield sample.at, partial(run.readings, device, [reading])


def _unit(book: RuleBook, rules: Sequence[Rule], metric: str, at: datetime) -> str:
    for rule in rules:
        if isinstance(rule.when, BeyondLimit | TrendTo):
            limit = book.limits.on(rule.when.limit, at.date())
            if limit is not None:
                return limit.unit
    return UNITS.get(metric, "1")


def _lead(book: RuleBook) -> timedelta:
    """How long before the span facts are played, so that rules remember what they would."""
    seconds = [0.0]
    for rule in book.rules:
        match rule.when:
            case CountOf(window_s=window_s) | TrendTo(window_s=window_s):
                seconds.append(window_s)
            case BeyondLimit(for_s=for_s, gap_s=gap_s) | ReadingIs(for_s=for_s, gap_s=gap_s):
                seconds.append(for_s + gap_s)
            case Combination(within_s=within_s):
                seconds.append(within_s)
    return timedelta(seconds=max(seconds))


def _would(raised: Raise) -> Would:
    return Would(
        fingerprint=raised.fingerprint,
        rule=raised.rule.id,
        version=raised.rule.version,
        region=raised.who.region,
        site=raised.who.site,
        device=raised.who.device,
        at=raised.at,
        title_zh=raised.title_zh,
        title_en=raised.title_en,
    )


def _lines(
    rules: Sequence[Rule],
    played: set[str],
    would: Mapping[str, Would],
    was: Mapping[str, spans.Raised],
) -> list[Line]:
    present = {rule.id: int(rule.severity) for rule in rules}
    severities = {one.rule: int(one.severity) for one in was.values()} | present
    now = Counter(one.rule for one in would.values())
    then = Counter(one.rule for one in was.values())
    both = Counter(one.rule for name, one in would.items() if name in was)
    lines = [
        Line(rule, severity, now[rule], then[rule], both[rule])
        for rule, severity in severities.items()
        if (rule in now or rule in then) and (rule in played or rule not in present)
    ]
    return sorted(lines, key=lambda line: (line.severity, line.rule))
