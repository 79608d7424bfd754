"""Whom an alert concerns: officers by level, the establishment's people, routes beside them.

Pure over answers about people: who is responsible at a level is asked of `ledger.duties`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from contracts.words import Severity
from gateway.notify.pipeline_settings import RouteSettings
from gateway.notify.plan import Entry, Telling
from ledger.alert_types import AlertRow
from ledger.duties import TOP, Responsible

_ROUTE = "route:"

Responsibility = Callable[[AlertRow, int], Responsible]


def key_of(recipient: str, route: str) -> str:
    """A recipient as groups remember it: the officer's id, or ``route:name``."""
    return recipient or f"{_ROUTE}{route}"


def recipient_of(key: str) -> tuple[str, str]:
    """Officer id and route of such a key; one of them is empty."""
    if key.startswith(_ROUTE):
        return "", key.removeprefix(_ROUTE)
    return key, ""


class Share(msgspec.Struct, frozen=True):
    """What one recipient is told of a telling."""

    recipient: str
    """Officer id; empty for a route."""
    route: str
    level: int
    """The highest level at which it concerns them."""
    alerts: tuple[AlertRow, ...]

    @property
    def key(self) -> str:
        """The recipient as groups remember it."""
        return key_of(self.recipient, self.route)


class Shares(msgspec.Struct, frozen=True):
    """A telling, shared out; `orphans`: alerts that nobody is in charge of at their level."""

    shares: tuple[Share, ...]
    orphans: tuple[AlertRow, ...]


class Routes:
    """Routes by name, and which of them an alert takes."""

    def __init__(
        self, routes: Sequence[RouteSettings], of_rules: Mapping[str, Sequence[str]]
    ) -> None:
        """`of_rules`: names of routes by the rule that names them."""
        self._routes = {route.name: route for route in routes}
        self._of_rules = of_rules

    def unknown(self) -> list[str]:
        """Names that rules give and no route has."""
        named = {name for names in self._of_rules.values() for name in names}
        return sorted(named - self._routes.keys())

    def taken(self, alert: AlertRow, above: Collection[str]) -> list[RouteSettings]:
        """The routes that this alert takes; `above`: the regions above its own one."""
        named = self._of_rules.get(alert.rule, ())
        return [
            route
            for route in self._routes.values()
            if route.name in named or _fits(route, alert, above)
        ]


def share(
    telling: Telling,
    responsible: Responsibility,
    routes: Callable[[AlertRow], Sequence[RouteSettings]],
    logins: Mapping[str, str],
) -> Shares:
    """Who is told what of it. `logins`: officer ids by the login names that routes give."""
    gathering = _Gathering()
    orphans: list[AlertRow] = []
    for entry in telling.entries:
        if _to_people(entry, responsible, gathering):
            orphans.append(entry.alert)
        if telling.kind == "escalated":
            continue
        for route in routes(entry.alert):
            if route.channels:
                gathering.add("", route.name, 0, entry.alert)
            for login in route.officers:
                if login in logins:
                    gathering.add(logins[login], "", 0, entry.alert)
    return Shares(gathering.shares(), tuple(orphans))


def share_again(telling: Telling, told_to: Iterable[str]) -> Shares:
    """The same for those who were told before."""
    alerts = tuple(entry.alert for entry in telling.entries)
    level = max(alert.level for alert in alerts)
    return Shares(tuple(Share(*recipient_of(key), level, alerts) for key in told_to), ())


def _to_people(entry: Entry, responsible: Responsibility, gathering: "_Gathering") -> bool:
    """Add those whom it concerns by their level; True if there is nobody at the level of first."""
    orphan = False
    for level in range(entry.from_level, min(entry.alert.level, TOP) + 1):
        found = responsible(entry.alert, level)
        orphan = orphan or (found.orphan and level == 0)
        for officer in found.officers:
            gathering.add(officer.id, "", level, entry.alert)
        if level == 0:
            for person in found.establishment_people:
                gathering.add(person.id, "", level, entry.alert)
    return orphan


class _Gathering:
    """Alerts by recipient, in order."""

    def __init__(self) -> None:
        self._alerts: dict[tuple[str, str], dict[str, AlertRow]] = {}
        self._levels: dict[tuple[str, str], int] = {}

    def add(self, recipient: str, route: str, level: int, alert: AlertRow) -> None:
        key = (recipient, route)
        self._alerts.setdefault(key, {})[alert.alert_id] = alert
        self._levels[key] = max(level, self._levels.get(key, 0))

    def shares(self) -> tuple[Share, ...]:
        return tuple(
            Share(*key, self._levels[key], tuple(alerts.values()))
            for key, alerts in self._alerts.items()
        )


def _fits(route: RouteSettings, alert: AlertRow, above: Collection[str]) -> bool:
    if not (route.rules or route.regions or route.sites or route.classes):
        return False
    return (
        (not route.rules or any(fnmatchcase(alert.rule, one) for one in route.rules))
        and (not route.sites or alert.site in route.sites)
        and (not route.classes or Severity(alert.severity) in route.classes)
        and (
            not route.regions
            or alert.region in route.regions
            or any(region in route.regions for region in above)
        )
    )
