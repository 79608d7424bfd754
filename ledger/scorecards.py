"""Scorecards: what the alerts of a rule were worth, at a site, by a model, over a period.

Precision is right ÷ (right + wrong) of the verdicts that stand. What cannot be told, and what is
no false alarm of the rule (an exercise), is counted beside and changes no share.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)

from contracts.words import AlertVerdict, Severity
from ledger import alert_times, device_gaps
from ledger.alert_counts import rules_in
from ledger.alert_times import Spread, spread
from ledger.alerts import AlertRow
from ledger.columns import Json
from ledger.devices import DeviceKind
from ledger.judged import (
    MODELS,
    Judged,
    alerts_of,
    is_seen,
    joined,
    judged_alerts,
    model_name,
    read_judged,
    said_as,
    said_of,
    tally,
    with_models,
)
from ledger.precision import Precision, precision
from ledger.schema import alert_verdicts, alerts, devices, observations
from ledger.sql import among, chunks, typed

__all__ = [
    "Card",
    "Judged",
    "Key",
    "behind",
    "cards",
    "read_judged",
    "rules_in",
    "said_of",
    "tally",
]
NO_MODEL = ""
DAY_S = 86_400.0
Wanted = Sequence[ColumnElement[bool]]
_SAID = (alert_verdicts.c.verdict, alert_verdicts.c.cause, alert_verdicts.c.counts)
_FIGURES = (
    func.count().label("count"),
    func.min(alerts.c.severity).label("severity"),
    func.max(alerts.c.number).label("last"),
)
_HAS_MODELS = observations.c.models != literal([], Json)


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


def cards(
    conn: Connection,
    regions: Sequence[str],
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
    where = alerts_of(regions, since, until, establishment_id, rule)
    sums = _by_model(conn, where, since, until) if split else _by_rule(conn, where, since, until)
    titles = _titles(conn, (one.last for one in sums.values()))
    made = [one.card(key, titles[one.last]) for key, one in sums.items()]
    return sorted(made, key=lambda one: (-one.false, -one.raised, one.key.rule, one.key.site))


def behind(
    conn: Connection,
    regions: Sequence[str],
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
    listed = select(alerts).where(among(alerts.c.alert_id, "alert_ids"))
    rows = conn.execute(listed, {"alert_ids": wanted})
    made = [typed(row, AlertRow) for row in rows]
    return sorted(made, key=lambda one: (one.raised_at, one.number), reverse=True)


def _by_rule(
    conn: Connection, wanted: Wanted, since: datetime, until: datetime
) -> dict[Key, "_Sums"]:
    """Added up by the database: of a city's thousands of sites only the sums are read."""
    groups: dict[Key, _Sums] = {}
    by = (alerts.c.rule, *_SAID)
    counted = judged_alerts(select(*by, *_FIGURES)).where(*wanted).group_by(*by)
    for row in conn.execute(counted):
        groups.setdefault(Key(row.rule), _Sums()).add(row)
    first = alert_times.firsts(wanted, alerts.c.rule)
    for rule, told, taken in conn.execute(_waits(conn, first, first.c.rule)):
        groups[Key(rule)].waits.append(max(0.0, taken - told))
    watched = _camera_days(conn, since, until)
    seen = select(alerts.c.rule, alerts.c.site).select_from(with_models())
    for rule, site in conn.execute(seen.where(*wanted, _HAS_MODELS).distinct()):
        one = groups[Key(rule)]
        one.camera_days = (one.camera_days or 0.0) + watched.get(site, 0.0)
    return groups


def _by_model(
    conn: Connection, wanted: Wanted, since: datetime, until: datetime
) -> dict[Key, "_Sums"]:
    """Added up for each rule, site and model."""
    groups: dict[Key, _Sums] = {}
    by = (alerts.c.rule, alerts.c.site, MODELS, *_SAID)
    for row in conn.execute(joined(select(*by, *_FIGURES)).where(*wanted).group_by(*by)):
        key = Key(row.rule, row.site, model_name(row.models))
        groups.setdefault(key, _Sums()).add(row)
    own = alerts.c
    first = alert_times.firsts(wanted, own.rule, own.site, own.device, own.observation_id)
    seen = first.outerjoin(observations, is_seen(first))
    columns = (first.c.rule, first.c.site, MODELS)
    for rule, site, models, told, taken in conn.execute(
        _waits(conn, first, *columns).select_from(seen)
    ):
        key = Key(rule, site, model_name(models))
        groups[key].waits.append(max(0.0, taken - told))
    watched = _camera_days(conn, since, until)
    for key, one in groups.items():
        one.camera_days = watched.get(key.site, 0.0) if key.model else None
    return groups


def _waits(conn: Connection, first: Subquery, *columns: ColumnElement[Any]) -> Select[Any]:
    """When each alert was booked and taken on, beside `columns`."""
    told = alert_times.epoch(conn, first.c.told)
    taken = alert_times.epoch(conn, first.c.acknowledged)
    query = select(*columns, told, taken)
    return query.where(first.c.told.is_not(None), first.c.acknowledged.is_not(None))


def _titles(conn: Connection, numbers: Iterable[int]) -> dict[int, tuple[str, str]]:
    found: dict[int, tuple[str, str]] = {}
    columns = (alerts.c.number, alerts.c.title_zh, alerts.c.title_en)
    for some in chunks(numbers, 500):
        for number, zh, en in conn.execute(select(*columns).where(alerts.c.number.in_(some))):
            found[number] = (zh, en)
    return found


class _Sums:
    """What is added up for one card."""

    def __init__(self) -> None:
        self.raised = 0
        self.said = dict.fromkeys(("true", "false", "unsure", "left_out", ""), 0)
        self.causes: dict[str, int] = {}
        self.severity = Severity.GUIDANCE
        self.last = 0
        self.camera_days: float | None = None
        self.waits: list[float] = []

    def add(self, row: Any) -> None:
        """Add alerts of one verdict."""
        said = said_as(row.verdict, row.counts)
        self.raised += row.count
        self.said[said] += row.count
        if said == AlertVerdict.FALSE.value:
            self.causes[row.cause] = self.causes.get(row.cause, 0) + row.count
        self.severity = min(self.severity, Severity(row.severity))
        self.last = max(self.last, row.last)

    def card(self, key: Key, title: tuple[str, str]) -> Card:
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
            camera_days=self.camera_days,
            acknowledge=spread(self.waits),
        )


def _camera_days(conn: Connection, since: datetime, until: datetime) -> dict[str, float]:
    """Days between `since` and `until` that each site's cameras were registered and in use."""
    registered_at, retired_at = devices.c.registered_at, devices.c.retired_at
    epoch = alert_times.epoch
    begun_s = case((registered_at > since, epoch(conn, registered_at)), else_=since.timestamp())
    ended_s = case((retired_at < until, epoch(conn, retired_at)), else_=until.timestamp())
    lasted = and_(registered_at < until, or_(retired_at.is_(None), retired_at > since))
    found = (
        select(devices.c.site, func.sum((ended_s - begun_s) / DAY_S))
        .where(devices.c.kind == DeviceKind.CAMERA.value, lasted)
        .group_by(devices.c.site)
    )
    days: dict[str, float] = {row[0]: row[1] for row in conn.execute(found)}
    for gap in device_gaps.of_cameras(conn, since, until):
        away = min(gap.until, until) - max(gap.since, since)
        days[gap.site] -= away.total_seconds() / DAY_S
    return days
