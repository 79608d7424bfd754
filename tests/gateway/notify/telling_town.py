"""A town whose people are told of alerts: a ledger, a clock that is wound by hand, a pipeline."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import alert_steps

from contracts.topics import Identity
from contracts.words import Severity
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify.inhibit import Inhibition
from gateway.notify.pipeline import Pipeline
from gateway.notify.pipeline_settings import PipelineSettings, RouteSettings
from gateway.notify.policy import Mode, Policy
from gateway.notify.routing import Routes
from ledger import (
    alerts,
    establishments,
    journal,
    notifications,
    officers,
    regions,
    schema,
    sites,
)
from ledger.alert_types import AlertRow, NewAlert
from ledger.engine import Connection, Engine, reading, writing
from ledger.establishments import Establishment, EstablishmentKind
from ledger.notifications import NotificationRow
from ledger.officers import Officer, Role

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""12:00 on a Monday in China."""
TOWN, OTHER_TOWN = "440703-tangxia", "440703-duruan"
CANTEEN, MARKET = "canteen1", "market1"
LI, WANG, ZHAO, CHEN = "li", "wang", "zhao", "chen"
"""The town's officer, the county's, the city's, the canteen's manager; ids and logins alike."""

INHIBITS = {"agent_offline": ("device_silent", "camera_*", "data_waiting")}


def build(conn: Connection) -> None:
    """Fill an empty ledger. Nobody is in charge of the market but the county."""
    for code, parent in (
        ("440700", None),
        ("440703", "440700"),
        (TOWN, "440703"),
        (OTHER_TOWN, "440703"),
    ):
        regions.add(conn, regions.Region(code, code, code, parent))
    for site, town, kind, owner in (
        (CANTEEN, TOWN, "canteen", LI),
        (MARKET, OTHER_TOWN, "market", None),
    ):
        establishment = Establishment(
            name=site,
            kind=EstablishmentKind(kind),
            region=town,
            id=f"e-{site}",
            officer_id=owner,
            public_code=f"code-{site}",
        )
        establishments.add(conn, establishment)
        new = sites.Site(site, town, f"点位{site}", sites.SiteKind.CANTEEN, establishment.id)
        sites.add(conn, new)
    for who, role, region, works_at in (
        (LI, Role.TOWN, TOWN, None),
        (WANG, Role.COUNTY, "440703", None),
        (ZHAO, Role.CITY, "440700", None),
        (CHEN, Role.OPERATOR, TOWN, f"e-{CANTEEN}"),
    ):
        officers.add(
            conn,
            Officer(
                login=who, name=who, role=role, region=region, id=who, establishment_id=works_at
            ),
        )


def more_sites(conn: Connection, number: int) -> None:
    """Canteens of the town: s0, s1 …"""
    for index in range(number):
        sites.add(conn, sites.Site(f"s{index}", TOWN, f"点位{index}", sites.SiteKind.CANTEEN))


def policy(
    settings: PipelineSettings | None = None,
    *,
    inhibits: Mapping[str, Sequence[str]] = INHIBITS,
    modes: Mapping[str, Mode] | None = None,
    routes: Sequence[RouteSettings] = (),
    of_rules: Mapping[str, Sequence[str]] | None = None,
) -> Policy:
    settings = settings or PipelineSettings()
    return Policy(
        settings=settings,
        inhibition=Inhibition(inhibits, settings.class_2.group_wait_s),
        routes=Routes(routes, of_rules or {}),
        modes=modes or {},
        logins=tuple(login for route in routes for login in route.officers),
    )


class Town:
    """Raise, wait, and see who was told what."""

    def __init__(self, engine: Engine, by: Policy | None = None) -> None:
        self.engine = engine
        self.at = NOON
        self.policy = by or policy()
        self.pipeline = self.new_pipeline()
        self._seen = 0
        self.run()

    def new_pipeline(self) -> Pipeline:
        return Pipeline(
            self.engine,
            lambda: self.policy,
            group="g",
            on_queued=lambda: None,
            metrics=Metrics(),
            health=Health(),
            clock=lambda: self.at,
        )

    def fire(
        self,
        rule: str = "cold_store_warm",
        severity: int = 2,
        *,
        site: str = CANTEEN,
        device: str = "cold1",
        run: bool = True,
        **changes: Any,
    ) -> str:
        """Raise an alert; returns its id."""
        with writing(self.engine) as conn:
            alert_id = self.fire_in(conn, rule, severity, site=site, device=device, **changes)
        if run:
            self.run()
        return alert_id

    def fire_many(self, new: Sequence[tuple[str, str, str]]) -> list[str]:
        """Alerts of class 2 (rule, site, device) by one bulk insert, and in the journal."""
        ids = [f"{self.at:%H%M%S}-{number}" for number in range(len(new))]
        rows = [
            {
                "alert_id": alert_id,
                "fingerprint": "|".join(one),
                "rule": one[0],
                "rule_version": "1",
                "severity": 2,
                "state": "firing",
                "title_zh": one[0],
                "title_en": one[0],
                "summary_zh": "",
                "summary_en": "",
                "region": TOWN,
                "site": one[1],
                "device": one[2],
                "raised_at": self.at,
                "changed_at": self.at,
                "close_note": "",
                "count": 1,
                "last_event_at": self.at,
                "facts": {},
                "evidence": [],
            }
            for alert_id, one in zip(ids, new, strict=True)
        ]
        with writing(self.engine) as conn:
            conn.execute(schema.alerts.insert(), rows)
            for alert_id in ids:
                where = {"region": TOWN, "site": "", "ref": alert_id}
                journal.append(conn, journal.ALERT_RAISED, at=self.at, body={}, **where)
        return ids

    def fire_in(
        self, conn: Connection, rule: str, severity: int, *, site: str, device: str, **changes: Any
    ) -> str:
        """The same within a transaction of the caller's."""
        region = OTHER_TOWN if site == MARKET else TOWN
        new = NewAlert(
            fingerprint=f"{rule}|{site}|{device}",
            rule=rule,
            rule_version="1",
            severity=Severity(severity),
            who=Identity(region, site, device),
            raised_at=self.at,
            facts={"basis": "GB 31654-2021"},
            **({"title_zh": f"{rule} {device}", "title_en": f"{rule} {device}"} | changes),
        )
        return alerts.raise_alert(conn, new, self.at)[0]

    def resolve(self, alert_id: str, *, run: bool = True) -> None:
        with writing(self.engine) as conn:
            assert alerts.resolve(conn, alert_id, self.at)
        if run:
            self.run()

    def acknowledge(self, alert_id: str, officer: str = LI) -> None:
        with writing(self.engine) as conn:
            assert alerts.acknowledge(conn, alert_id, officer, self.at)

    def escalate(self, alert_id: str, level: int) -> None:
        with writing(self.engine) as conn:
            alert_steps.escalate(
                conn, alert_id, level, self.at, due_at=self.at + timedelta(hours=1)
            )
        self.run()

    def run(self) -> None:
        """What there is to do at this moment."""
        while self.pipeline.look_once():
            pass

    def wait(self, seconds: float, every: float = 5.0) -> None:
        """Let time pass; the pipeline looks every few seconds of it."""
        ends_at = self.at + timedelta(seconds=seconds)
        while self.at < ends_at:
            self.at = min(ends_at, self.at + timedelta(seconds=every))
            self.run()

    def get(self, alert_id: str) -> AlertRow:
        with reading(self.engine) as conn:
            row = alerts.get(conn, alert_id)
        assert row is not None
        return row

    def rows(self, **by: Any) -> list[NotificationRow]:
        """Every notification, the first one first."""
        with reading(self.engine) as conn:
            return [*notifications.list(conn, limit=100_000, **by)][::-1]

    def news(self) -> list[NotificationRow]:
        """Those made since this was last asked."""
        rows = [row for row in self.rows() if row.id > self._seen]
        self._seen = max([self._seen, *(row.id for row in rows)])
        return rows

    def told(self) -> list[tuple[str, str, int]]:
        """Of the news, what is sent: kind, recipient, number of alerts."""
        return sorted(
            (row.kind, row.recipient or f"route:{row.route}", len(row.alert_ids))
            for row in self.news()
            if row.state != "held"
        )

    def held(self) -> list[tuple[str, str, str]]:
        """Everything that waits: recipient, for which digest, why (in English)."""
        return [
            (row.recipient, row.hold, row.reason.partition(" / ")[2])
            for row in self.rows(states=["held"])
            if row.digest_id is None
        ]

    def timeline(self, alert_id: str) -> list[tuple[str, str]]:
        """What the pipeline noted of an alert: kind and reason (in English)."""
        with reading(self.engine) as conn:
            entries = alerts.timeline(conn, alert_id)
        return [
            (entry.kind, entry.note.partition(" / ")[2])
            for entry in entries
            if entry.kind in ("notified", "held")
        ]
