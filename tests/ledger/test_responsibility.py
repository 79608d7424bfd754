"""Mine is `duties.responsible` the other way round: the same answer for every alert and officer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ledger import duties, establishments, migrate, officers, regions, responsibility, schema, sites
from ledger.alert_types import AlertRow
from ledger.duties import Duty
from ledger.engine import Engine, open_engine, writing
from ledger.establishments import Establishment, EstablishmentKind
from ledger.officers import Officer, Role
from ledger.regions import Region
from ledger.schema import alerts
from ledger.sites import Site, SiteKind
from ledger.sql import typed

AT = datetime(2026, 3, 12, 2, 45, tzinfo=UTC)
CODES = ("c", "d1", "d2", "t1", "t2", "t3")
PARENTS = {"d1": "c", "d2": "c", "t1": "d1", "t2": "d1", "t3": "d2"}
ROLES = (Role.TOWN, Role.COUNTY, Role.CITY, Role.AUDITOR)
people = st.lists(
    st.tuples(st.sampled_from(ROLES), st.sampled_from(CODES), st.booleans()), min_size=1, max_size=7
)
rosters = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(CODES), st.sampled_from((-2, 0, 1))), max_size=6
)
places = st.lists(
    st.tuples(st.sampled_from(CODES), st.none() | st.integers(0, 7), st.integers(0, 2)),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def towns() -> Iterator[Engine]:
    """One ledger for every example."""
    engine = open_engine("sqlite://")
    migrate.upgrade(engine)
    with writing(engine) as conn:
        regions.add(conn, *(Region(code, code, code, PARENTS.get(code)) for code in CODES))
    yield engine
    engine.dispose()


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(people, rosters, places)
def test_the_same_answer_as_for_each_alert_alone(
    towns: Engine,
    who: list[tuple[Role, str, bool]],
    on_duty: list[tuple[int, str, int]],
    where: list[tuple[str, int | None, int]],
) -> None:
    with writing(towns) as conn:
        for table in ("alerts", "duties", "sites", "establishments", "officers"):
            conn.execute(schema.metadata.tables[table].delete())
        staff = [
            Officer(f"o{n}", f"o{n}", role, region, id=f"o{n}", active=active)
            for n, (role, region, active) in enumerate(who)
        ]
        for one in staff:
            officers.add(conn, one)
        for n, region, days in on_duty:
            starts = AT + timedelta(days=days, hours=-1)
            duty = Duty(region, staff[n % len(staff)].id, starts, starts + timedelta(hours=2))
            duties.add(conn, duty)
        for n, (region, owner, level) in enumerate(where):
            # Owner 7 is one whom nobody knows.
            named = "o7" if owner == 7 else owner if owner is None else f"o{owner % len(staff)}"
            place = Establishment(
                f"e{n}", EstablishmentKind.CANTEEN, region, id=f"e{n}", officer_id=named
            )
            establishments.add(conn, place)
            owned = f"e{n}" if n % 3 else None
            sites.add(conn, Site(f"s{n}", region, f"s{n}", SiteKind.CANTEEN, owned))
            conn.execute(alerts.insert(), _row(n, region, level, owned))
        rows = [typed(row, AlertRow) for row in conn.execute(select(alerts))]
        for one in staff:
            if not one.active:
                continue  # nobody signs in as them
            mine = responsibility.mine(conn, one, CODES, AT)
            found = set(conn.scalars(select(alerts.c.alert_id).where(mine.concerns(alerts))))
            asked = {
                row.alert_id
                for row in rows
                if one.id in {x.id for x in duties.responsible(conn, row, row.level, AT).officers}
            }
            assert found == asked, one


def _row(n: int, region: str, level: int, establishment: str | None) -> dict[str, object]:
    return {
        "alert_id": f"a{n}", "fingerprint": f"f{n}", "rule": "r", "rule_version": "1",
        "severity": 2, "state": "firing", "title_zh": "", "title_en": "", "summary_zh": "",
        "summary_en": "", "region": region, "site": f"s{n}", "device": "d",
        "establishment_id": establishment, "raised_at": AT, "changed_at": AT, "close_note": "",
        "count": 1, "last_event_at": AT, "facts": {}, "evidence": [], "level": level,
    }  # fmt: skip
