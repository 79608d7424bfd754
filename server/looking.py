"""Asking for a look at a kitchen's camera: who may, how often, and the lines of those asked for."""

from datetime import datetime, timedelta
from urllib.parse import urlencode

import msgspec

from ledger import audit, looks
from ledger.engine import Connection
from ledger.kitchens import Camera
from ledger.looks import LookRow
from server.look_settings import LookSettings
from server.signing import Visit

LEAST_REASON, MOST_REASON = 2, 300
"""Characters of a reason."""
PAGE = 50
HOUR = timedelta(hours=1)


class LookRefused(Exception):
    """A look that is not asked for; `kind` names the words that say why."""

    def __init__(self, kind: str, status: int, retry_at: datetime | None = None) -> None:
        super().__init__(kind)
        self.kind, self.status, self.retry_at = kind, status, retry_at
        """From `retry_at` on it may be asked for again; None: that cannot be told."""


class LookLine(msgspec.Struct, frozen=True):
    """A look with the names that its line shows."""

    row: LookRow
    camera: str
    place: str


def ask(
    conn: Connection,
    visit: Visit,
    camera: Camera,
    reason: str,
    limits: LookSettings,
    now: datetime,
) -> str:
    """Ask for a look, in the audit trail; returns its id. Raises LookRefused."""
    reason = " ".join(reason.split())
    if not LEAST_REASON <= len(reason) <= MOST_REASON:
        raise LookRefused("reason", 422)
    before = looks.newest(conn, camera.identity)
    if before is not None and before.running(now):
        raise LookRefused("busy", 409)
    own, here = looks.counts(conn, camera.identity, visit.officer.id, now - HOUR)
    if own >= limits.per_officer:
        oldest = looks.oldest_since(conn, now - HOUR, asked_by=visit.officer.id)
        raise LookRefused("officer", 429, oldest and oldest + HOUR)
    if here >= limits.per_camera:
        oldest = looks.oldest_since(conn, now - HOUR, camera=camera.identity)
        raise LookRefused("camera", 429, oldest and oldest + HOUR)
    via = visit.token.name if visit.token else ""
    look_id = looks.ask(conn, camera.identity, visit.officer.id, reason, now, via)
    detail = {"site": camera.site, "camera": camera.device, "reason": reason}
    audit.append(conn, visit.actor, "look_asked", f"look/{look_id}", detail, now)
    return look_id


def state_of(row: LookRow, now: datetime) -> str:
    """How a look stands, in one word."""
    return "unanswered" if row.unanswered(now) else row.state


def lines_of(rows: list[LookRow]) -> list[LookLine]:
    """The lines of these looks."""
    return [LookLine(row, row.camera or row.device, row.place or row.site) for row in rows]


def sites_of(visit: Visit, site: str) -> list[str] | None:
    """Whose looks the officer sees, narrowed to `site` if that is given; None: every site."""
    own = visit.scope.sites
    if site:
        return [site] if own is None or site in own else []
    return None if own is None else sorted(own)


def query(site: str, camera: str, page: int = 1) -> str:
    """The address's query of the list of looks."""
    told = {"site": site, "camera": camera, "page": page if page > 1 else ""}
    kept = {name: value for name, value in told.items() if value}
    return f"?{urlencode(kept)}" if kept else ""
