"""What the pages of indicators show: numbers of a region and of those below it, records, charts."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from contracts.indicators import Indicator
from contracts.periods import Period, around, read_period
from contracts.workdays import CHINA
from ledger import indicator_snapshots, indicators, regions
from ledger.engine import Connection
from ledger.indicator_basis import asked
from ledger.indicator_rows import Record
from ledger.indicator_snapshots import Snapshot
from ledger.indicators import Figure, Figures, Question, Show
from ledger.regions import Region
from server.access import Right, Scope, may
from server.formats import duration
from server.languages import Words
from server.problems import Problem, not_found
from server.signing import Visit
from server.state import State

Level = Literal["below", "towns"]
FIRST_YEAR = 2024
MONTHS = 12
TOWN = 2
"""How deep a town lies below the top."""


class View(msgspec.Struct, frozen=True):
    """What is looked at: kept in the address of every page."""

    region: Region
    period: Period
    level: Level = "below"

    @property
    def query(self) -> str:
        """As an address has it."""
        level = "&level=towns" if self.level == "towns" else ""
        return f"region={self.region.code}&period={self.period.name}{level}"


class Line(msgspec.Struct, frozen=True):
    """An indicator's number, with what was frozen of it."""

    indicator: Indicator
    figure: Figure
    region: Region
    frozen: Snapshot | None = None
    changed: bool = False
    """Whether it is another one now than when it was frozen."""


class Place(msgspec.Struct, frozen=True):
    """A record with what its line leads to."""

    record: Record
    region: tuple[str, str]
    link: str
    """Empty: this officer has no page of it."""


def view_of(
    conn: Connection, state: State, visit: Visit, region: str, period: str, level: Level = "below"
) -> View:
    """What an address asks for. Raises Problem: 404 outside the subtree, 422 for no period."""
    code = region or visit.officer.region
    found = regions.get(conn, code) if code in visit.scope.regions else None
    if found is None:
        raise not_found("region")
    try:
        wanted = read_period(period) if period else around(state.clock())
    except ValueError as error:
        raise Problem(422, "invalid-request", f"period: {error}") from None
    if wanted.first.year < FIRST_YEAR or wanted.begins_at > state.clock():
        raise Problem(422, "invalid-request", f"period: {wanted.name} cannot be told")
    return View(found, wanted, level)


def figures_for(conn: Connection, state: State, visit: Visit, period: Period) -> Figures:
    """The numbers of a period as this officer may see them."""
    data = state.indicators
    question = Question(period, state.clock(), visit.scope.establishment_id)
    return Figures(conn, data.indicators, data.basis, question)


def indicator_of(state: State, view: View, indicator_id: str) -> Indicator:
    """The definition of the period's day. Raises Problem (404)."""
    found = state.indicators.indicators.find(indicator_id, view.period.last)
    if found is None:
        raise not_found("indicator")
    return found


def overview(conn: Connection, state: State, visit: Visit, view: View) -> list[Line]:
    """Every indicator's number of the region."""
    found = figures_for(conn, state, visit, view.period)
    frozen: dict[str, Snapshot] = {}
    if visit.scope.establishment_id is None:
        rows = indicator_snapshots.of_period(conn, view.period.name, [view.region.code])
        frozen = {row.indicator: row for row in rows}
    made = []
    for one in found.definitions:
        (figure,) = found.of(one, [view.region.code])
        kept = frozen.get(one.id)
        changed = kept is not None and indicator_snapshots.difference(kept, figure)
        made.append(Line(one, figure, view.region, kept, changed))
    return made


def below(conn: Connection, view: View) -> list[Region]:
    """The regions right below, to go down to."""
    return regions.children(conn, view.region.code)


def way(conn: Connection, scope: Scope, view: View) -> list[Region]:
    """The regions above within the officer's subtree, the top first."""
    codes = [one for one in regions.ancestors(conn, view.region.code) if one in scope.regions]
    found = (regions.get(conn, one) for one in reversed(codes))
    return [one for one in found if one is not None]


def league(
    conn: Connection, state: State, visit: Visit, view: View, indicator: Indicator
) -> list[Line]:
    """The region itself, and the regions below it in order, the best first.

    Never a region outside the subtree: of sister counties only who sees the city sees anything.
    """
    found = figures_for(conn, state, visit, view.period)
    listed = below(conn, view)
    if view.level == "towns":
        every = {one.code: one for one in regions.all_regions(conn)}
        codes = found.tree.below(view.region.code)
        listed = [every[one] for one in codes if found.tree.depth(one) == TOWN]
    codes = [view.region.code, *(one.code for one in listed)]
    own, *rest = found.of(indicator, codes)
    lines = [Line(indicator, figure, one) for figure, one in zip(rest, listed, strict=True)]
    return [Line(indicator, own, view.region), *sorted(lines, key=_rank)]


def _rank(line: Line) -> tuple[bool, float, str]:
    value = line.figure.value
    sign = -1.0 if line.indicator.better == "higher" else 1.0
    return value is None, sign * (value or 0.0), line.region.code


def records(
    conn: Connection,
    state: State,
    visit: Visit,
    view: View,
    indicator: Indicator,
    show: Show,
    limit: int,
    offset: int,
) -> tuple[list[Place], int]:
    """The records behind a number, and how many they are."""
    basis = state.indicators.basis
    wanted = asked(conn, basis, indicator, view.period, state.clock())
    if wanted is None:
        return [], 0
    rows, total = indicators.records(
        conn, wanted, regions.subtree(conn, view.region.code),
        establishment_id=visit.scope.establishment_id, show=show, limit=limit, offset=offset,
    )  # fmt: skip
    names = {one.code: (one.name_zh, one.name_en) for one in regions.all_regions(conn)}
    made = [
        Place(row, names.get(row.region, (row.region, row.region)), link(visit, indicator, row))
        for row in rows
    ]
    return made, total


_PAGES = {
    "markets": "/establishments/{key}",
    "kitchens": "/establishments/{key}",
    "camera_minutes": "/establishments/{establishment}",
    "batches": "/results/{key}",
    "positive_batches": "/results/{key}",
    "cases": "/cases/{key}",
    "publishable_cases": "/cases/{key}",
    "alerts_acknowledged": "/alerts/{key}",
    "alerts_disposed": "/alerts/{key}",
}
"""Where a record of each set has its page."""


def link(visit: Visit, indicator: Indicator, row: Record) -> str:
    """The address of a record's own page; empty if it has none for this officer."""
    if indicator.denominator == "towns":
        return f"/indicators?region={row.key}"
    if indicator.denominator.endswith("_samplings"):
        return f"/admin/samplings/rows/{row.key}" if may(visit.officer, Right.ADMIN) else ""
    page = _PAGES.get(indicator.denominator, "")
    if "{establishment}" in page and row.establishment_id is None:
        return ""
    return page.format(key=row.key, establishment=row.establishment_id)


def shown(indicator: Indicator, value: float | None, words: Words) -> str:
    """A value as people read it; a share is never rounded up to what it has not reached."""
    if value is None:
        return "–"
    if indicator.unit == "s":
        name, n = duration(value)
        return words(f"lasting.{name}", n=n)
    if indicator.unit == "%":
        return f"{_floored(value, 1):.1f} %"
    if indicator.kind == "count":
        return f"{value:,.0f}"
    return f"{_floored(value, 3):.3f}"


def _floored(value: float, digits: int) -> float:
    size = 10.0**digits
    # What falls short by rounding of the machine alone does not fall.
    return math.floor(value * size + 1e-9) / size


def target_shown(indicator: Indicator, words: Words) -> str:
    """A target as people read it; empty if there is none."""
    if indicator.target is None:
        return ""
    sign = "≥" if indicator.better == "higher" else "≤"
    if indicator.unit == "s":
        return f"{sign} {shown(indicator, indicator.target, words)}"
    unit = " %" if indicator.unit == "%" else ""
    return f"{sign} {indicator.target:g}{unit}"


def said(line: Line, now: datetime) -> str:
    """How the number stands to its target: a word of the catalogue."""
    figure = line.figure
    if figure.unknown:
        return "unknown"
    if figure.value is None and line.indicator.kind == "per_thousand_year":
        return "nopeople"
    if figure.value is None:
        return "nothing"
    if figure.met is None:
        return "none"
    running = line.indicator.kind == "per_thousand_year" and figure.value < (figure.target or 0.0)
    if running and figure.met and now < _year_end(now):
        return "course"
    return "met" if figure.met else "missed"


def _year_end(now: datetime) -> datetime:
    return datetime(now.astimezone(CHINA).year + 1, 1, 1, tzinfo=CHINA)


def choices(now: datetime) -> list[list[Period]]:
    """Periods to pick from, the newest first: months, quarters, years."""
    made = []
    for size, count in (("month", 14), ("quarter", 5), ("year", 2)):
        one = around(now, size)  # type: ignore[arg-type]
        group = []
        for _ in range(count):
            group.append(one)
            one = one.before
        made.append(group)
    return made


def chart(
    conn: Connection, state: State, visit: Visit, view: View, indicator: Indicator, words: Words
) -> dict[str, Any]:
    """The frozen months of a region and the month that runs, for charts.js."""
    months = [around(state.clock())]
    while len(months) < MONTHS:
        months.append(months[-1].before)
    months.reverse()
    frozen = indicator_snapshots.of_indicator(
        conn, indicator.id, view.region.code, [one.name for one in months]
    )
    points: list[float | None] = []
    for one in months:
        kept = frozen.get(one.name)
        value = kept.value if kept else None
        if one is months[-1]:
            (figure,) = figures_for(conn, state, visit, one).of(indicator, [view.region.code])
            value = figure.value
        points.append(None if value is None else round(value / _size(indicator), 3))
    target = indicator.target
    return {
        "kind": "weeks",
        "shape": "bar" if indicator.kind == "count" else "line",
        "unit": words("worth.unit.h") if indicator.unit == "s" else indicator.unit.strip("1"),
        "description": words.pick(indicator.title_zh, indicator.title_en),
        "weeks": [one.name for one in months],
        "filled": any(one is not None for one in points),
        "series": [
            {"name": words("indicators.value"), "points": points},
            *(
                [
                    {
                        "name": words("indicators.target"),
                        "points": [target / _size(indicator)] * len(months),
                    }
                ]
                if target is not None
                else []
            ),
        ],
    }


def _size(indicator: Indicator) -> float:
    return 3600.0 if indicator.unit == "s" else 1.0


HEADS = (
    *("region", "region_name", "period", "indicator", "title", "numerator", "denominator"),
    *("value", "unit", "target", "met", "frozen_value", "frozen_at"),
)


def sheet_rows(lines: Sequence[Line], view: View) -> list[list[str]]:
    """An overview or a league as rows of a file."""
    made = []
    for line in lines:
        figure, one, kept = line.figure, line.indicator, line.frozen
        met = "" if figure.met is None else "yes" if figure.met else "no"
        made.append(
            [
                *(line.region.code, line.region.name_zh, view.period.name, one.id, one.title_zh),
                f"{figure.part:g}" if one.kind != "median" else "",
                f"{figure.whole:.10g}",
                "" if figure.value is None else f"{figure.value:.10g}",
                one.unit,
                "" if one.target is None else f"{one.target:g}",
                met,
                "" if kept is None or kept.value is None else f"{kept.value:.10g}",
                "" if kept is None else kept.frozen_at.isoformat(),
            ]
        )
    return made


def record_rows(places: Sequence[Place]) -> list[list[str]]:
    """Records as rows of a file."""
    return [
        [
            *(one.record.region, one.region[0], one.record.key, one.record.title_zh),
            one.record.detail,
            one.record.at.isoformat() if one.record.at else "",
            f"{one.record.part:g}",
            f"{one.record.whole:g}",
        ]
        for one in places
    ]


RECORD_HEADS = (*("region", "region_name", "record", "title", "detail", "at", "part", "whole"),)
