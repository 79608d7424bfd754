"""What a testing room did on one day: its samples, its results, and numbers that add up."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from contracts.names import name_key
from contracts.words import Verdict
from contracts.workdays import CHINA
from ledger import samples
from ledger.samples import RegisteredSample
from ledger.schema import results
from ledger.schema import samples as samples_table
from ledger.sql import among_these
from ledger.task_progress import LATE, VALID, Tested

RAISED = frozenset({Verdict.POSITIVE, Verdict.SUSPECT})


class Line(msgspec.Struct, frozen=True):
    """A result of the day with its sample, or a sample of the day that has none."""

    number: str
    product: str
    stall: str
    supplier: str
    origin: str
    lot: str
    operator: str
    sample: RegisteredSample | None = None
    test: Tested | None = None

    @property
    def voided(self) -> bool:
        """Whether the room has taken its sample back."""
        return self.sample is not None and self.sample.voided

    @property
    def key(self) -> tuple[str, str]:
        """What was tested for what: reruns have the same."""
        item = name_key(self.test.item_code or self.test.item) if self.test else ""
        if self.sample is not None:
            return self.sample.id, item
        return (self.number or (self.test.result_id if self.test else "")), item


class Notice(msgspec.Struct, frozen=True):
    """A line of the public notice: no person, no supplier."""

    product: str
    stall: str
    item: str
    value: str
    unit: str
    raised: bool
    """Above the limit or in doubt: to be confirmed."""
    at: datetime


class RoomDay(msgspec.Struct, frozen=True):
    """The day sheet of one site."""

    day: date
    lines: tuple[Line, ...]
    """By time; samples without a result by when they were registered."""

    @property
    def tested(self) -> list[Line]:
        """Lines with a result."""
        return [one for one in self.lines if one.test is not None]

    def count(self, verdict: Verdict) -> int:
        """Results of a verdict, whose sample is not voided."""
        return sum(
            one.test is not None and one.test.verdict is verdict and not one.voided
            for one in self.lines
        )

    @property
    def figures(self) -> dict[str, int]:
        """Results by verdict, and of voided samples; together they are `results`."""
        told = {verdict.value: self.count(verdict) for verdict in Verdict}
        voided = sum(one.voided for one in self.tested)
        return told | {"voided": voided, "results": len(self.tested)}

    @property
    def samples(self) -> dict[str, int]:
        """Samples in use of the day's lines: tested, untested; and those taken back."""
        seen = {one.sample.id: one for one in self.lines if one.sample is not None}
        tested = {one.sample.id for one in self.tested if one.sample is not None}
        used = [key for key, one in seen.items() if not one.voided]
        return {
            "all": len(used),
            "tested": sum(key in tested for key in used),
            "untested": sum(key not in tested for key in used),
            "voided": len(seen) - len(used),
        }

    @property
    def items(self) -> list[tuple[str, dict[str, int]]]:
        """The figures by item; their sums are the day's."""
        names: dict[str, str] = {}
        counted: dict[str, Counter[str]] = {}
        for one in self.tested:
            if one.test is None:
                continue
            key = name_key(one.test.item_code or one.test.item)
            names.setdefault(key, one.test.item)
            word = "voided" if one.voided else one.test.verdict.value
            counted.setdefault(key, Counter())[word] += 1
        return [
            (names[key], dict(told) | {"results": told.total()})
            for key, told in sorted(counted.items())
        ]

    @property
    def late(self) -> int:
        """Results that reached the city later than `LATE`."""
        return sum(one.test is not None and one.test.received_at - one.test.at > LATE
                   for one in self.lines)  # fmt: skip

    @property
    def notices(self) -> list[Notice]:
        """One line for each sample and item that can be judged: of several results the gravest.

        A rerun that passes takes no doubt away: only a statutory test does.
        """
        best: dict[tuple[str, str], Line] = {}
        for one in self.lines:
            if one.test is None or one.voided or one.test.verdict not in VALID:
                continue
            held = best.get(one.key)
            if held is None or _grave(held) < _grave(one):
                best[one.key] = one
        told = [
            Notice(
                product=one.product, stall=one.stall, item=one.test.item,
                value=one.test.value_text, unit=one.test.unit,
                raised=one.test.verdict in RAISED, at=one.test.at,
            )
            for one in best.values()
            if one.test is not None
        ]  # fmt: skip
        return sorted(told, key=lambda one: (not one.raised, one.stall, one.at))


def span_of(day: date) -> tuple[datetime, datetime]:
    """A day of China's calendar."""
    begin = datetime(day.year, day.month, day.day, tzinfo=CHINA)
    return begin, begin + timedelta(days=1)


def busiest(conn: Connection) -> tuple[str, date] | None:
    """The site with most samples, and the day of its last one."""
    last = func.max(samples_table.c.registered_at)
    asked = select(samples_table.c.site, last).group_by(samples_table.c.site)
    row = conn.execute(asked.order_by(func.count().desc(), samples_table.c.site).limit(1)).first()
    return None if row is None else (row[0], row[1].astimezone(CHINA).date())


def read(conn: Connection, region: str, site: str, day: date) -> RoomDay:
    """The day of a site: results measured on it, and samples registered on it without any."""
    return read_all(conn, {site: region}, day)[site]


def read_all(conn: Connection, places: Mapping[str, str], day: date) -> dict[str, RoomDay]:
    """The same for many sites, given with their regions: as many statements as for one."""
    since, until = span_of(day)
    # What an instrument kept, and gave later, was measured before it was captured.
    told = _tests(conn, places, since, until + timedelta(days=31))
    tests = [(test, row) for test, row in told if since <= test.at < until]
    registered = samples.registered_in(conn, list(places), since, until)
    known = {one.id: one for one in registered}
    missing = {test.sample_id for test, _ in tests if test.sample_id not in known} - {""}
    known |= samples.of_ids(conn, missing)
    lines: dict[str, list[tuple[datetime, Line]]] = {site: [] for site in places}
    for test, row in tests:
        lines[row.site].append((test.at, _line(known.get(test.sample_id), test, row)))
    tested = _any_tests(conn, [one.id for one in registered])
    for one in registered:
        if one.id not in tested:
            lines[one.site].append((one.registered_at, _line(one)))
    return {site: _day_of(day, own) for site, own in lines.items()}


def _day_of(day: date, lines: list[tuple[datetime, Line]]) -> RoomDay:
    lines.sort(key=lambda one: (one[0], one[1].number, one[1].key))
    return RoomDay(day, tuple(line for _, line in lines))


def _tests(
    conn: Connection, places: Mapping[str, str], since: datetime, until: datetime
) -> list[tuple[Tested, Any]]:
    named = ("site", "stall", "sample_number", "sample_name", "lot", "supplier", "origin")
    columns = [results.c[name] for name in (*Tested.__struct_fields__, *named, "operator")]
    asked = select(*columns).where(
        among_these(results.c.region, set(places.values())),
        among_these(results.c.site, places),
        results.c.captured_at >= since,
        results.c.captured_at < until,
    )
    found = []
    for row in conn.execute(asked):
        told = {name: getattr(row, name) for name in Tested.__struct_fields__}
        found.append((msgspec.convert(told | {"sample_id": row.sample_id or ""}, Tested), row))
    return found


def _any_tests(conn: Connection, sample_ids: list[str]) -> set[str]:
    asked = select(results.c.sample_id).where(among_these(results.c.sample_id, sample_ids))
    return set(conn.scalars(asked.distinct())) if sample_ids else set()


def _line(sample: RegisteredSample | None, test: Tested | None = None, words: Any = None) -> Line:
    """What the room wrote holds; else what the instrument sent."""

    def of(name: str, sent: str) -> str:
        wrote = getattr(sample, name) if sample is not None else ""
        return str(wrote or (getattr(words, sent) if words is not None else ""))

    return Line(
        number=of("number", "sample_number"),
        product=of("product", "sample_name"),
        stall=of("stall", "stall"),
        supplier=of("supplier", "supplier"),
        origin=of("origin", "origin"),
        lot=of("lot", "lot"),
        operator=of("operator", "operator"),
        sample=sample,
        test=test,
    )


def _grave(one: Line) -> int:
    verdict = one.test.verdict if one.test is not None else Verdict.NONE
    return {Verdict.POSITIVE: 2, Verdict.SUSPECT: 1}.get(verdict, 0)
