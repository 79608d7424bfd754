"""Trace 追溯: where else goods of the same lot or supplier were tested, as far as anybody wrote it.

Names are the same by `contracts.names.name_key` alone. A lot's number means something together with
its product; a supplier, by itself or with a product. What says neither is never found, and never
guessed.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select

from contracts.names import name_key
from contracts.words import Verdict
from ledger import regions, task_progress
from ledger.case_links import CANCELLED
from ledger.schema import alerts, case_results, cases, establishments, results, samples, sites
from ledger.sql import among_these
from ledger.task_progress import Tested

Match = Literal["any", "lot", "goods", "supplier"]
MATCHES: tuple[Match, ...] = ("any", "lot", "goods", "supplier")
MOST = 2000
"""Samples, and results, that one trace looks at."""
RAISED = frozenset({Verdict.POSITIVE, Verdict.SUSPECT})


class Goods(msgspec.Struct, frozen=True):
    """What is traced: as somebody wrote it, and when it was taken or tested."""

    product: str = ""
    lot: str = ""
    supplier: str = ""
    at: datetime | None = None

    def can(self, match: Match) -> bool:
        """Whether it says enough to be traced so."""
        lot = bool(name_key(self.lot) and name_key(self.product))
        supplier = bool(name_key(self.supplier))
        goods = supplier and bool(name_key(self.product))
        return {"any": lot or supplier, "lot": lot, "goods": goods, "supplier": supplier}[match]


class Find(msgspec.Struct, frozen=True):
    """A sample, or a result without one, of such goods."""

    id: str
    number: str
    """Of the sample, as printed or sent."""
    sampled: bool
    """False: a result that belongs to no sample that is found here."""
    site: str
    stall: str
    product: str
    lot: str
    supplier: str
    origin: str
    at: datetime
    same: tuple[str, ...]
    """What is the same: ``lot``, ``supplier``, ``product``."""
    voided: bool = False
    tests: tuple[Tested, ...] = ()


class Stall(msgspec.Struct, frozen=True):
    """A stall of an establishment, or what is told without one (label '')."""

    label: str
    finds: tuple[Find, ...]


class Branch(msgspec.Struct, frozen=True):
    """An establishment, or a site of none, with its stalls."""

    site: str
    """One of its sites: where a task would go."""
    region: str
    establishment_id: str | None
    name: str
    stalls: tuple[Stall, ...]

    @property
    def tests(self) -> Iterable[Tested]:
        """All its results."""
        return (test for stall in self.stalls for find in stall.finds for test in find.tests)

    @property
    def raised(self) -> int:
        """Results above a limit, or in doubt."""
        return sum(test.verdict in RAISED for test in self.tests)


class Held(msgspec.Struct, frozen=True):
    """What is in hand on a result: its alerts, and its case."""

    alerts: tuple[str, ...] = ()
    case_id: str = ""
    case_number: str = ""


class Trace(msgspec.Struct, frozen=True):
    """What was found within somebody's sight, and how much lies outside of it."""

    branches: tuple[Branch, ...]
    elsewhere: int
    """Establishments, or sites of none, outside."""
    ask: str
    """The lowest region that holds them and the one who looks; '' if there are none."""
    cut: bool
    """There is more than was looked at."""
    held: dict[str, Held]
    """By result."""

    @property
    def raised(self) -> list[Tested]:
        """Results above a limit, or in doubt."""
        return [one for branch in self.branches for one in branch.tests if one.verdict in RAISED]


def find(
    conn: Connection,
    goods: Goods,
    match: Match,
    days: int,
    now: datetime,
    *,
    own: str,
    seen: Collection[str],
) -> Trace:
    """Where such goods were tested within `days` before and after; `own`: the region of who looks,
    `seen`: all that they can see."""
    if not goods.can(match):
        return Trace((), 0, "", cut=False, held={})
    at = goods.at or now
    span = (at - timedelta(days=days), at + timedelta(days=days))
    told = _samples(conn, goods, match, span)
    loose = _results(conn, goods, match, span, {one.id for one in told})
    places = _places(conn, {one.site for one in (*told, *loose)})
    inside = [one for one in (*told, *loose) if places[one.site].region in seen]
    outside = {
        places[one.site].establishment_id or one.site: places[one.site].region
        for one in (*told, *loose)
        if places[one.site].region not in seen
    }
    branches = _branches(inside, places)
    tests = [test.result_id for branch in branches for test in branch.tests]
    return Trace(
        branches=branches,
        elsewhere=len(outside),
        ask=_common(conn, own, set(outside.values())) if outside else "",
        cut=len(told) >= MOST or len(loose) >= MOST,
        held=_held(conn, tests),
    )


def _condition(
    table: Table, goods: Goods, match: Match
) -> ColumnElement[bool]:  # fmt: skip
    """With the conditions of the partial indices, which no bound value would imply."""
    product = table.c.product_key == name_key(goods.product)
    lot = and_(table.c.lot_key == name_key(goods.lot), table.c.lot_key != "", product)
    by = and_(table.c.supplier_key == name_key(goods.supplier), table.c.supplier_key != "")
    if match == "lot":
        return lot
    if match == "goods":
        return and_(by, product)
    if match == "supplier":
        return by
    parts = [part for part, one in ((lot, "lot"), (by, "supplier")) if goods.can(one)]  # type: ignore[arg-type]
    return or_(*parts)


def _same(goods: Goods, row: Any) -> tuple[str, ...]:
    """What is the same, of what is told at all."""
    pairs = (
        ("lot", goods.lot, row.lot_key),
        ("supplier", goods.supplier, row.supplier_key),
        ("product", goods.product, row.product_key),
    )
    return tuple(name for name, text, key in pairs if key and name_key(text) == key)


def _samples(
    conn: Connection, goods: Goods, match: Match, span: tuple[datetime, datetime]
) -> list[Find]:
    table = samples.c
    asked = (
        select(samples)
        .where(_condition(samples, goods, match))
        .where(table.registered_at >= span[0], table.registered_at <= span[1])
        .order_by(table.registered_at.desc(), table.id)
        .limit(MOST)
    )
    rows = list(conn.execute(asked))
    tests = task_progress.tests_of(conn, [row.id for row in rows])
    return [
        Find(
            id=row.id, number=row.number, sampled=True, site=row.site, stall=row.stall,
            product=row.product, lot=row.lot, supplier=row.supplier, origin=row.origin,
            at=row.registered_at, same=_same(goods, row), voided=row.voided,
            tests=tuple(tests.get(row.id, ())),
        )
        for row in rows
    ]  # fmt: skip


def _results(
    conn: Connection,
    goods: Goods,
    match: Match,
    span: tuple[datetime, datetime],
    sampled: Collection[str],
) -> list[Find]:
    table = results.c
    named = ("stall", "sample_number", "sample_name", "lot", "supplier", "origin", "site")
    keys = ("lot_key", "supplier_key", "product_key")
    columns = {name: table[name] for name in (*Tested.__struct_fields__, *named, *keys)}
    asked = (
        select(*columns.values())
        .where(_condition(results, goods, match))
        .where(table.captured_at >= span[0], table.captured_at <= span[1])
        .order_by(table.captured_at.desc(), table.result_id)
        .limit(MOST)
    )
    found = []
    for row in conn.execute(asked):
        if row.sample_id in sampled:
            continue
        told = {name: getattr(row, name) for name in Tested.__struct_fields__}
        test = msgspec.convert({**told, "sample_id": row.sample_id or ""}, Tested)
        found.append(
            Find(
                id=row.result_id, number=row.sample_number, sampled=False, site=row.site,
                stall=row.stall, product=row.sample_name, lot=row.lot, supplier=row.supplier,
                origin=row.origin, at=row.captured_at, same=_same(goods, row), tests=(test,),
            )
        )  # fmt: skip
    return found


def _places(conn: Connection, site_ids: Collection[str]) -> dict[str, Any]:
    asked = (
        select(
            sites.c.id, sites.c.region, sites.c.establishment_id, sites.c.name,
            establishments.c.name.label("owner"),
        )
        .outerjoin(establishments, establishments.c.id == sites.c.establishment_id)
        .where(among_these(sites.c.id, sorted(site_ids)))
    )  # fmt: skip
    return {row.id: row for row in conn.execute(asked)}


def _branches(found: Iterable[Find], places: dict[str, Any]) -> tuple[Branch, ...]:
    by: dict[str, dict[str, list[Find]]] = {}
    of: dict[str, Any] = {}
    for one in sorted(found, key=lambda one: (one.at, one.id), reverse=True):
        place = places[one.site]
        key = place.establishment_id or place.id
        of.setdefault(key, place)
        own = by.setdefault(key, {})
        same = next((label for label in own if name_key(label) == name_key(one.stall)), one.stall)
        own.setdefault(same, []).append(one)
    made = [
        Branch(
            site=of[key].id,
            region=of[key].region,
            establishment_id=of[key].establishment_id,
            name=of[key].owner or of[key].name,
            stalls=tuple(Stall(label, tuple(own[label])) for label in sorted(own, key=name_key)),
        )
        for key, own in by.items()
    ]
    return tuple(sorted(made, key=lambda one: (-one.raised, one.name, one.site)))


def _common(conn: Connection, own: str, others: Collection[str]) -> str:
    """The lowest region above all of them."""
    paths = regions.paths(conn, sorted({own, *others}))
    for code in paths[own]:
        if all(code in paths[one] for one in others):
            return code
    return ""


def _held(conn: Connection, result_ids: Sequence[str]) -> dict[str, Held]:
    wanted = sorted(set(result_ids))
    if not wanted:
        return {}
    found: dict[str, list[str]] = {}
    raised = select(alerts.c.result_id, alerts.c.alert_id).where(
        among_these(alerts.c.result_id, wanted)
    )
    for row in conn.execute(raised.order_by(alerts.c.number)):
        found.setdefault(row.result_id, []).append(row.alert_id)
    opened = (
        select(case_results.c.result_id, cases.c.case_id, cases.c.case_number)
        .join(cases, cases.c.case_id == case_results.c.case_id)
        .where(among_these(case_results.c.result_id, wanted), cases.c.state != CANCELLED)
        .order_by(cases.c.number)
    )
    case = {row.result_id: (row.case_id, row.case_number) for row in conn.execute(opened)}
    return {
        one: Held(tuple(found.get(one, ())), *case.get(one, ("", "")))
        for one in {*found, *case}
    }  # fmt: skip


def regions_of(conn: Connection, site_ids: Collection[str]) -> dict[str, str]:
    """The regions that these sites lie in."""
    return {site: row.region for site, row in _places(conn, site_ids).items()}
