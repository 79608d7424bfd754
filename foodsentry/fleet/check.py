"""Holds a fleet's report against the ledger and the time series: missing, twice, unexpected.

Everything is looked up under the script's own sites, so that a city may hold whatever else. Reads
only; asks the time series once for each device.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from foodsentry.fleet.expected import RULES, Numbers, SiteExpectation, numbers
from foodsentry.fleet.report import FleetReport
from foodsentry.fleet.script import PROBE, READER
from ledger import alerts, evidence, intake, observations, results
from ledger.alerts import AlertRow
from ledger.engine import Engine, reading
from ledger.observations import ObservationRow
from ledger.results import ResultRow
from timeseries.port import SeriesStore

EVERY = 100_000_000
EXAMPLES = 20
Row = TypeVar("Row", ResultRow, ObservationRow, AlertRow)
_FROM, _TO = datetime(1970, 1, 2, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)


class Tally(msgspec.Struct):
    """One kind of thing in one store."""

    expected: int = 0
    found: int = 0
    missing: int = 0
    twice: int = 0
    unexpected: int = 0
    """Not in the script, or other than the script says."""

    @property
    def right(self) -> bool:
        """Whether all is there, once, as it should be."""
        return not (self.missing or self.twice or self.unexpected)


class Findings(msgspec.Struct):
    """What a check found."""

    numbers: Tally
    """Numbered facts that the ledger has taken in."""
    results: Tally
    observations: Tally
    pictures: Tally
    alerts: Tally
    points: Tally
    """In the time series: readings and test results."""
    examples: list[str] = []
    """Some of what is wrong, in words."""

    def tallies(self) -> dict[str, Tally]:
        """All of them, by name."""
        return {
            name: tally
            for name in self.__struct_fields__
            if isinstance(tally := getattr(self, name), Tally)
        }

    @property
    def right(self) -> bool:
        """Whether nothing is missing, nothing twice, nothing unexpected."""
        return all(tally.right for tally in self.tallies().values())


def check(report: FleetReport, engine: Engine, store: SeriesStore) -> Findings:
    """Compare. Raises LedgerDown and SeriesDown."""
    return _Check(report, engine, store).run()


class _Check:
    def __init__(self, report: FleetReport, engine: Engine, store: SeriesStore) -> None:
        self._report = report
        self._engine = engine
        self._store = store
        self._found = Findings(Tally(), Tally(), Tally(), Tally(), Tally(), Tally())

    def run(self) -> Findings:
        script = self._report.script
        expected = []
        with reading(self._engine) as conn:
            progress = {
                (row.agent.site, row.epoch): row
                for row in intake.progress(conn)
                if row.agent.site.startswith(script.prefix)
            }
            regions = [script.region]
            booked = _by_site(results.list_in(conn, regions, EVERY), script.prefix)
            episodes = _by_site(observations.list_in(conn, regions, EVERY), script.prefix)
            raised = _by_site(alerts.list_in(conn, regions, limit=EVERY), script.prefix)
            for site in script.each():
                told = SiteExpectation(site)
                name = site.agent.site
                spans = self._report.numbered.get(name, [])
                numbered = numbers(spans)
                # A run that was stopped told the beginning of its script.
                told.keep(len(numbered))
                expected.append(told)
                for span in spans:
                    self._numbers(
                        name, span.epoch, span.facts, progress.pop((name, span.epoch), None)
                    )
                self._results(told, numbered, booked.pop(name, []))
                self._episodes(told, episodes.pop(name, []))
                pictures = [row.evidence_id for row in evidence.every(conn, name)]
                self._count(self._found.pictures, name, told.pictures, pictures)
                mine = [row for row in raised.pop(name, []) if row.rule in RULES]
                self._alerts(name, told.fingerprints(numbered), mine)
        for (name, epoch), row in progress.items():
            self._found.numbers.unexpected += row.highest - row.missing
            self._say(f"{name}: epoch {epoch} was never told")
        for told in expected:
            self._points(told)
        return self._found

    def _numbers(self, site: str, epoch: str, count: int, taken: intake.Progress | None) -> None:
        tally = self._found.numbers
        have = taken.highest - taken.missing if taken else 0
        tally.expected += count
        tally.found += have
        over = max(0, taken.highest - count) if taken else 0
        missing = max(0, count - have + over)
        tally.missing += missing
        tally.unexpected += over
        if missing:
            first = taken.lowest_gap if taken else 1
            self._say(f"{site}: {missing} numbers of epoch {epoch} are missing, from {first} on")
        if over:
            self._say(f"{site}: epoch {epoch} has {over} numbers more than were told")

    def _results(self, told: SiteExpectation, numbered: Numbers, rows: list[ResultRow]) -> None:
        expected = [
            (*numbered[place], test.record_number, test.value.text, test.captured_at)
            for place, test in told.tests
        ]
        found = [
            (row.epoch, row.sequence, row.record_number, row.value_text, row.captured_at)
            for row in rows
        ]
        self._count(self._found.results, told.site.agent.site, expected, found)

    def _episodes(self, told: SiteExpectation, rows: list[ObservationRow]) -> None:
        found = [(row.observation_id, row.phase) for row in rows]
        self._count(self._found.observations, told.site.agent.site, told.phases, found)

    def _alerts(self, site: str, expected: Iterable[str], rows: list[AlertRow]) -> None:
        # Raised again is twice, just as two alerts of one name are.
        found = [row.fingerprint for row in rows for _ in range(row.count)]
        self._count(self._found.alerts, site, expected, found)

    def _points(self, told: SiteExpectation) -> None:
        agent = told.site.agent
        tags = {"region": agent.region, "site": agent.site}
        probe = self._store.samples("readings", "value", {**tags, "device": PROBE}, _FROM, _TO)
        found: list[object] = [(PROBE, one.at, one.value) for one in probe]
        tests = self._store.samples("tests", "number", {**tags, "device": READER}, _FROM, _TO)
        found += [(READER, one.at, one.value) for one in tests]
        expected: list[object] = [(PROBE, at, value) for at, value in told.readings.items()]
        for _, test in told.tests:
            # Its sequence stands in the nanoseconds, which samples are cut of.
            expected.append((READER, test.captured_at, test.value.number))
        self._count(self._found.points, agent.site, expected, found)

    def _count(
        self, tally: Tally, site: str, expected: Iterable[object], found: Iterable[object]
    ) -> None:
        wanted, have = Counter(expected), Counter(found)
        tally.expected += wanted.total()
        tally.found += have.total()
        for one, count in (wanted - have).items():
            tally.missing += count
            self._say(f"{site}: missing {count} × {one}")
        for one, count in (have - wanted).items():
            if one in wanted:
                tally.twice += count
                self._say(f"{site}: {count} too many of {one}")
            else:
                tally.unexpected += count
                self._say(f"{site}: unexpected {one}")

    def _say(self, what: str) -> None:
        if len(self._found.examples) < EXAMPLES:
            self._found.examples.append(what)


def _by_site(rows: Iterable[Row], prefix: str) -> dict[str, list[Row]]:
    by_site: dict[str, list[Row]] = {}
    for row in rows:
        if row.site.startswith(prefix):
            by_site.setdefault(row.site, []).append(row)
    return by_site
