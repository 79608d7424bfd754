"""What the desk can be narrowed to, each with its count, and the chips of what it is."""

from collections import Counter
from datetime import datetime, timedelta

import msgspec

from ledger import alert_search, regions
from ledger.alert_search import Sought
from ledger.engine import Connection
from ledger.regions import Region
from server.access import Scope
from server.desk_filter import DeskFilter
from server.formats import general, local
from server.languages import Words

MOST_DEVICES = 40
MOST_RULES = 80


class Choice(msgspec.Struct, frozen=True):
    """One value that a filter can take."""

    value: str
    zh: str
    en: str
    count: int
    depth: int = 0
    """Of a region: how far below the officer's own."""


class Choices(msgspec.Struct, frozen=True):
    """The values that each filter can take, given the others."""

    regions: list[Choice]
    rules: list[Choice]
    kinds: dict[str, int]
    devices: list[Choice]
    overdue: int
    mine: int
    days: list[tuple[str, str]]
    """Name of a span and the day that it begins on."""


class Chip(msgspec.Struct, frozen=True):
    """A part of the filter that can be taken out."""

    name: str
    zh: str
    en: str


def read_choices(
    conn: Connection, scope: Scope, sought: Sought, mine: Sought, now: datetime
) -> Choices:
    """Count them; `mine` is what is sought, of what the officer is responsible for."""

    def without(**free: object) -> Sought:
        return msgspec.structs.replace(sought, **free)

    here = dict(
        alert_search.by_column(conn, without(regions=tuple(scope.listed)), "region", most=5000)
    )
    rules = alert_search.by_column(conn, without(rule=""), "rule", most=MOST_RULES)
    devices = alert_search.by_column(
        conn, without(device="", site=""), "site", "device", most=MOST_DEVICES
    )
    return Choices(
        regions=_tree(regions.all_regions(conn), scope, {key[0]: n for key, n in here.items()}),
        rules=_rules(conn, without(rule=""), [(key[0], n) for key, n in rules]),
        kinds=alert_search.by_site_kind(conn, without(site_kind="")),
        devices=_devices(conn, [((key[0], key[1]), n) for key, n in devices]),
        overdue=alert_search.count(conn, without(overdue=True)),
        mine=alert_search.count(conn, mine),
        days=[
            (name, (local(now).date() - timedelta(days=back)).isoformat())
            for name, back in (("today", 0), ("week", 6), ("month", 29))
        ],
    )


def _tree(known: list[Region], scope: Scope, here: dict[str, int]) -> list[Choice]:
    """The regions of the scope that have any, in the tree's order, each with all below it."""
    by_code = {region.code: region for region in known}
    total: Counter[str] = Counter()
    for code, count in here.items():
        at: str | None = code
        while at is not None and at in scope.regions:
            total[at] += count
            at = by_code[at].parent if at in by_code else None
    made: list[Choice] = []

    def walk(parent: str | None, depth: int) -> None:
        for region in known:
            top = depth == 0 and region.code in scope.regions and region.parent not in scope.regions
            if (top if parent is None else region.parent == parent) and total[region.code]:
                zh, en = region.name_zh, region.name_en
                made.append(Choice(region.code, zh, en, total[region.code], depth))
                walk(region.code, depth + 1)

    walk(None, 0)
    return made


def _rules(conn: Connection, sought: Sought, found: list[tuple[str, int]]) -> list[Choice]:
    """Rules by the title of their newest alert here, up to what tells one alert from another."""
    titles = alert_search.titles(conn, [rule for rule, _ in found], sought)
    return [
        Choice(rule, general(zh), general(en), count)
        for rule, count in found
        for zh, en in [titles.get(rule, (rule, rule))]
    ]


def _devices(conn: Connection, found: list[tuple[tuple[str, str], int]]) -> list[Choice]:
    names = alert_search.device_names(conn, [key for key, _ in found])
    return [
        Choice(f"{site}/{device}", name, name, count)
        for (site, device), count in found
        for name in [names.get((site, device), device)]
    ]


def chips_of(conn: Connection, wanted: DeskFilter, words: Words) -> list[Chip]:
    """The chips of what the desk is narrowed to, in words."""
    made = []
    for name, value in wanted.narrowed.items():
        zh = en = value
        if name == "region":
            region = regions.get(conn, value)
            zh, en = (region.name_zh, region.name_en) if region else (value, value)
        elif name == "rule":
            zh, en = map(general, alert_search.titles(conn, [value]).get(value, (value, value)))
        elif name == "kind":
            zh = en = words(f"site.{value}")
        elif name == "device":
            site, _, device = value.partition("/")
            zh = en = alert_search.device_names(conn, [(site, device)]).get((site, device), device)
        elif name == "site":
            zh = en = alert_search.site_names(conn, [value]).get(value, value)
        elif name in ("overdue", "mine"):
            zh = en = ""
        made.append(Chip(name, zh, en))
    return made
