"""Who is responsible: by definition for every small staff; one read for many places."""

from datetime import timedelta
from itertools import product

from ledger_town import AT, MARKET
from notify_parts import alert

from ledger import duties, establishments, officers, regions
from ledger.alert_types import AlertRow
from ledger.duties import LEVELS, TOP, Duty, Staff
from ledger.engine import Engine, writing
from ledger.establishments import Establishment, EstablishmentKind
from ledger.officers import Officer, Role

PATH = ("town", "county", "city")
PLACES = (*PATH, "elsewhere")
HOUR = timedelta(hours=1)
SHOP = "shop"


def _alert(region: str, establishment_id: str | None) -> AlertRow:
    return alert(region=region, establishment_id=establishment_id)


def _officer(name: str, role: Role, region: str, establishment: str | None = None) -> Officer:
    return Officer(name, name, role, region, id=name, establishment_id=establishment)


def _defined(
    people: list[Officer], posts: dict[str, str | None], in_charge: str | None, level: int
) -> tuple[set[str], int, bool]:
    """The definition, another way round: every officer has a rank, and the first rank is asked."""
    ranks: dict[tuple[int, int, int], set[str]] = {}
    for one in people:
        at_level = LEVELS.index(one.role)
        for stage, region in ((0, posts[one.id]), (1, one.region)):
            if region in PATH and at_level >= level:
                ranks.setdefault((at_level, stage, PATH.index(region)), set()).add(one.id)
    own = {in_charge} & {one.id for one in people} if level == 0 else set()
    first = min(ranks, default=(TOP, 1, 0))
    if own and first[:2] != (0, 0):
        return own, 0, False
    if first not in ranks:
        return set(), TOP, True
    return ranks[first] | own, first[0], first[0] != level


def test_every_small_staff_is_asked_as_defined() -> None:
    """Two of the town and one of the county: each posted and on duty anywhere or nowhere."""
    row = _alert("town", SHOP)
    roles = {"a": Role.TOWN, "b": Role.TOWN, "c": Role.COUNTY}
    paths = {"town": PATH}
    seen = 0
    for homes in product(PLACES, repeat=3):
        people = [
            _officer(name, role, home)
            for (name, role), home in zip(roles.items(), homes, strict=True)
        ]
        for posted in product((None, "town", "city", "elsewhere"), repeat=3):
            posts = dict(zip(roles, posted, strict=True))
            roster = [Duty(region, name, AT, AT + HOUR) for name, region in posts.items() if region]
            for in_charge, level in product((None, "a", "c", "gone"), range(TOP + 1)):
                owners = {} if in_charge is None else {SHOP: in_charge}
                found = Staff(paths, people, roster, owners).responsible(row, level, AT)
                names = [one.id for one in found.officers]
                expected = _defined(people, posts, in_charge, level)
                assert (set(names), found.level, found.orphan) == expected
                assert len(names) == len(set(names))
                seen += 1
    assert seen == 4**3 * 4**3 * 12


def test_order_bounds_and_strangers() -> None:
    """A duty counts from its first moment up to its last; the establishment's own officer leads."""
    row = _alert("town", SHOP)
    people = [_officer(name, Role.TOWN, "town") for name in ("z", "a", "m")]
    people.append(_officer("keeper", Role.OPERATOR, "town", SHOP))
    roster = [Duty("town", name, AT, AT + HOUR) for name in ("a", "z", "nobody", "keeper")]
    roster.append(Duty("town", "a", AT - HOUR, AT + 2 * HOUR))
    staff = Staff({"town": PATH}, people, roster, {SHOP: "m"})

    def asked(of: AlertRow, moment: timedelta) -> list[str]:
        return [one.id for one in staff.responsible(of, 0, AT + moment).officers]

    tick = timedelta.resolution
    assert asked(row, timedelta(0)) == ["m", "z", "a"], "in the order in which they were named"
    assert asked(row, HOUR - tick) == ["m", "z", "a"]
    assert asked(row, -tick) == asked(row, HOUR) == ["m", "a"]
    assert asked(row, 2 * HOUR) == ["m"]
    assert asked(_alert("town", None), 2 * HOUR) == ["z", "a", "m"]
    found = staff.responsible(row, 1, AT)
    assert (found.officers, found.level, found.orphan) == ((), TOP, True)
    assert [one.id for one in found.establishment_people] == ["keeper"]
    assert staff.people(None) == ()
    assert asked(_alert("unknown", None), timedelta(0)) == []


def test_one_read_answers_for_many_places_and_moments(town: Engine) -> None:
    """As if each had been asked by itself."""
    with writing(town) as conn:
        regions.add(conn, regions.Region("440705-huicheng", "会城", "Huicheng", "440705"))
        for login, role, region in (
            ("wang", Role.TOWN, "440705-huicheng"),
            ("zhao", Role.COUNTY, "440703"),
            ("chen", Role.CITY, "440700"),
            ("sun", Role.TOWN, "440700"),
        ):
            officers.add(conn, _officer(login, role, region))
        officers.add(conn, _officer("keeper", Role.OPERATOR, "440703-tangxia", MARKET))
        kind = EstablishmentKind.CANTEEN
        establishments.add(
            conn, Establishment("食堂", kind, "440705-huicheng", id="canteen", officer_id="sun")
        )
        duties.add(conn, Duty("440703", "sun", AT, AT + HOUR))
        duties.add(conn, Duty("440705", "wang", AT + HOUR, AT + 3 * HOUR))
        duties.add(conn, Duty("440700", "zhao", AT + HOUR, AT + 2 * HOUR))
        codes = ("440703-tangxia", "440705-huicheng", "440703", "440700", "unknown")
        asked = [
            (_alert(region, own), level, AT + hour * HOUR)
            for region in codes
            for own in (None, MARKET, "canteen", "gone")
            for level in range(TOP + 1)
            for hour in (-1, 0, 1, 2, 3)
        ]
        together = duties.staff(
            conn, regions.paths(conn, codes), (MARKET, "canteen", "gone"), AT - HOUR, AT + 3 * HOUR
        )
        for one in asked:
            assert together.responsible(*one) == duties.responsible(conn, *one)
        answers = {tuple(who.id for who in together.responsible(*one).officers) for one in asked}
        assert len(answers) > 6, "the places and moments make a difference"
