"""The made-up district's places and people: towns, officers, establishments, sites, devices."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.identifiers import credit_code_check
from contracts.topics import Identity
from ledger.bulk import pour, to_json
from ledger.engine import Connection
from ledger.region_files import read_regions
from ledger.regions import Region
from ledger.regions import add as add_regions

CITY = "440700"
TOWNS_EACH = 8
_TOWN_NAMES = ("东升", "南华", "西江", "北新", "白沙", "江会", "古井", "沙坪", "石冲", "龙溪")
_SHOPS = (
    "兴盛",
    "惠民",
    "康乐",
    "永安",
    "金瓯",
    "新城",
    "桥头",
    "江畔",
    "侨乡",
    "丰收",
    "育才",
    "绿洲",
)
_KINDS: dict[str, tuple[str, ...]] = {
    "market": ("农贸市场", "综合市场", "肉菜市场"),
    "canteen": ("中学食堂", "小学食堂", "幼儿园食堂", "人民医院职工食堂", "敬老院食堂"),
    "supermarket": ("生活超市", "生鲜超市", "连锁超市分店"),
    "van": ("流动快检车",),
}
_SHARES = ("canteen",) * 11 + ("market",) * 4 + ("supermarket",) * 4 + ("van",)
_SITE_KINDS = {"canteen": "canteen", "van": "quick_test_van"}
_ROOMS = {"market": "快检室", "canteen": "后厨", "supermarket": "快检室", "van": "车载快检台"}
_FAMILIES, _GIVEN = (
    "陈李黄梁林何区谭伍冯",
    ("嘉敏", "志强", "少芳", "健华", "伟明", "慧仪", "国权", "晓彤"),
)
_GRADES = ("A", "A", "B", "B", "B", "C", "D", "")
LONG = "第二分部·由侨乡惠民餐饮管理服务有限公司承包经营·含教职工及临时就餐点"
"""What some businesses add to their names: a page must bear it."""


@dataclass(frozen=True, slots=True)
class Place:
    """An establishment with its one site and the devices that test or watch there."""

    establishment_id: str
    kind: str
    region: str
    site: str
    name: str
    officer: str
    devices: tuple[tuple[str, str, str], ...]
    """Id, kind and name."""

    def who(self, kind: str, dice: random.Random, where: str = "") -> Identity | None:
        """One of its devices of that kind whose id begins with `where`."""
        found = [one for one, of, _ in self.devices if of == kind and one.startswith(where)]
        return Identity(self.region, self.site, dice.choice(found)) if found else None


@dataclass(frozen=True, slots=True)
class People:
    """Who answers for what: officer ids by region."""

    city: str
    county: dict[str, str]
    town: dict[str, str]

    def over(self, region: str) -> tuple[str, str]:
        """The officer of a town and the one of its district."""
        return self.town[region], self.county[region.partition("-")[0]]


def district_regions(file: Path) -> list[Region]:
    """The reference city with so many towns in each district that it has TOWNS_EACH."""
    known = read_regions(file)
    for district in [one for one in known if one.parent == CITY]:
        own = sum(one.parent == district.code for one in known)
        known += [
            Region(f"{district.code}-t{n}", f"{name}镇", f"Town {n}", district.code, "made up")
            for n, name in enumerate(_TOWN_NAMES[: max(0, TOWNS_EACH - own)], 1)
        ]
    return known


def put_people(conn: Connection, regions: Sequence[Region], hashed: str) -> People:
    """Write the regions, and an officer for each; logins: city, auditor, c440703, the towns'."""
    add_regions(conn, *regions)
    dice = random.Random(7)
    rows: list[tuple[Any, ...]] = []

    def officer(login: str, role: str, region: str) -> str:
        name = dice.choice(_FAMILIES) + dice.choice(_GIVEN)
        rows.append((f"officer-{login}", login, name, hashed, role, region, True))
        return f"officer-{login}"

    city = officer("city", "city", CITY)
    officer("auditor", "auditor", CITY)
    officer("admin", "admin", CITY)
    county = {
        one.code: officer(f"c{one.code}", "county", one.code)
        for one in regions
        if one.parent == CITY
    }
    town = {
        one.code: officer(one.code, "town", one.code) for one in regions if one.parent in county
    }
    columns = ("id", "login", "name", "password_hash", "role", "region", "active")
    pour(conn, "officers", columns, rows)
    return People(city, county, town)


def put_operator(conn: Connection, place: Place, hashed: str) -> None:
    """Somebody of one establishment's own: login "operator"."""
    columns = (
        "id",
        "login",
        "name",
        "password_hash",
        "role",
        "region",
        "active",
        "establishment_id",
    )
    row = (
        "officer-operator",
        "operator",
        "周伟强",
        hashed,
        "operator",
        place.region,
        True,
        place.establishment_id,
    )
    pour(conn, "officers", columns, [row])


def put_places(conn: Connection, count: int, people: People, now: datetime) -> list[Place]:
    """Write so many establishments over all towns, each with a site and its devices."""
    dice = random.Random(11)
    towns = sorted(people.town)
    made, establishments, sites, devices = [], [], [], []
    for number in range(count):
        place = _place(number, towns[number % len(towns)], people, dice)
        made.append(place)
        establishments.append(_establishment(number, place, dice))
        site_name = place.name if place.kind == "van" else place.name[:24] + _ROOMS[place.kind]
        sites.append(
            (place.site, place.region, place.establishment_id, site_name,
             _SITE_KINDS.get(place.kind, "testing_room"), place.kind == "market")
        )  # fmt: skip
        devices += [_device(place, one, now, dice) for one in place.devices]
    columns = (
        "id",
        "name",
        "kind",
        "credit_code",
        "licence_number",
        "region",
        "address",
        "officer_id",
        "public_code",
        "risk_grade",
    )
    pour(conn, "establishments", columns, establishments)
    pour(conn, "sites", ("id", "region", "establishment_id", "name", "kind", "self_test"), sites)
    pour(conn, "devices", _DEVICE_COLUMNS, devices)
    told = sorted(row for place in made for row in _words_of_cameras(place, now, dice))
    pour(conn, "journal", ("at", "kind", "region", "site", "ref", "body"), told)
    taken_in = [_taken_in(place, number) for number, place in enumerate(made)]
    pour(conn, "intake", ("site", "agent", "epoch", "region", "ranges"), taken_in)
    return made


def _place(number: int, town: str, people: People, dice: random.Random) -> Place:
    kind = dice.choice(_SHARES)
    name = f"{dice.choice(_TOWN_NAMES)}{dice.choice(_SHOPS)}{dice.choice(_KINDS[kind])}"
    if kind == "van" or number % 5 == 0:
        name += f" {number % 97 + 1} 号"
    if number % 37 == 5:
        name += f"（{LONG}）"
    found: list[tuple[str, str, str]] = [("agent", "agent", "边缘网关")]
    if kind == "canteen":
        found += [("cold-1", "probe", "冷藏库 1"), ("freezer-1", "probe", "冷冻库")]
        found += [("cam-1", "camera", "切配间摄像头"), ("cam-2", "camera", "备餐专间摄像头")]
    else:
        found.append(("lz4000t", "pesticide_reader", "农残速测仪"))
    if kind == "market":
        found.append(("reader-1", "analyzer", "胶体金读数仪"))
    if kind == "supermarket":
        found.append(("cold-1", "probe", "生鲜冷柜"))
    officer = people.town[town] if number % 43 else ""
    return Place(f"e{number:05d}", kind, town, f"site-{number:05d}", name, officer, tuple(found))


def _establishment(number: int, place: Place, dice: random.Random) -> tuple[Any, ...]:
    body = f"92440703MA4{number:06d}"
    road = f"{dice.choice(_TOWN_NAMES)}大道{dice.choice('东西中')} {number % 300 + 1} 号"
    return (
        place.establishment_id, place.name, place.kind, body + credit_code_check(body),
        f"JY24407{number:09d}", place.region,
        f"江门市{road}", place.officer or None, f"public-{number:05d}", dice.choice(_GRADES),
    )  # fmt: skip


def _words_of_cameras(place: Place, now: datetime, dice: random.Random) -> list[tuple[Any, ...]]:
    """What cameras said of their state lately: online, and some of them away for some hours."""
    rows = []
    for device, kind, _ in place.devices:
        if kind != "camera":
            continue
        who = Identity(place.region, place.site, device)
        changes = [(now - timedelta(days=60), "online")]
        for _ in range(dice.choice((0, 0, 1, 4))):
            away = now - timedelta(hours=dice.uniform(30, 24 * 29))
            changes.append((away, "offline"))
            changes.append((away + timedelta(hours=dice.uniform(0.3, 9)), "online"))
        for at, state in changes:
            body = to_json({"device": device, "state": state, "detail": ""})
            rows.append((at, "device", who.region, who.site, who.source, body))
    return rows


_DEVICE_COLUMNS = (
    *("site", "device", "region", "kind", "name", "model", "registered_at", "silent_after_s"),
    *(
        "state",
        "state_detail",
        "state_at",
        "status_received_at",
        "last_seen_at",
        "software",
        "epoch",
    ),
    *("oldest_unsent_age_s", "backlog", "outbox_bytes", "thinned", "discarded_bytes"),
    *("clock_offset_s", "figures", "waiting_since", "lowest_unreceipted", "numbering"),
)
GIVEN = 40_000
"""So many numbers each agent has given."""
_MODELS = {
    "agent": "边缘网关",
    "pesticide_reader": "LZ-4000T",
    "analyzer": "LIS2-A2",
    "probe": "XY-MD02",
    "camera": "RTSP",
}


def _device(
    place: Place, one: tuple[str, str, str], now: datetime, dice: random.Random
) -> tuple[Any, ...]:
    device, kind, name = one
    turn = dice.random()
    state, detail = "online", ""
    if turn > 0.98:
        state, detail = "offline", "设备没有应答 / no answer"
    elif turn > 0.965:
        state, detail = "degraded", "三次读数失败 / three reads failed"
    elif turn > 0.96:
        state = "unknown"
    ago_s = dice.uniform(1, 40) if state in ("online", "degraded") else dice.uniform(3600, 200_000)
    heard_at = None if state == "unknown" else now - timedelta(seconds=ago_s)
    agent = kind == "agent"
    backlog = dice.randrange(1, 4000) if agent and turn < 0.02 else 0
    waiting = now - timedelta(seconds=dice.uniform(100, 20_000)) if backlog else None
    return (
        place.site, device, place.region, kind, name, _MODELS[kind],
        now - timedelta(days=dice.randrange(30, 700)),
        None if kind == "pesticide_reader" else 86_400.0,
        state, detail, heard_at, heard_at if agent else None, heard_at,
        "foodsentry 0.1.0" if agent else "", "e1" if agent else "",
        (now - waiting).total_seconds() if waiting else 0.0, backlog, backlog * 300, 0, 0,
        round(dice.gauss(0, 0.4), 2) if agent else None, to_json({}), waiting,
        GIVEN + 1 - backlog if agent else None, to_json(_numbering(now) if agent else []),
    )  # fmt: skip


def _numbering(now: datetime) -> list[dict[str, Any]]:
    begun_at = (now - timedelta(days=60)).isoformat()
    return [{"epoch": "e1", "begun_at": begun_at, "given": GIVEN, "thinned": 0}]


def _taken_in(place: Place, number: int) -> tuple[Any, ...]:
    """What was taken in of its agent's numbers; of a few, something is lost."""
    whole = [[1, GIVEN]] if number % 211 else [[1, 17_300], [17_312, GIVEN]]
    return (place.site, "agent", "e1", place.region, to_json(whole))
