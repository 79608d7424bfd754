"""Indicators' numbers, of a region and of those below it, and the records behind each of them.

A number and its list come from one statement (`ledger.indicator_rows`): the one adds its rows up,
the other reads them. The database adds up by region; the tree is climbed here, for regions are few.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Select, Text, case, func, select, values
from sqlalchemy.sql.expression import Subquery

from contracts.indicators import Indicator, Indicators
from contracts.periods import Period
from ledger import (
    indicator_alerts,
    indicator_cases,
    indicator_kitchens,
    indicator_places,
    indicator_samplings,
    indicator_tests,
)
from ledger.indicator_basis import Asked, Basis, asked
from ledger.indicator_rows import Record
from ledger.populations import Residents, residents
from ledger.schema import regions as regions_table
from ledger.sql import typed

Show = Literal["all", "met", "missed"]
STATEMENTS: Mapping[tuple[str, str], Callable[[Asked], Select[Any]]] = {
    ("towns", "towns_tested"): indicator_places.towns,
    ("markets", "markets_tested"): indicator_places.markets,
    ("kitchens", "kitchens_proven"): indicator_kitchens.kitchens,
    ("camera_minutes", "camera_minutes_live"): indicator_kitchens.camera_minutes,
    ("batches", "batches_passed"): indicator_tests.batches,
    ("positive_batches", "positive_batches_done"): indicator_tests.positive_batches,
    ("cases", "cases_done"): indicator_cases.known_cases,
    ("publishable_cases", "cases_published"): indicator_cases.publishable_cases,
    ("supervision_samplings", ""): indicator_samplings.supervision_samplings,
    ("judged_samplings", "samplings_passed"): indicator_samplings.judged_samplings,
    ("failed_samplings", "failed_samplings_done"): indicator_samplings.failed_samplings,
    ("failed_samplings", "failed_samplings_published"): indicator_samplings.failed_to_publish,
    ("alerts_acknowledged", ""): indicator_alerts.acknowledged,
    ("alerts_disposed", ""): indicator_alerts.disposed,
}
"""How each pair of sets (denominator, numerator) is found."""


class Figure(msgspec.Struct, frozen=True):
    """An indicator's number of a region."""

    indicator: str
    region: str
    records: int
    """How many records are behind it."""
    met_records: int
    """Of a share: how many of them count in full."""
    part: float
    whole: float
    """Of a rate: how many people; 0 if nobody has said."""
    value: float | None
    """In the indicator's unit; None: there is nothing to tell it from."""
    target: float | None
    met: bool | None
    unknown: bool = False
    """A working calendar is missing: nobody can tell."""
    residents: Residents | None = None
    """Of a rate: who says how many people; None: nobody does, and there is no number."""


class Question(msgspec.Struct, frozen=True):
    """Of which period, as of when, and of which establishment (None: all)."""

    period: Period
    at: datetime
    establishment_id: str | None = None


class _Sum(msgspec.Struct):
    records: int = 0
    met: int = 0
    part: float = 0.0
    whole: float = 0.0

    def add(self, other: "_Sum") -> None:
        self.records += other.records
        self.met += other.met
        self.part += other.part
        self.whole += other.whole


class Tree:
    """The regions with those above each; read once."""

    def __init__(self, conn: Connection) -> None:
        table = regions_table
        rows = conn.execute(select(table.c.code, table.c.parent))
        self.parents: dict[str, str | None] = {row.code: row.parent for row in rows}

    def above(self, code: str) -> list[str]:
        """A region and those above it, the top last."""
        found: list[str] = []
        at: str | None = code
        while at is not None and at not in found:
            found.append(at)
            at = self.parents.get(at)
        return found

    def depth(self, code: str) -> int:
        """0 is the top: the city; 1 a county, 2 a town."""
        return len(self.above(code)) - 1

    def below(self, code: str) -> list[str]:
        """A region and all below it."""
        return sorted(one for one in self.parents if code in self.above(one))


class Figures:
    """Numbers of one period; what two indicators count alike is counted once."""

    def __init__(
        self, conn: Connection, indicators: Indicators, basis: Basis, question: Question
    ) -> None:
        self._conn = conn
        self._indicators = indicators
        self._basis = basis
        self._question = question
        self._sums: dict[Any, dict[str, _Sum]] = {}
        self._people: dict[str, Residents] | None = None
        self.tree = Tree(conn)

    @property
    def definitions(self) -> list[Indicator]:
        """The indicators of the period's last day."""
        return self._indicators.on(self._question.period.last)

    def of(self, indicator: Indicator, codes: Sequence[str]) -> list[Figure]:
        """The indicator's numbers of these regions, each with all that lies below it."""
        wanted = self._asked(indicator, codes)
        if wanted is None:
            nothing = _Sum()
            return [self._figure(indicator, one, nothing, None, unknown=True) for one in codes]
        if indicator.kind == "median":
            return self._middles(wanted, codes)
        sums = self._by_region(msgspec.structs.replace(wanted, counted=True))
        totals = {one: _Sum() for one in codes}
        for region, found in sums.items():
            for above in self.tree.above(region):
                if above in totals:
                    totals[above].add(found)
        return [self._told(indicator, one, totals[one]) for one in codes]

    def _asked(self, indicator: Indicator, codes: Sequence[str]) -> Asked | None:
        wanted = asked(self._conn, self._basis, indicator, self._question.period, self._question.at)
        here = {below for code in codes for below in self.tree.below(code)}
        if wanted is None or len(here) == len(self.tree.parents):
            return wanted
        return msgspec.structs.replace(wanted, regions=tuple(sorted(here)))

    def _by_region(self, wanted: Asked) -> dict[str, _Sum]:
        key = (*_alike(wanted.indicator), wanted.regions)
        if key not in self._sums:
            rows = self._rows(wanted)
            met = func.sum(_is_met(rows))
            added = select(
                rows.c.region, func.count(), met, func.sum(rows.c.part), func.sum(rows.c.whole)
            ).group_by(rows.c.region)
            self._sums[key] = {
                region: _Sum(int(count), int(full or 0), float(part or 0), float(whole or 0))
                for region, count, full, part, whole in self._conn.execute(added)
            }
        return self._sums[key]

    def _rows(self, wanted: Asked) -> Subquery:
        return rows_of(wanted, self._question.establishment_id)

    def _told(self, indicator: Indicator, region: str, found: _Sum) -> Figure:
        if indicator.kind == "count":
            return self._figure(indicator, region, found, found.whole)
        if indicator.kind == "per_thousand_year":
            known = self._residents().get(region)
            people = known.people if known else 0
            counted = _Sum(found.records, found.met, found.whole, float(people))
            value = 1000.0 * found.whole / people if people else None
            figure = self._figure(indicator, region, counted, value)
            return msgspec.structs.replace(figure, residents=known)
        value = found.part / found.whole if found.whole else None
        if value is not None and indicator.unit == "%":
            # So that all of them are exactly 100.
            value = 100.0 * found.part / found.whole
        return self._figure(indicator, region, found, value)

    def _residents(self) -> dict[str, Residents]:
        if self._people is None:
            day = self._question.period.last
            self._people = residents(self._conn, self._indicators, day)
        return self._people

    def _middles(self, wanted: Asked, codes: Sequence[str]) -> list[Figure]:
        """Medians, found by the database: of each region at most two durations make its middle."""
        pairs = [
            (below, code) for code in codes for below in self.tree.below(code)
        ]  # fmt: skip
        placed = values(Column("code", Text()), Column("root", Text()), name="placed")
        lies = placed.data(pairs or [("", "")]).cte("placed_in")
        rows = self._rows(wanted)
        place = func.row_number().over(partition_by=lies.c.root, order_by=rows.c.part)
        count = func.count().over(partition_by=lies.c.root)
        ranked = (
            select(lies.c.root, rows.c.part, place.label("place"), count.label("count"))
            .join(lies, lies.c.code == rows.c.region)
            .subquery("ranked")
        )
        middle = (
            select(ranked.c.root, func.max(ranked.c.count), func.avg(ranked.c.part))
            .where(
                2 * ranked.c.place >= ranked.c.count,
                2 * ranked.c.place <= ranked.c.count + 2,
            )
            .group_by(ranked.c.root)
        )
        found = {row[0]: (int(row[1]), float(row[2])) for row in self._conn.execute(middle)}
        told = []
        for code in codes:
            count_here, value = found.get(code, (0, None))
            summed = _Sum(count_here, 0, value or 0.0, float(count_here))
            told.append(self._figure(wanted.indicator, code, summed, value))
        return told

    def _figure(
        self,
        indicator: Indicator,
        region: str,
        found: _Sum,
        value: float | None,
        *,
        unknown: bool = False,
    ) -> Figure:
        return Figure(
            indicator=indicator.id,
            region=region,
            records=found.records,
            met_records=found.met,
            part=found.part,
            whole=found.whole,
            value=value,
            target=indicator.target,
            met=indicator.met(value, self._share_of_year()),
            unknown=unknown,
        )

    def _share_of_year(self) -> float:
        """How much of the period's year is over."""
        period = self._question.period
        begins = period.begins_at.replace(month=1, day=1)
        whole = begins.replace(year=begins.year + 1) - begins
        passed = min(period.ends_at, self._question.at) - begins
        return max(0.0, min(1.0, passed / whole))


def records(
    conn: Connection,
    wanted: Asked,
    regions: Sequence[str],
    *,
    establishment_id: str | None = None,
    show: Show = "all",
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[Record], int]:
    """The records behind a number of these regions, and how many they are.

    The newest first; of durations the longest.
    """
    here = msgspec.structs.replace(wanted, regions=tuple(regions))
    counted = rows_of(msgspec.structs.replace(here, counted=True), establishment_id)
    total = conn.scalar(
        select(func.count()).select_from(counted).where(*_shown(counted, regions, show))
    )
    rows = rows_of(here, establishment_id)
    where = _shown(rows, regions, show)
    order: list[ColumnElement[Any]] = [rows.c.at.desc().nulls_last(), rows.c.key]
    if wanted.indicator.kind == "median":
        order = [rows.c.part.desc(), rows.c.key]
    listed = select(rows).where(*where).order_by(*order).limit(limit).offset(offset)
    return [typed(row, Record) for row in conn.execute(listed)], total or 0


def _shown(rows: Subquery, regions: Sequence[str], show: Show) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [rows.c.region.in_(regions)]
    if show != "all":
        full = _is_met(rows) == 1
        where.append(full if show == "met" else ~full)
    return where


def rows_of(wanted: Asked, establishment_id: str | None = None) -> Subquery:
    """The statement of an indicator's records as a table."""
    found = _statement(wanted.indicator)(wanted).subquery("records")
    if establishment_id is None:
        return found
    own = select(found).where(found.c.establishment_id == establishment_id)
    return own.subquery("own_records")


def _statement(indicator: Indicator) -> Callable[[Asked], Select[Any]]:
    exact = STATEMENTS.get((indicator.denominator, indicator.numerator))
    if exact is not None:
        return exact
    return next(one for (counted, _), one in STATEMENTS.items() if counted == indicator.denominator)


def _is_met(rows: Subquery) -> ColumnElement[int]:
    """1 of a record that counts in full."""
    return case((rows.c.part >= rows.c.whole, 1), else_=0)


def _alike(indicator: Indicator) -> tuple[Any, ...]:
    """What two indicators have in common whose records are the same."""
    return (
        _statement(indicator),
        indicator.states,
        indicator.outcomes,
        indicator.within_h,
        indicator.voided_keep,
        indicator.share,
        indicator.meal_begin,
        indicator.meal_end,
        indicator.workdays,
        indicator.kind == "per_thousand_year",
    )
