"""Pictures of looks that officers asked to be kept: by whom, why, and what the site said.

What was kept comes as every evidence does, over the outbox, and is found by `evidence_id`: it is
there or not, whatever the answer said that came, or was lost, before it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, select, update

from contracts.events import Look
from contracts.looks import BEGIN_WITHIN_S, kept_evidence, kept_observation
from contracts.topics import Identity
from contracts.words import LookState
from ledger.case_types import CaseRow
from ledger.ids import new_id
from ledger.looks import ASKED, PATIENCE, SENT, LookRow, note
from ledger.schema import attachments, cases, evidence, kept_frames, officers
from ledger.sql import typed, typed_or_none

WAITING = (ASKED, SENT)
ANSWERS = (LookState.KEPT, LookState.NOT_KEPT)


class KeptRow(msgspec.Struct, frozen=True):
    """A picture that was asked to be kept."""

    kept_id: str
    look_id: str
    region: str
    site: str
    device: str
    asked_by: str
    via: str
    """Name of the token by which it was asked for; empty: on the page."""
    asked_at: datetime
    reason: str
    sha256: str
    """Of the picture as it was shown."""
    evidence_id: str
    expires_at: datetime
    state: str
    """``asked``, ``sent``, or what the site answered: ``kept``, ``not_kept``."""
    detail: str
    """Why it is not kept, in both languages."""
    sent_at: datetime | None
    answered_at: datetime | None
    stored_at: datetime | None = None
    """When its evidence came; None: it has not."""
    name: str = ""
    """The officer's."""
    role: str = ""

    @property
    def identity(self) -> Identity:
        """The camera."""
        return Identity(self.region, self.site, self.device)

    @property
    def observation_id(self) -> str:
        """What its evidence belongs to."""
        return kept_observation(self.kept_id)

    def stands(self, now: datetime) -> str:
        """``stored``, ``coming`` (kept at the site), ``not_kept``, ``waiting``, ``unanswered``."""
        if self.stored_at is not None:
            return "stored"
        if self.state == LookState.KEPT.value:
            return "coming"
        if self.state == LookState.NOT_KEPT.value:
            return "not_kept"
        return "waiting" if now < self.expires_at + PATIENCE else "unanswered"

    def pending(self, now: datetime) -> bool:
        """Whether something may come of it any moment."""
        return self.stands(now) == "waiting"


_ROWS: Select[Any] = (
    select(
        *kept_frames.c,
        evidence.c.received_at.label("stored_at"),
        officers.c.name,
        officers.c.role,
    )
    .join(officers, officers.c.id == kept_frames.c.asked_by)
    .outerjoin(
        evidence,
        and_(
            evidence.c.site == kept_frames.c.site,
            evidence.c.device == kept_frames.c.device,
            evidence.c.evidence_id == kept_frames.c.evidence_id,
        ),
    )
)


def ask(
    conn: Connection,
    look: LookRow,
    asked_by: str,
    reason: str,
    sha256: str,
    at: datetime,
    via: str = "",
) -> str:
    """Ask for a picture of `look` to be kept; returns the id of the asking."""
    kept_id = new_id()
    row = {
        "kept_id": kept_id,
        "look_id": look.look_id,
        "region": look.region,
        "site": look.site,
        "device": look.device,
        "asked_by": asked_by,
        "via": via,
        "asked_at": at,
        "reason": reason,
        "sha256": sha256,
        "evidence_id": kept_evidence(look.identity, kept_id),
        "expires_at": at + timedelta(seconds=BEGIN_WITHIN_S),
        "state": ASKED,
    }
    conn.execute(kept_frames.insert(), row)
    note(conn, look.identity, look.look_id, at)
    return kept_id


def get(conn: Connection, kept_id: str) -> KeptRow | None:
    """The one of that id."""
    found = _ROWS.where(kept_frames.c.kept_id == kept_id)
    return typed_or_none(conn.execute(found).one_or_none(), KeptRow)


def of_look(conn: Connection, look_id: str) -> list[KeptRow]:
    """Those of a look, the oldest first."""
    found = _ROWS.where(kept_frames.c.look_id == look_id)
    rows = conn.execute(found.order_by(kept_frames.c.asked_at, kept_frames.c.kept_id))
    return [typed(row, KeptRow) for row in rows]


def unsent(conn: Connection, now: datetime) -> list[KeptRow]:
    """What was asked for, is still good and was not sent yet, the oldest first."""
    found = _ROWS.where(kept_frames.c.state == ASKED, kept_frames.c.expires_at > now)
    rows = conn.execute(found.order_by(kept_frames.c.asked_at).limit(50))
    return [typed(row, KeptRow) for row in rows]


def mark_sent(conn: Connection, sent: Sequence[KeptRow], at: datetime) -> None:
    """The broker has their orders; what a site has answered meanwhile stays."""
    for one in sent:
        mark = update(kept_frames).where(
            kept_frames.c.kept_id == one.kept_id, kept_frames.c.state == ASKED
        )
        conn.execute(mark.values(state=SENT, sent_at=at))


def answered(conn: Connection, who: Identity, told: Look, received_at: datetime) -> bool:
    """Take in what the site says of it; False if nobody asked, or it was answered already."""
    row = get(conn, told.look_id)
    if row is None or row.identity != who or row.state not in WAITING or told.state not in ANSWERS:
        return False
    change = update(kept_frames).where(
        kept_frames.c.kept_id == row.kept_id, kept_frames.c.state.in_(WAITING)
    )
    conn.execute(change.values(state=told.state.value, detail=told.reason, answered_at=received_at))
    note(conn, who, row.look_id, received_at)
    return True


def cases_with(conn: Connection, sha256: str, establishment_id: str) -> list[CaseRow]:
    """Cases of an establishment that have this very picture among their files."""
    has = select(attachments.c.case_id).where(attachments.c.sha256 == sha256)
    found = select(cases).where(
        cases.c.establishment_id == establishment_id, cases.c.case_id.in_(has)
    )
    return [typed(row, CaseRow) for row in conn.execute(found.order_by(cases.c.number.desc()))]
