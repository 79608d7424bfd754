"""Files that people add to a case: kept for ever as they came, equal bytes once, by their SHA-256.

There is no way to change or remove one. What a browser may show of a picture is kept beside it.
"""

import hashlib
from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import Connection, select

from ledger.engine import LedgerRefused
from ledger.ids import new_id
from ledger.schema import attachment_contents, attachments, cases
from ledger.sql import insert_into, typed, typed_or_none

Kind = Literal["photo", "document", "report"]


class NewAttachment(msgspec.Struct, frozen=True):
    """A file that was checked; see `server.uploads`."""

    kind: Kind
    name: str
    media_type: str
    content: bytes
    shown: bytes = b""
    """A picture drawn anew, without what the camera wrote beside it; empty: nothing is shown."""
    width: int = 0
    height: int = 0
    """In pixels; 0 for what is no picture."""


class Attachment(msgspec.Struct, frozen=True):
    """A stored file, without its bytes."""

    id: str
    case_id: str
    kind: Kind
    sha256: str
    name: str
    media_type: str
    size: int
    """Bytes."""
    width: int
    height: int
    shown_sha256: str | None
    """Content that a page may show; None: only the file itself can be had."""
    added_by: str
    """Officer id."""
    added_at: datetime


def add(
    conn: Connection, case_id: str, new: NewAttachment, officer: str, at: datetime
) -> Attachment:
    """Keep a file with a case. The same content by the same officer again is the one there is.

    Raises LedgerRefused if there is no such case.
    """
    if conn.scalar(select(cases.c.case_id).where(cases.c.case_id == case_id)) is None:
        raise LedgerRefused(f"there is no case {case_id[:40]!r}")
    digest = _keep(conn, new.content)
    same = select(attachments).where(
        attachments.c.case_id == case_id,
        attachments.c.sha256 == digest,
        attachments.c.kind == new.kind,
        attachments.c.added_by == officer,
    )
    known = typed_or_none(conn.execute(same.limit(1)).one_or_none(), Attachment)
    if known is not None:
        return known
    row = Attachment(
        id=new_id(),
        case_id=case_id,
        kind=new.kind,
        sha256=digest,
        name=new.name,
        media_type=new.media_type,
        size=len(new.content),
        width=new.width,
        height=new.height,
        shown_sha256=_keep(conn, new.shown) if new.shown else None,
        added_by=officer,
        added_at=at,
    )
    conn.execute(attachments.insert(), msgspec.structs.asdict(row))
    return row


def get(conn: Connection, attachment_id: str) -> Attachment | None:
    """The file of that id."""
    found = select(attachments).where(attachments.c.id == attachment_id)
    return typed_or_none(conn.execute(found).one_or_none(), Attachment)


def of_case(conn: Connection, case_id: str) -> list[Attachment]:
    """A case's files, the oldest first."""
    found = select(attachments).where(attachments.c.case_id == case_id)
    ordered = found.order_by(attachments.c.added_at, attachments.c.id)
    return [typed(row, Attachment) for row in conn.execute(ordered)]


def content(conn: Connection, sha256: str) -> bytes:
    """The bytes of that hash. Raises KeyError."""
    found = select(attachment_contents.c.content).where(attachment_contents.c.sha256 == sha256)
    kept: bytes | None = conn.scalar(found)
    if kept is None:
        raise KeyError(sha256)
    return kept


def _keep(conn: Connection, kept: bytes) -> str:
    digest = hashlib.sha256(kept).hexdigest()
    known = select(attachment_contents.c.sha256).where(attachment_contents.c.sha256 == digest)
    if conn.scalar(known) is None:  # a large content is not sent to be thrown away
        row = {"sha256": digest, "content": kept}
        conn.execute(insert_into(conn, attachment_contents).on_conflict_do_nothing(), row)
    return digest
