"""Files that were looked at and wait for somebody's decision: one for each officer and sheet."""

import zlib
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection, delete, select

from ledger.schema import sheet_uploads
from ledger.sql import replacing

KEPT = timedelta(hours=2)
"""A file waits no longer than this."""


class Upload(msgspec.Struct, frozen=True):
    """A file as it was sent, and the token of its dry run."""

    name: str
    token: str
    content: bytes
    uploaded_at: datetime


def put(conn: Connection, officer_id: str, kind: str, upload: Upload) -> None:
    """Keep a file in place of that officer's last one of the sheet; forget those that are old."""
    conn.execute(
        delete(sheet_uploads).where(sheet_uploads.c.uploaded_at < upload.uploaded_at - KEPT)
    )
    row = {
        "officer_id": officer_id,
        "kind": kind,
        "token": upload.token,
        "name": upload.name,
        "content": zlib.compress(upload.content, 3),
        "uploaded_at": upload.uploaded_at,
    }
    conn.execute(replacing(conn.dialect.name, sheet_uploads), row)


def get(conn: Connection, officer_id: str, kind: str, token: str, at: datetime) -> Upload | None:
    """The file that this token names, if it still waits."""
    found = select(sheet_uploads).where(
        sheet_uploads.c.officer_id == officer_id,
        sheet_uploads.c.kind == kind,
        sheet_uploads.c.token == token,
        sheet_uploads.c.uploaded_at >= at - KEPT,
    )
    row = conn.execute(found).one_or_none()
    if row is None:
        return None
    return Upload(row.name, row.token, zlib.decompress(row.content), row.uploaded_at)


def remove(conn: Connection, officer_id: str, kind: str) -> None:
    """Forget an officer's file of a sheet."""
    conn.execute(
        delete(sheet_uploads).where(
            sheet_uploads.c.officer_id == officer_id, sheet_uploads.c.kind == kind
        )
    )
