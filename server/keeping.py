"""Keeping a picture of a look as evidence: who may ask, how often, and what has become of it."""

import re
from datetime import datetime, timedelta

import msgspec

from contracts.looks import HELD_S, MOST_KEPT
from ledger import audit, case_desk, evidence, kept_frames, sites
from ledger.attachments import NewAttachment
from ledger.case_desk import Wanted
from ledger.case_types import CaseRow
from ledger.engine import Connection
from ledger.evidence import EvidenceRow
from ledger.kept_frames import KeptRow
from ledger.looks import LookRow
from server.access import Right, may
from server.case_list import CaseFilter
from server.desk import Names
from server.formats import local
from server.looking import LEAST_REASON, MOST_REASON, LookRefused
from server.problems import not_found
from server.signing import Visit
from server.state import State
from server.uploads import check_upload

CASES = 50
"""Open cases of an establishment that a picture can be added to."""


class KeptFile(msgspec.Struct, frozen=True):
    """All that the page of a kept picture shows."""

    row: KeptRow
    camera: str
    place: str
    establishment_id: str | None
    picture: EvidenceRow | None
    """None: it has not come (yet)."""
    attached: list[CaseRow]
    """Cases that have it among their files."""
    open_cases: list[CaseRow]
    """Those of the establishment that it can be added to."""


def ask(
    conn: Connection, visit: Visit, look: LookRow, reason: str, sha256: str, now: datetime
) -> str:
    """Ask for a picture of a look to be kept, in the audit trail; returns its id.

    Raises LookRefused. Whether the site still has the picture, the site says.
    """
    reason = " ".join(reason.split())
    if not LEAST_REASON <= len(reason) <= MOST_REASON:
        raise LookRefused("keepreason", 422)
    if not re.fullmatch("[0-9a-f]{64}", sha256):
        raise LookRefused("picture", 422)
    if not keepable(look, now):
        raise LookRefused("gone", 409)
    if len(kept_frames.of_look(conn, look.look_id)) >= MOST_KEPT:
        raise LookRefused("enough", 409)
    via = visit.token.name if visit.token else ""
    kept_id = kept_frames.ask(conn, look, visit.officer.id, reason, sha256, now, via)
    detail = {
        "site": look.site, "camera": look.device, "reason": reason, "sha256": sha256,
        "kept": kept_id,
    }  # fmt: skip
    audit.append(conn, visit.actor, "look_kept", f"look/{look.look_id}", detail, now)
    return kept_id


def keepable(look: LookRow, now: datetime) -> bool:
    """Whether the site may still have its newest picture."""
    if look.captured_at is None or not look.sha256:
        return False
    return now - look.captured_at < timedelta(seconds=HELD_S)


def visible_kept(conn: Connection, visit: Visit, kept_id: str) -> KeptRow:
    """The kept picture, if this officer can see it. Raises Problem (404)."""
    row = kept_frames.get(conn, kept_id)
    if row is None or not visit.scope.covers_site(row.region, row.site):
        raise not_found("picture")
    return row


def read_kept(conn: Connection, state: State, visit: Visit, kept_id: str) -> KeptFile:
    """Gather it. Raises Problem (404)."""
    row = visible_kept(conn, visit, kept_id)
    names, site = Names(conn), sites.get(conn, row.site)
    owner = site.establishment_id if site else None
    picture = evidence.get(conn, row.evidence_id, row.site)
    attached: list[CaseRow] = []
    open_cases: list[CaseRow] = []
    if owner is not None and may(visit.officer, Right.ACT):
        attached = kept_frames.cases_with(conn, row.sha256, owner)
        wanted = Wanted(
            visit.scope.listed,
            states=CaseFilter().states(state.casework.rules),
            establishment_id=owner,
        )
        has = {one.case_id for one in attached}
        found = case_desk.find(conn, wanted, CASES)
        open_cases = [one for one in found if one.case_id not in has]
    return KeptFile(
        row=row,
        camera=names.device(row.identity),
        place=names.site(row.site),
        establishment_id=owner,
        picture=picture,
        attached=attached,
        open_cases=open_cases,
    )


def as_file(kept: KeptFile, state: State) -> NewAttachment:
    """The picture as a case takes it: the same bytes. Raises Problem (404), UploadRefused."""
    picture = kept.picture
    if picture is None:
        raise not_found("picture")
    name = f"{kept.camera} {local(picture.captured_at):%Y-%m-%d %H%M%S}.jpg"
    checked = check_upload(name, picture.content, state.settings.uploads)
    shown = checked.shown
    return NewAttachment(
        kind="photo",
        name=checked.name,
        media_type=checked.media_type,
        content=checked.content,
        shown=shown.content if shown else b"",
        width=shown.width if shown else 0,
        height=shown.height if shown else 0,
    )
