"""How an establishment's quick tests came out: counted by the database, for pages and charts."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, select

from contracts.words import Verdict
from ledger.schema import results


class TestFigures(msgspec.Struct, frozen=True):
    """Quick tests of a time. Only passed and positive or suspect ones are judged."""

    __test__ = False

    total: int
    passed: int
    positive: int
    suspect: int
    invalid: int
    last_at: datetime | None

    @property
    def judged(self) -> int:
        """Those that a rule could judge."""
        return self.passed + self.positive + self.suspect

    @property
    def pass_share(self) -> float | None:
        """Passed among the judged, in percent; None if nothing was judged."""
        return 100.0 * self.passed / self.judged if self.judged else None


def figures(counted: Mapping[Verdict, int], last_at: datetime | None) -> TestFigures:
    """The figures of so many results of each verdict."""
    return TestFigures(
        total=sum(counted.values()),
        passed=counted.get(Verdict.PASS, 0),
        positive=counted.get(Verdict.POSITIVE, 0),
        suspect=counted.get(Verdict.SUSPECT, 0),
        invalid=counted.get(Verdict.INVALID, 0),
        last_at=last_at,
    )


def since(conn: Connection, establishment_id: str, begin: datetime) -> TestFigures:
    """The figures of what was captured from `begin` on."""
    counted = (
        select(results.c.verdict, func.count(), func.max(results.c.captured_at))
        .where(results.c.establishment_id == establishment_id, results.c.captured_at >= begin)
        .group_by(results.c.verdict)
    )
    rows = conn.execute(counted).all()
    return figures(
        {Verdict(verdict): int(count) for verdict, count, _ in rows},
        max((last_at for _, _, last_at in rows), default=None),
    )


def verdicts_since(
    conn: Connection, establishment_id: str, begin: datetime
) -> list[tuple[datetime, Verdict]]:
    """When each result from `begin` on was captured, and how it was judged, by time."""
    found = (
        select(results.c.captured_at, results.c.verdict)
        .where(results.c.establishment_id == establishment_id, results.c.captured_at >= begin)
        .order_by(results.c.captured_at)
    )
    return [(at, Verdict(verdict)) for at, verdict in conn.execute(found)]
