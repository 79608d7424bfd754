"""Silences and maintenance windows as the console shows them, and what a new one would hide."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from contracts.words import AlertVerdict, Severity
from ledger import regions, silences, sites, verdicts
from ledger.alerts import AlertRow
from ledger.engine import Connection
from ledger.silences import Kind, Matchers, Silence, SilenceRefused
from ledger.verdicts import VerdictRow
from server.access import Scope
from server.desk import AlertLine, Names, alert_lines
from server.formats import SHANGHAI
from server.problems import not_found
from server.signing import Visit

PREVIEW_DAYS = 30
PREVIEW_SHOWN = 12
PREVIEW_MOST = 1000
ENDED_SHOWN = 50
LONGEST = timedelta(days=30)
"""A silence or window made by hand is no longer either."""


class SilenceLine(msgspec.Struct, frozen=True):
    """A silence with the names that its line shows."""

    silence: Silence
    region: tuple[str, str]
    site: str
    author: str
    may_end: bool
    """Whether it lies wholly in the looker's scope."""


class Wish(msgspec.Struct, frozen=True):
    """What a form asks for."""

    kind: Kind = "silence"
    region: str = ""
    site: str = ""
    device: str = ""
    zone: str = ""
    rule: str = ""
    classes: tuple[Severity, ...] = ()
    includes_class_1: bool = False
    starts: str = ""
    """As a form's ``datetime-local`` says it, in China's time; empty: now."""
    ends: str = ""
    reason: str = ""

    @property
    def matchers(self) -> Matchers:
        """Which alerts it means."""
        return Matchers(
            rule=self.rule.strip(),
            region=self.region,
            site=self.site.strip(),
            device=self.device.strip(),
            zone=self.zone.strip(),
            severity=self.classes,
        )


class Preview(msgspec.Struct, frozen=True):
    """What stored alerts say of a silence: which would have been hidden, the right ones first."""

    days: int
    hidden: int
    true: int
    false: int
    unjudged: int
    passing: int
    """Alerts of class 1 that would have been told all the same."""
    lines: list[tuple[AlertLine, VerdictRow | None]]
    cut: bool
    """There are more than were looked at."""


def checked_wish(conn: Connection, visit: Visit, wish: Wish) -> Wish:
    """The wish, if it lies in the officer's scope, with its region filled in.

    Raises Problem (404) for a place out of sight.
    """
    region = wish.region or visit.officer.region
    if region not in visit.scope.regions:
        raise not_found("region")
    site = wish.site.strip()
    if site:
        found = sites.get(conn, site)
        if found is None or not visit.scope.covers_site(found.region, found.id):
            raise not_found("site")
        if not wish.region:
            region = found.region
    return msgspec.structs.replace(wish, region=region)


def silence_of(wish: Wish, visit: Visit, now: datetime) -> Silence:
    """What it would be. Raises SilenceRefused for times that cannot be."""
    starts_at = _moment(wish.starts, "starts") if wish.starts else now
    ends_at = _moment(wish.ends, "ends")
    if ends_at - max(starts_at, now) > LONGEST:
        raise SilenceRefused("times", "a silence ends within 30 days")
    return Silence(
        kind=wish.kind,
        matchers=wish.matchers,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=wish.reason.strip(),
        author=visit.officer.id,
        created_at=now,
        includes_class_1=wish.includes_class_1,
    )


def preview(conn: Connection, scope: Scope, wish: Wish, now: datetime) -> Preview:
    """What it would have hidden of the last days' alerts, as far as the officer can see them."""
    since, class_1 = now - timedelta(days=PREVIEW_DAYS), wish.includes_class_1
    every = silences.preview(
        conn, wish.matchers, since, now, includes_class_1=True, limit=PREVIEW_MOST + 1
    )
    seen = [one for one in every if scope.covers(one.region, one.establishment_id)]
    passing = [one for one in seen if one.severity is Severity.AT_ONCE and not class_1]
    hidden = [one for one in seen if one.severity is not Severity.AT_ONCE or class_1]
    said = verdicts.standing_on(conn, (one.alert_id for one in hidden))
    ranked = rank(hidden, said)
    lines = alert_lines(conn, ranked[:PREVIEW_SHOWN])
    kinds = [one.verdict for one in said.values()]
    return Preview(
        days=PREVIEW_DAYS,
        hidden=len(hidden),
        true=kinds.count(AlertVerdict.TRUE),
        false=kinds.count(AlertVerdict.FALSE),
        unjudged=len(hidden) - len(said),
        passing=len(passing),
        lines=[(line, said.get(line.alert.alert_id)) for line in lines],
        cut=len(every) > PREVIEW_MOST,
    )


def rank(found: Sequence[AlertRow], said: dict[str, VerdictRow]) -> list[AlertRow]:
    """The right ones first, then those that nobody has judged, then the wrong ones."""
    order = {AlertVerdict.TRUE: 0, AlertVerdict.UNSURE: 1, None: 2, AlertVerdict.FALSE: 3}

    def place(one: AlertRow) -> int:
        told = said.get(one.alert_id)
        return order[told.verdict if told else None]

    return sorted(found, key=place)


def visible_silences(
    conn: Connection, visit: Visit, now: datetime, *, ended: bool = False
) -> list[SilenceLine]:
    """Those that hide something of what the officer sees, also if somebody above made them."""
    above = frozenset(regions.ancestors(conn, visit.officer.region))
    found = [
        one
        for one in silences.list_all(conn, now, ended=ended)
        if _touches(one.matchers, visit.scope, above)
    ]
    names = Names(conn).look_up(
        regions=(one.matchers.region for one in found),
        sites=(one.matchers.site for one in found),
        officers=(one.author for one in found),
    )
    return [_line(names, visit, one) for one in found]


def own_silence(conn: Connection, visit: Visit, silence_id: str) -> Silence:
    """A silence that the officer may end: all of it lies in their scope. Raises Problem (404)."""
    found = silences.get(conn, silence_id)
    if found is None or not _within(found.matchers, visit.scope):
        raise not_found("silence")
    return found


def _line(names: Names, visit: Visit, one: Silence) -> SilenceLine:
    return SilenceLine(
        silence=one,
        region=names.region(one.matchers.region) if one.matchers.region else ("", ""),
        site=names.site(one.matchers.site) if one.matchers.site else "",
        author=names.officer(one.author),
        may_end=_within(one.matchers, visit.scope),
    )


def _touches(matchers: Matchers, scope: Scope, above: frozenset[str]) -> bool:
    place = matchers.region
    inside = not place or place in scope.regions or place in above
    own = not matchers.site or scope.sites is None or matchers.site in scope.sites
    return inside and own


def _within(matchers: Matchers, scope: Scope) -> bool:
    own = scope.sites is None or matchers.site in scope.sites
    return matchers.region in scope.regions and own


def _moment(text: str, name: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)
    except ValueError:
        raise SilenceRefused("times", f"{name}: {text[:40]!r} is no time") from None
