"""Scorecards: what the alerts of a rule were worth, at a site, by a model, over a period.

Precision is right ÷ (right + wrong) of the verdicts that stand. What cannot be told, and what is
no false alarm of the rule (an exercise), is counted beside and changes no share.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, select

from contracts.words import AlertVerdict, Severity
from ledger import alert_times
from ledger.alert_times import Spread, spread
from ledger.alerts import AlertRow
from ledger.devices import DeviceKind
from ledger.precision import Precision, precision
from ledger.schema import alert_verdicts, alerts, devices, observations
from ledger.sql import among, typed

NO_MODEL = ""
DAY_S = 86_400.0


class Judged(msgspec.Struct, frozen=True):
    """An alert with what was said of it."""

    alert_id: str
    rule: str
    severity: Severity
    region: str
    site: str
    device: str
    zone: str
    model: str
    """Names and versions of the models that saw it; empty if no camera did."""
    raised_at: datetime
    verdict: AlertVerdict | None
    cause: str
    counts: bool
    judged_at: datetime | None = None
    title_zh: str = ""
    title_en: str = ""


class Key(msgspec.Struct, frozen=True):
    """What a card is about; an empty part means all of them."""

    rule: str
    site: str = ""
    model: str = NO_MODEL


class Card(msgspec.Struct, frozen=True):
    """What a rule's alerts were worth."""

    key: Key
    severity: Severity
    """The gravest class among its alerts."""
    title_zh: str
    """Its last alert's title."""
    title_en: str
    raised: int
    true: int
    false: int
    unsure: int
    left_out: int
    """Called wrong, but no false alarm of the rule."""
    causes: Mapping[str, int]
    """False ones by cause."""
    camera_days: float | None
    """Days that the cameras of these sites were registered; None where no camera is in it."""
    acknowledge: Spread

    @property
    def judged(self) -> int:
        """How many have a verdict of any kind."""
        return self.true + self.false + self.unsure + self.left_out

    @property
    def precision(self) -> Precision | None:
        """Right ones among right and wrong."""
        return precision(self.true, self.true + self.false)

    @property
    def false_per_camera_day(self) -> float | None:
        """False alarms a day and camera."""
        return self.false / self.camera_days if self.camera_days else None


Scope = Sequence[str]
"""Regions."""


def read_judged(
    conn: Connection,
    regions: Scope,
    since: datetime,
    until: datetime,
    *,
    establishment_id: str | None = None,
    rule: str = "",
    site: str = "",
    judged_only: bool = False,
) -> list[Judged]:
    """Alerts raised from `since` on and before `until`, each with its standing verdict, if any."""
    wanted = _wanted(regions, since, until, establishment_id, rule, site)
    columns = (
        alerts.c.alert_id, alerts.c.rule, alerts.c.severity, alerts.c.region, alerts.c.site,
        alerts.c.device, alerts.c.raised_at, alerts.c.facts, observations.c.models,
        alert_verdicts.c.verdict, alert_verdicts.c.cause, alert_verdicts.c.counts,
        alert_verdicts.c.at, alerts.c.title_zh, alerts.c.title_en,
    )  # fmt: skip
    if judged_only:
        wanted.append(alert_verdicts.c.verdict.is_not(None))
    rows = conn.execute(_joined(select(*columns)).where(*wanted))
    return [
        Judged(
            alert_id=row.alert_id,
            rule=row.rule,
            severity=Severity(row.severity),
            region=row.region,
            site=row.site,
            device=row.device,
            zone=str(row.facts.get("zone") or ""),
            model=_model(row.models),
            raised_at=row.raised_at,
            verdict=AlertVerdict(row.verdict) if row.verdict else None,
            cause=row.cause or "",
            counts=row.counts is not False,
            judged_at=row.at,
            title_zh=row.title_zh,
            title_en=row.title_en,
        )
        for row in rows
    ]


def cards(
    conn: Connection,
    regions: Scope,
    since: datetime,
    until: datetime,
    *,
    establishment_id: str | None = None,
    rule: str = "",
    split: bool = True,
) -> list[Card]:
    """The cards of a period, most false alarms first.

    With `split` one for each rule, site and model; without, one for each rule.
    """
    found = read_judged(conn, regions, since, until, establishment_id=establishment_id, rule=rule)
    times = {
        one.alert_id: one.acknowledge_s
        for one in alert_times.read(conn, regions, since, until, establishment_id=establishment_id)
    }
    watched = _camera_days(conn, {one.site for one in found if one.model}, since, until)

    def key(one: Judged) -> Key:
        return Key(one.rule, one.site, one.model) if split else Key(one.rule)

    made = [_card(which, group, times, watched) for which, group in _groups(found, key).items()]
    return sorted(made, key=lambda one: (-one.false, -one.raised, one.key.rule, one.key.site))


def behind(
    conn: Connection,
    regions: Scope,
    since: datetime,
    until: datetime,
    key: Key,
    *,
    model: bool = False,
    said: str = "",
    establishment_id: str | None = None,
) -> list[AlertRow]:
    """The alerts that a card's number counts, newest first.

    `said`: ``true``, ``false``, ``unsure``, ``left_out``, ``judged`` or empty (raised); `model`:
    only those of the key's model.
    """
    found = read_judged(
        conn, regions, since, until,
        establishment_id=establishment_id, rule=key.rule, site=key.site,
    )  # fmt: skip
    wanted = [
        one.alert_id
        for one in found
        if (not model or one.model == key.model)
        and (said in ("", said_of(one)) or (said == "judged" and one.verdict is not None))
    ]
    rows = conn.execute(select(alerts).where(among(conn, alerts.c.alert_id, wanted)))
    made = [typed(row, AlertRow) for row in rows]
    return sorted(made, key=lambda one: (one.raised_at, one.number), reverse=True)


def rules_in(conn: Connection, regions: Scope) -> list[str]:
    """The rules that ever raised an alert in these regions."""
    found = select(alerts.c.rule).where(alerts.c.region.in_(regions)).distinct()
    return sorted(conn.scalars(found))


def said_of(one: Judged) -> str:
    """Which of a card's numbers an alert is counted in besides `raised`; empty: none yet."""
    if one.verdict is None:
        return ""
    return one.verdict.value if one.counts else "left_out"


def tally(found: Iterable[Judged]) -> tuple[int, int]:
    """How many were right, and how many wrong."""
    said = [said_of(one) for one in found]
    return said.count(AlertVerdict.TRUE.value), said.count(AlertVerdict.FALSE.value)


def _wanted(
    regions: Scope,
    since: datetime,
    until: datetime,
    establishment_id: str | None,
    rule: str,
    site: str,
) -> list[ColumnElement[bool]]:
    wanted = [
        alerts.c.region.in_(regions),
        alerts.c.raised_at >= since,
        alerts.c.raised_at < until,
    ]
    if establishment_id is not None:
        wanted.append(alerts.c.establishment_id == establishment_id)
    if rule:
        wanted.append(alerts.c.rule == rule)
    if site:
        wanted.append(alerts.c.site == site)
    return wanted


def _joined(query: Select[Any]) -> Select[Any]:
    seen = and_(
        observations.c.site == alerts.c.site,
        observations.c.device == alerts.c.device,
        observations.c.observation_id == alerts.c.observation_id,
    )
    said = and_(
        alert_verdicts.c.alert_id == alerts.c.alert_id, alert_verdicts.c.superseded_at.is_(None)
    )
    whole = alerts.outerjoin(observations, seen).outerjoin(alert_verdicts, said)
    return query.select_from(whole)


def _model(models: Sequence[Mapping[str, Any]] | None) -> str:
    return " + ".join(f"{one['id']} {one['version']}" for one in models or ())


def _groups(found: Iterable[Judged], key: Callable[[Judged], Key]) -> dict[Key, list[Judged]]:
    groups: dict[Key, list[Judged]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return groups


def _card(
    key: Key,
    group: Sequence[Judged],
    times: Mapping[str, float | None],
    watched: Mapping[str, float],
) -> Card:
    said = [said_of(one) for one in group]
    causes: dict[str, int] = {}
    for one in group:
        if said_of(one) == AlertVerdict.FALSE.value:
            causes[one.cause] = causes.get(one.cause, 0) + 1
    sites = {one.site for one in group if one.model}
    last = max(group, key=lambda one: (one.raised_at, one.alert_id))
    return Card(
        key=key,
        severity=min(one.severity for one in group),
        title_zh=last.title_zh,
        title_en=last.title_en,
        raised=len(group),
        true=said.count("true"),
        false=said.count("false"),
        unsure=said.count("unsure"),
        left_out=said.count("left_out"),
        causes=dict(sorted(causes.items(), key=lambda item: (-item[1], item[0]))),
        camera_days=sum(watched.get(site, 0.0) for site in sites) if sites else None,
        acknowledge=spread(times.get(one.alert_id) for one in group),
    )


def _camera_days(
    conn: Connection, sites: Iterable[str], since: datetime, until: datetime
) -> dict[str, float]:
    """Days between `since` and `until` that each site's cameras were registered."""
    found = select(devices.c.site, devices.c.registered_at).where(
        among(conn, devices.c.site, sites), devices.c.kind == DeviceKind.CAMERA.value
    )
    days: dict[str, float] = {}
    for site, registered_at in conn.execute(found):
        lasted_s = (until - max(since, registered_at)).total_seconds()
        days[site] = days.get(site, 0.0) + max(0.0, lasted_s) / DAY_S
    return days
