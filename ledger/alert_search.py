"""Alerts by what an officer looks for: one set of conditions for lists, groups, counts and choices.

Repeated alerts of one rule at one site can be read as a group, by its newest one. What is of class
1 is in no group: nothing of it stands behind something else.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    tuple_,
)

from contracts.words import OPEN_STATES, AlertState, Severity
from ledger.alert_types import AlertCount, AlertRow
from ledger.responsibility import Mine
from ledger.schema import alerts, devices, establishments, sites
from ledger.sql import among_these, typed

GroupKey = tuple[str, str]
"""Site and rule."""


class Sought(msgspec.Struct, frozen=True):
    """What is looked for; None and empty: whatever."""

    regions: tuple[str, ...]
    now: datetime
    states: tuple[AlertState, ...] = OPEN_STATES
    severity: Severity | None = None
    establishment_id: str | None = None
    rule: str = ""
    site: str = ""
    site_kind: str = ""
    device: str = ""
    overdue: bool = False
    mine: Mine | None = None
    text: str = ""
    """Part of the establishment's, the site's or the alert's name, in any case."""
    since: datetime | None = None
    until: datetime | None = None
    """Raised from `since` on, and before `until`."""


def conditions(sought: Sought, of: FromClause = alerts) -> list[ColumnElement[bool]]:
    """What must hold of a row of `alerts`, or of an alias of it."""
    t = of.c
    told: list[ColumnElement[bool]] = [
        t.region.in_(sought.regions),
        t.state.in_([state.value for state in sought.states]),
    ]
    for column, value in (
        (t.severity, int(sought.severity) if sought.severity else None),
        (t.establishment_id, sought.establishment_id),
        (t.rule, sought.rule or None),
        (t.site, sought.site or None),
        (t.device, sought.device or None),
    ):
        if value is not None:
            told.append(column == value)
    if sought.site_kind:
        told.append(t.site.in_(select(sites.c.id).where(sites.c.kind == sought.site_kind)))
    if sought.overdue:
        late = or_(t.overdue_since.is_not(None), t.due_at <= sought.now)
        told += [t.paused_since.is_(None), late]
    if sought.mine is not None:
        told.append(sought.mine.concerns(of))
    if sought.text:
        told.append(_named(sought.text, of))
    if sought.since is not None:
        told.append(t.raised_at >= sought.since)
    if sought.until is not None:
        told.append(t.raised_at < sought.until)
    return told


def _named(text: str, of: FromClause) -> ColumnElement[bool]:
    owners = select(establishments.c.id).where(_holds(establishments.c.name, text))
    places = select(sites.c.id).where(_holds(sites.c.name, text))
    return or_(
        _holds(of.c.title_zh, text),
        _holds(of.c.title_en, text),
        of.c.establishment_id.in_(owners),
        of.c.site.in_(places),
    )


def _holds(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether the text stands in the column, in any case; Chinese has none, which costs less."""
    if text.lower() == text.upper():
        return column.contains(text, autoescape=True)
    return column.icontains(text, autoescape=True)


def find(
    conn: Connection,
    sought: Sought,
    limit: int,
    before: str | None = None,
    *,
    grouped: bool = False,
    up_to: int | None = None,
) -> list[AlertRow]:
    """Alerts, newest raised first, after the one of id `before`; `grouped`: of a group the newest.

    `up_to`: only those that were booked by then (number). An unknown `before` has nothing after it.
    """
    query = _heads(sought) if grouped else select(alerts).where(*conditions(sought))
    if up_to is not None:
        query = query.where(alerts.c.number <= up_to)
    place = (alerts.c.raised_at, alerts.c.number)
    if before is not None:
        last = conn.execute(select(*place).where(alerts.c.alert_id == before)).one_or_none()
        if last is None:
            return []
        query = query.where(tuple_(*place) < tuple_(*last))
    return _rows(conn, query.order_by(*(column.desc() for column in place)).limit(limit))


def heads_of(conn: Connection, sought: Sought, keys: Collection[GroupKey]) -> list[AlertRow]:
    """The newest alert of each of these groups that has any."""
    if not keys:
        return []
    grave = alerts.c.severity == int(Severity.AT_ONCE)
    return _rows(conn, _heads(sought).where(_in_groups(keys), ~grave))


def matching(conn: Connection, sought: Sought, alert_ids: Collection[str]) -> list[AlertRow]:
    """Those of these alerts that are looked for."""
    if not alert_ids:
        return []
    query = select(alerts).where(*conditions(sought), among_these(alerts.c.alert_id, alert_ids))
    return _rows(conn, query)


class Size(NamedTuple):
    """How many alerts a group has."""

    total: int
    untaken: int
    """Firing ones among them."""


def sizes(conn: Connection, sought: Sought, keys: Collection[GroupKey]) -> dict[GroupKey, Size]:
    """How many alerts each of these groups has."""
    if not keys:
        return {}
    firing = case((alerts.c.state == AlertState.FIRING.value, 1), else_=0)
    query = (
        select(alerts.c.site, alerts.c.rule, func.count(), func.sum(firing))
        .where(*conditions(sought), _in_groups(keys), alerts.c.severity != int(Severity.AT_ONCE))
        .group_by(alerts.c.site, alerts.c.rule)
    )
    rows = conn.execute(query)
    return {(site, rule): Size(count, untaken) for site, rule, count, untaken in rows}


def counts(conn: Connection, sought: Sought) -> list[AlertCount]:
    """How many by class and state, whatever class and state are looked for."""
    free = msgspec.structs.replace(sought, states=tuple(AlertState), severity=None)
    query = select(alerts.c.severity, alerts.c.state, func.count().label("count"))
    query = query.where(*conditions(free)).group_by(alerts.c.severity, alerts.c.state)
    return [typed(row, AlertCount) for row in conn.execute(query)]


def count(conn: Connection, sought: Sought) -> int:
    """How many are looked for."""
    query = select(func.count()).select_from(alerts).where(*conditions(sought))
    return conn.scalar(query) or 0


def exists_one(conn: Connection, alert_id: str) -> bool:
    """Whether there is an alert of that id."""
    return conn.scalar(select(alerts.c.number).where(alerts.c.alert_id == alert_id)) is not None


def newest_number(conn: Connection) -> int:
    """The number of the alert that was booked last."""
    return conn.scalar(select(func.max(alerts.c.number))) or 0


def by_column(
    conn: Connection, sought: Sought, *names: str, most: int = 200
) -> list[tuple[tuple[str, ...], int]]:
    """How many of what is looked for by the values of some columns, the most frequent first."""
    columns = [alerts.c[name] for name in names]
    query = select(*columns, func.count().label("n")).where(*conditions(sought))
    query = query.group_by(*columns).order_by(func.count().desc(), *columns).limit(most)
    return [(tuple(row[:-1]), row[-1]) for row in conn.execute(query)]


def by_site_kind(conn: Connection, sought: Sought) -> dict[str, int]:
    """How many of what is looked for by the kind of their site."""
    query = (
        select(sites.c.kind, func.count())
        .select_from(alerts.join(sites, sites.c.id == alerts.c.site))
        .where(*conditions(sought))
        .group_by(sites.c.kind)
    )
    return {row[0]: row[1] for row in conn.execute(query)}


def _heads(sought: Sought) -> Select[Any]:
    newer = alerts.alias("newer")
    later = tuple_(newer.c.raised_at, newer.c.number) > tuple_(alerts.c.raised_at, alerts.c.number)
    grave = int(Severity.AT_ONCE)
    behind = exists().where(
        newer.c.site == alerts.c.site,
        newer.c.rule == alerts.c.rule,
        newer.c.severity != grave,
        later,
        *conditions(sought, newer),
    )
    return select(alerts).where(*conditions(sought), or_(alerts.c.severity == grave, ~behind))


def _in_groups(keys: Collection[GroupKey]) -> ColumnElement[bool]:
    by_rule: dict[str, list[str]] = {}
    for site, rule in sorted(keys):
        by_rule.setdefault(rule, []).append(site)
    return or_(
        *(and_(alerts.c.rule == rule, alerts.c.site.in_(here)) for rule, here in by_rule.items())
    )


def _rows(conn: Connection, query: Select[Any]) -> list[AlertRow]:
    return [typed(row, AlertRow) for row in conn.execute(query)]


def group_of(alert: AlertRow) -> GroupKey | None:
    """The group that an alert is in; None for class 1."""
    return None if alert.severity is Severity.AT_ONCE else (alert.site, alert.rule)


def keys_of(rows: Iterable[AlertRow]) -> set[GroupKey]:
    """The groups that these alerts are in."""
    return {key for row in rows if (key := group_of(row)) is not None}


def titles(
    conn: Connection, rules: Sequence[str], sought: Sought | None = None
) -> dict[str, tuple[str, str]]:
    """The Chinese and English title of each rule's newest alert, of all or of what is sought."""
    query = select(alerts.c.rule, alerts.c.title_zh, alerts.c.title_en)
    if len(rules) == 1:
        query = query.where(alerts.c.rule == rules[0]).order_by(alerts.c.number.desc()).limit(1)
    else:
        among = conditions(sought) if sought else ()
        newest = select(func.max(alerts.c.number)).where(alerts.c.rule.in_(rules), *among)
        query = query.where(alerts.c.number.in_(newest.group_by(alerts.c.rule)))
    return {rule: (zh, en) for rule, zh, en in conn.execute(query)}


def device_names(conn: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Names of devices by site and device, with their site's name before it."""
    query = (
        select(devices.c.site, devices.c.device, sites.c.name, devices.c.name)
        .select_from(devices.join(sites, sites.c.id == devices.c.site))
        .where(
            among_these(devices.c.site, {site for site, _ in keys}),
            among_these(devices.c.device, {device for _, device in keys}),
        )
    )
    return {
        (site, device): f"{place} · {name or device}"
        for site, device, place, name in conn.execute(query)
    }


def site_names(conn: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Names of sites by id."""
    query = select(sites.c.id, sites.c.name).where(among_these(sites.c.id, ids))
    return {row[0]: row[1] for row in conn.execute(query)}
