"""The alert desk's content: which alerts a filter shows, the line of each, and the counts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from contracts.words import OPEN_STATES, AlertState, Severity
from ledger import alert_search, alerts
from ledger.alert_names import AlertNames, names_of
from ledger.alert_search import Size, Sought
from ledger.alerts import AlertRow
from ledger.engine import Connection
from server.access import Scope
from server.desk_filter import STATES, DeskFilter
from server.names import Names

__all__ = ["STATES", "AlertLine", "DeskFilter", "Names", "Tally", "alert_lines", "count_alerts"]

PAGE = 25
PICTURE_LATE_S = 90.0
"""A picture travels beside its observation; after this long, pages stop looking for it."""


Sizes = Mapping[alert_search.GroupKey, Size]
"""How many alerts each group has."""


_ALONE, _NONE = Size(1, 0), Size(0, 0)


class AlertLine(msgspec.Struct, frozen=True):
    """An alert with the names that its line shows."""

    alert: AlertRow
    place: str
    """The establishment's name, or the site's if it belongs to none."""
    region_zh: str
    region_en: str
    device: str
    officer: str
    """Who acknowledged or closed it."""
    picture: str | None
    """Id of the best picture that has arrived."""
    pictures_due: bool
    """Pictures are announced, but none has arrived yet."""
    size: int = 0
    """How many alerts the line stands for: it and the older ones of its group; 0: for itself."""
    untaken: int = 0
    """Firing ones among those."""
    site: str = ""

    def waits(self, now: datetime) -> bool:
        """Whether its picture can still be expected any moment, so that a page looks again."""
        return self.pictures_due and (now - self.alert.changed_at).total_seconds() < PICTURE_LATE_S

    @property
    def figure(self) -> tuple[str, str] | None:
        """Value and unit that the rule saw, for a line without a picture."""
        value, unit = self.alert.facts.get("value"), self.alert.facts.get("unit", "")
        if value is None or value == "":
            return None
        return (f"{value:g}" if isinstance(value, float) else str(value)[:8], str(unit))

    @property
    def name(self) -> str:
        """What a page calls the line: the alert's id, or the key of its group."""
        key = alert_search.group_of(self.alert) if self.size else None
        return self.alert.alert_id if key is None else "|".join(key)


def alert_lines(
    conn: Connection,
    rows: Iterable[AlertRow],
    sizes: Sizes | None = None,
) -> list[AlertLine]:
    """The lines of these alerts in a fixed number of statements.

    With `sizes`, each stands for its group; without, for itself.
    """
    wanted = list(rows)
    names = names_of(conn, wanted) if wanted else AlertNames({}, {}, {}, {}, {}, {})
    return [_line(names, row, sizes) for row in wanted]


def _line(names: AlertNames, row: AlertRow, sizes: Sizes | None) -> AlertLine:
    zh, en = names.regions.get(row.region, (row.region, row.region))
    site = names.sites.get(row.site, row.site)
    picture = names.pictures.get((row.site, row.observation_id or ""))
    key = alert_search.group_of(row)
    group = sizes.get(key, _ALONE) if key and sizes is not None else _NONE
    return AlertLine(
        alert=row,
        place=names.establishments.get(row.establishment_id or "", site),
        region_zh=zh,
        region_en=en,
        device=names.devices.get((row.site, row.device), row.device),
        officer=names.officers.get(row.closed_by or row.acknowledged_by or "", ""),
        picture=picture,
        pictures_due=bool(row.evidence) and picture is None and row.observation_id is not None,
        size=group.total,
        untaken=group.untaken,
        site=site,
    )


def desk_lines(
    conn: Connection,
    sought: Sought,
    wanted: DeskFilter,
    before: str | None = None,
    limit: int = PAGE,
) -> tuple[list[AlertLine], bool]:
    """A page of the desk, newest first, and whether there are more lines after it."""
    rows = alert_search.find(conn, sought, limit + 1, before, grouped=wanted.grouped)
    shown = rows[:limit]
    sizes = None
    if wanted.grouped:
        sizes = alert_search.sizes(conn, sought, alert_search.keys_of(shown))
    return alert_lines(conn, shown, sizes), len(rows) > limit


def line_on(conn: Connection, alert: AlertRow, sought: Sought, wanted: DeskFilter) -> AlertLine:
    """An alert's line as a desk of this filter shows it: for its group, if it is the newest."""
    key = alert_search.group_of(alert)
    sizes = None
    if wanted.grouped and key is not None:
        heads = alert_search.heads_of(conn, sought, [key])
        if [one.alert_id for one in heads] == [alert.alert_id]:
            sizes = alert_search.sizes(conn, sought, [key])
    return alert_lines(conn, [alert], sizes)[0]


class Tally(msgspec.Struct, frozen=True):
    """How many alerts: by state within the chosen class, by class among the open ones."""

    open: int
    firing: int
    acknowledged: int
    disposing: int
    reviewed: int
    resolved: int
    closed: int
    class1: int
    class2: int
    class3: int
    all: int
    """Open ones of every class."""
    untaken: int
    """Firing ones of every class."""
    waiting: int
    """The same without the filter: what nobody has taken on, of all that the officer sees."""
    urgent: int
    """Those of class 1 among them."""


Counted = Sequence[tuple[Severity, AlertState, int]]


def count_alerts(conn: Connection, scope: Scope) -> Counted:
    """Alerts in the scope by class and state."""
    if scope.establishment_id is None:
        found = alerts.counts(conn, scope.listed)
    else:
        everything = Sought(
            tuple(scope.listed), datetime.max, establishment_id=scope.establishment_id
        )
        found = alert_search.counts(conn, everything)
    return [(one.severity, one.state, one.count) for one in found]


def count_sought(conn: Connection, sought: Sought) -> Counted:
    """Alerts that a filter finds by class and state, whatever class and state it names."""
    return [(one.severity, one.state, one.count) for one in alert_search.counts(conn, sought)]


def tally(
    counted: Counted, severity: Severity | None = None, everything: Counted | None = None
) -> Tally:
    """The numbers that the desk shows, of `counted`; those without a filter of `everything`."""

    def total(states: Sequence[AlertState], of: Severity | None, among: Counted = counted) -> int:
        return sum(
            count for one, state, count in among if state in states and (of is None or one is of)
        )

    every = counted if everything is None else everything
    return Tally(
        open=total(OPEN_STATES, severity),
        firing=total([AlertState.FIRING], severity),
        acknowledged=total([AlertState.ACKNOWLEDGED], severity),
        disposing=total([AlertState.DISPOSING], severity),
        reviewed=total([AlertState.REVIEWED], severity),
        resolved=total([AlertState.RESOLVED], severity),
        closed=total([AlertState.CLOSED], severity),
        class1=total(OPEN_STATES, Severity.AT_ONCE),
        class2=total(OPEN_STATES, Severity.DEADLINE),
        class3=total(OPEN_STATES, Severity.GUIDANCE),
        all=total(OPEN_STATES, None),
        untaken=total([AlertState.FIRING], None),
        waiting=total([AlertState.FIRING], None, every),
        urgent=total([AlertState.FIRING], Severity.AT_ONCE, every),
    )
