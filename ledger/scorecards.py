"""Scorecards: what the alerts of a rule were worth, at a site, by a model, over a period.

Precision is right ÷ (right + wrong) of the verdicts that stand. What cannot be told, and what is
no false alarm of the rule (an exercise), is counted beside and changes no share.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Text,
    and_,
    cast,
    func,
    select,
)

from contracts.words import AlertVerdict, Severity
from ledger import alert_times
from ledger.alert_times import Spread, spread
from ledger.alerts import AlertRow
from ledger.devices import DeviceKind
from ledger.precision import Precision, precision
from ledger.schema import alert_verdicts, alerts, devices, observations
from ledger.sql import among, chunks, typed

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
        alerts.c.device, alerts.c.raised_at, alerts.c.facts, _MODELS,
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
    wanted = _wanted(regions, since, until, establishment_id, rule, "")
    groups: dict[Key, _Sums] = {}
    for row in conn.execute(_counted(wanted)):
        key = Key(row.rule, row.site, _model(row.models)) if split else Key(row.rule)
        groups.setdefault(key, _Sums()).add(row, _model(row.models))
    for row in conn.execute(_acknowledged(conn, wanted)):
        key = Key(row.rule, row.site, _model(row.models)) if split else Key(row.rule)
        groups[key].waits.append(max(0.0, row.taken - row.told))
    titles = _titles(conn, (one.last for one in groups.values()))
    seen = {site for one in groups.values() for site in one.sites}
    watched = _camera_days(conn, seen, since, until)
    made = [one.card(key, titles[one.last], watched) for key, one in groups.items()]
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
    return said_as(one.verdict, one.counts)


def said_as(verdict: str | None, counts: bool | None) -> str:
    """The same of a verdict as it is stored."""
    if verdict is None:
        return ""
    return str(verdict) if counts is not False else "left_out"


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
    said = and_(
        alert_verdicts.c.alert_id == alerts.c.alert_id, alert_verdicts.c.superseded_at.is_(None)
    )
    return query.select_from(_with_models().outerjoin(alert_verdicts, said))


def _with_models() -> FromClause:
    seen = and_(
        observations.c.site == alerts.c.site,
        observations.c.device == alerts.c.device,
        observations.c.observation_id == alerts.c.observation_id,
    )
    return alerts.outerjoin(observations, seen)


_MODELS = cast(observations.c.models, Text).label("models")
"""As text: there are few different ones, and each is read once."""


def _counted(wanted: Sequence[ColumnElement[bool]]) -> Select[Any]:
    said = (alert_verdicts.c.verdict, alert_verdicts.c.cause, alert_verdicts.c.counts)
    by = (alerts.c.rule, alerts.c.site, _MODELS, *said)
    figures = (
        func.count().label("count"),
        func.min(alerts.c.severity).label("severity"),
        func.max(alerts.c.number).label("last"),
    )
    return _joined(select(*by, *figures)).where(*wanted).group_by(*by)


def _acknowledged(conn: Connection, wanted: Sequence[ColumnElement[bool]]) -> Select[Any]:
    first = alert_times.firsts(wanted)
    told = alert_times.epoch(conn, first.c.told).label("told")
    taken = alert_times.epoch(conn, first.c.acknowledged).label("taken")
    whole = _with_models().join(first, first.c.alert_id == alerts.c.alert_id)
    return (
        select(alerts.c.rule, alerts.c.site, _MODELS, told, taken)
        .select_from(whole)
        .where(first.c.told.is_not(None), first.c.acknowledged.is_not(None))
    )


def _titles(conn: Connection, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    columns = (alerts.c.number, alerts.c.title_zh, alerts.c.title_en)
    for some in chunks(numbers, 500):
        for number, zh, en in conn.execute(select(*columns).where(alerts.c.number.in_(some))):
            found[number] = (zh, en)
    return found


@lru_cache(maxsize=1024)
def _model(models: str | None) -> str:
    listed = msgspec.json.decode(models) if models else ()
    return " + ".join(f"{one['id']} {one['version']}" for one in listed or ())


class _Sums:
    """What is added up for one card."""

    def __init__(self) -> None:
        self.raised = 0
        self.said = dict.fromkeys(("true", "false", "unsure", "left_out", ""), 0)
        self.causes: dict[str, int] = {}
        self.severity = Severity.GUIDANCE
        self.last = 0
        self.sites: set[str] = set()
        self.waits: list[float] = []

    def add(self, row: Any, model: str) -> None:
        """Add alerts of one site, model and verdict."""
        said = said_as(row.verdict, row.counts)
        self.raised += row.count
        self.said[said] += row.count
        if said == AlertVerdict.FALSE.value:
            self.causes[row.cause] = self.causes.get(row.cause, 0) + row.count
        self.severity = min(self.severity, Severity(row.severity))
        self.last = max(self.last, row.last)
        if model:
            self.sites.add(row.site)

    def card(self, key: Key, title: tuple[str, str], watched: Mapping[str, float]) -> Card:
        """The card."""
        return Card(
            key=key,
            severity=self.severity,
            title_zh=title[0],
            title_en=title[1],
            raised=self.raised,
            true=self.said["true"],
            false=self.said["false"],
            unsure=self.said["unsure"],
            left_out=self.said["left_out"],
            causes=dict(sorted(self.causes.items(), key=lambda item: (-item[1], item[0]))),
            camera_days=sum(watched.get(site, 0.0) for site in self.sites) if self.sites else None,
            acknowledge=spread(self.waits),
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
