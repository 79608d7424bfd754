"""Looks: who asked to see what a kitchen's camera sees, why, and what came of it.

The server asks, a gateway sends the order, the site answers. Of a look's pictures only the newest
is kept, and that for KEPT; that it was looked is kept for good.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, func, literal, or_, select, tuple_, update

from contracts.events import Evidence, Look
from contracts.looks import ANSWERED_WITHIN_S, BEGIN_WITHIN_S, MOST_BYTES
from contracts.topics import Identity
from contracts.words import LookState
from ledger import journal, signatures
from ledger.columns import UtcTime
from ledger.evidence import Vouched, vouched_of
from ledger.evidence_keys import Standing
from ledger.ids import new_id
from ledger.schema import devices, evidence_keys, looks, officers, sites
from ledger.signatures import SignatureState
from ledger.sql import among_these, typed, typed_or_none

KEPT = timedelta(days=30)
ASKED, SENT = "asked", "sent"
ANSWERS = frozenset(LookState) - {LookState.KEPT, LookState.NOT_KEPT}
"""What is said of a look; the others are said of a picture that is to be kept."""
WAITING = (ASKED, SENT, LookState.LIVE.value)
"""States in which an answer may still come."""
PATIENCE = timedelta(seconds=5)
"""After an order has expired, an answer may still be on its way for so long."""


class LookRow(msgspec.Struct, frozen=True):
    """A look, without its picture's bytes."""

    look_id: str
    region: str
    site: str
    device: str
    asked_by: str
    asked_at: datetime
    reason: str
    expires_at: datetime
    state: str
    """``asked``, ``sent``, or what the site answered last."""
    detail: str
    """Why there is no picture, or no further one, in both languages."""
    sent_at: datetime | None
    answered_at: datetime | None
    pictures: int
    captured_at: datetime | None
    """When the newest picture was taken."""
    sha256: str
    width: int
    height: int
    signature_state: SignatureState = SignatureState.NONE
    """Of the newest picture, as it was checked when it came."""
    agent: str = ""
    key_id: str = ""
    """Fingerprint of the key that signed it."""
    via: str = ""
    """Name of the token by which it was asked for; empty: on the page."""
    standing: Standing | None = None
    """Of the key, now; None if the city does not know it."""
    name: str = ""
    """The officer's."""
    role: str = ""
    camera: str = ""
    """The camera's name."""
    place: str = ""
    """The site's."""

    @property
    def identity(self) -> Identity:
        """The camera."""
        return Identity(self.region, self.site, self.device)

    @property
    def vouched(self) -> Vouched:
        """What can be said of the newest picture's origin, in one word."""
        return vouched_of(self.signature_state, self.standing, Vouched.UNKNOWN_KEY)

    def running(self, now: datetime) -> bool:
        """Whether something may still come."""
        return self.state in WAITING and not self.unanswered(now)

    def unanswered(self, now: datetime) -> bool:
        """Whether the site has fallen silent: nothing more is taken in."""
        if self.state not in WAITING:
            return False
        silent = self.answered_at is None and now >= self.expires_at + PATIENCE
        return silent or now >= last_moment(self.asked_at)


def last_moment(asked_at: datetime) -> datetime:
    """From when on nothing is taken in any more."""
    return asked_at + timedelta(seconds=ANSWERED_WITHIN_S)


_COLUMNS = [column for column in looks.c if column.name != "content"]
_ROWS: Select[Any] = (
    select(
        *_COLUMNS,
        evidence_keys.c.standing,
        officers.c.name,
        officers.c.role,
        devices.c.name.label("camera"),
        sites.c.name.label("place"),
    )
    .join(officers, officers.c.id == looks.c.asked_by)
    .join(devices, and_(devices.c.site == looks.c.site, devices.c.device == looks.c.device))
    .join(sites, sites.c.id == looks.c.site)
    .outerjoin(
        evidence_keys,
        and_(
            evidence_keys.c.site == looks.c.site,
            evidence_keys.c.agent == looks.c.agent,
            evidence_keys.c.key_id == looks.c.key_id,
        ),
    )
)


def ask(
    conn: Connection, who: Identity, asked_by: str, reason: str, at: datetime, via: str = ""
) -> str:
    """Ask for a look at the camera `who`; returns its id. Pictures that are too old are let go."""
    look_id = new_id()
    conn.execute(
        looks.insert(),
        {
            "look_id": look_id,
            "region": who.region,
            "site": who.site,
            "device": who.device,
            "asked_by": asked_by,
            "asked_at": at,
            "reason": reason,
            "via": via,
            "expires_at": at + timedelta(seconds=BEGIN_WITHIN_S),
            "state": ASKED,
        },
    )
    old = update(looks).where(looks.c.asked_at < at - KEPT, looks.c.content.is_not(None))
    conn.execute(old.values(content=None, sha256=""))
    return look_id


def counts(conn: Connection, who: Identity, asked_by: str, since: datetime) -> tuple[int, int]:
    """Looks since then: of this officer anywhere, and of anybody at this camera."""
    total = select(func.count()).select_from(looks).where(looks.c.asked_at > since)
    here = total.where(looks.c.site == who.site, looks.c.device == who.device)
    own = conn.scalar(total.where(looks.c.asked_by == asked_by)) or 0
    return own, conn.scalar(here) or 0


def oldest_since(
    conn: Connection, since: datetime, *, asked_by: str = "", camera: Identity | None = None
) -> datetime | None:
    """When the oldest look since then was asked for: of this officer, or at this camera."""
    found = select(func.min(looks.c.asked_at)).where(looks.c.asked_at > since)
    if asked_by:
        found = found.where(looks.c.asked_by == asked_by)
    if camera is not None:
        found = found.where(looks.c.site == camera.site, looks.c.device == camera.device)
    oldest: datetime | None = conn.scalar(found)
    return oldest


def get(conn: Connection, look_id: str) -> LookRow | None:
    """The look of that id."""
    found = _ROWS.where(looks.c.look_id == look_id)
    return typed_or_none(conn.execute(found).one_or_none(), LookRow)


def newest(conn: Connection, who: Identity) -> LookRow | None:
    """The newest look at a camera."""
    rows = list_in(conn, [who.region], sites=[who.site], device=who.device, limit=1)
    return rows[0] if rows else None


def newest_shown(conn: Connection, at_sites: Collection[str]) -> dict[tuple[str, str], LookRow]:
    """The newest look with a picture at each camera of these sites, by site and camera."""
    if not at_sites:
        return {}
    place = (looks.c.site, looks.c.device)
    newest = (
        select(*place, func.max(looks.c.asked_at).label("asked_at"))
        .where(among_these(looks.c.site, at_sites), looks.c.sha256 != "")
        .group_by(*place)
        .subquery("newest")
    )
    found = _ROWS.join(newest, and_(*(looks.c[one.name] == one for one in newest.c)))
    found = found.where(looks.c.sha256 != "")
    rows = (typed(row, LookRow) for row in conn.execute(found.order_by(looks.c.asked_at)))
    return {(row.site, row.device): row for row in rows}


def list_in(
    conn: Connection,
    regions: Sequence[str],
    *,
    sites: Sequence[str] | None = None,
    device: str | None = None,
    limit: int = 50,
    offset: int = 0,
    after: tuple[datetime, str] | None = None,
) -> list[LookRow]:
    """Looks at cameras of these regions (and sites), the newest first.

    `after`: when the last one seen was asked for, and its id.
    """
    found = _ROWS.where(looks.c.region.in_(regions))
    if sites is not None:
        found = found.where(looks.c.site.in_(sites))
    if device is not None:
        found = found.where(looks.c.device == device)
    place = (looks.c.asked_at, looks.c.look_id)
    if after is not None:
        found = found.where(tuple_(*place) < tuple_(literal(after[0], UtcTime), after[1]))
    found = found.order_by(*(column.desc() for column in place))
    return [typed(row, LookRow) for row in conn.execute(found.limit(limit).offset(offset))]


def picture(conn: Connection, look_id: str) -> bytes | None:
    """The newest picture of a look, as JPEG."""
    content = conn.scalar(select(looks.c.content).where(looks.c.look_id == look_id))
    return bytes(content) if content else None


def unsent(conn: Connection, now: datetime) -> list[LookRow]:
    """Looks that were asked for and are still good, the oldest first."""
    found = _ROWS.where(looks.c.state == ASKED, looks.c.expires_at > now)
    found = found.order_by(looks.c.asked_at).limit(50)
    return [typed(row, LookRow) for row in conn.execute(found)]


def mark_sent(conn: Connection, sent: Sequence[LookRow], at: datetime) -> None:
    """The broker has their orders; what a site has answered meanwhile stays."""
    for one in sent:
        mark = update(looks).where(looks.c.look_id == one.look_id, looks.c.state == ASKED)
        conn.execute(mark.values(state=SENT, sent_at=at))
        note(conn, one.identity, one.look_id, at)


def answered(
    conn: Connection, who: Identity, agent: str, told: Look, received_at: datetime
) -> bool:
    """Take in a site's answer; False if it is not asked for, too late, or not fit to be shown.

    Of pictures that come out of order the newest stays. One that is not blurred, or is no JPEG
    within its bound, is not taken.
    """
    if told.state not in ANSWERS:
        return False
    row = get(conn, told.look_id)
    if row is None or row.identity != who or row.state not in WAITING:
        return False
    if received_at >= last_moment(row.asked_at):
        return False
    change: dict[str, object] = {"state": told.state.value, "answered_at": received_at}
    change["detail"] = told.reason
    shown = told.picture
    if told.state is LookState.LIVE:
        if shown is None or not shown.blurred or shown.media_type != "image/jpeg":
            return False
        if len(shown.content) > MOST_BYTES or not shown.content.startswith(b"\xff\xd8"):
            return False
        if row.captured_at is not None and shown.captured_at <= row.captured_at:
            return False
        change |= {
            "pictures": row.pictures + 1,
            "captured_at": shown.captured_at,
            "sha256": hashlib.sha256(shown.content).hexdigest(),
            "width": shown.width,
            "height": shown.height,
            "content": shown.content,
            "signature_state": _checked(who, agent, shown).value,
            "agent": agent,
            "key_id": shown.signature.key_id if shown.signature else "",
        }
    elif shown is not None:
        return False
    same = or_(*(looks.c.state == state for state in WAITING))
    conn.execute(update(looks).where(looks.c.look_id == told.look_id, same).values(change))
    note(conn, row.identity, row.look_id, received_at)
    return True


def _checked(who: Identity, agent: str, shown: Evidence) -> SignatureState:
    """Whether the signature holds, and is of these bytes."""
    state = signatures.check(who, agent, shown)
    same = hashlib.sha256(shown.content).hexdigest() == shown.sha256
    return state if same else SignatureState.INVALID


def note(conn: Connection, who: Identity, look_id: str, at: datetime) -> None:
    """Something has become of a look at the camera `who`, or of one of its pictures."""
    journal.append(
        conn,
        journal.LOOK,
        at=at,
        region=who.region,
        site=who.site,
        ref=look_id,
        body={"device": who.device},
    )
