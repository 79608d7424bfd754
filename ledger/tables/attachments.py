"""Tables of what people add to a case: files by their hash, and confirmations asked for."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    text,
)

from ledger.columns import Json, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata

OPEN = "answer = ''"

attachment_contents = Table(
    "attachment_contents",
    metadata,
    Column("sha256", Segment, primary_key=True),
    filled("content", LargeBinary),
)

attachments = Table(
    "attachments",
    metadata,
    Column("id", Segment, primary_key=True),
    filled("case_id", Segment, ForeignKey("cases.case_id")),
    filled("kind", Word),
    filled("sha256", Segment, ForeignKey("attachment_contents.sha256")),
    filled("name", Line),
    filled("media_type", Id),
    filled("size", BigInteger),
    filled("width", Integer),
    filled("height", Integer),
    Column("shown_sha256", Segment, ForeignKey("attachment_contents.sha256")),
    filled("added_by", Id, ForeignKey("officers.id")),
    filled("added_at", UtcTime),
    CheckConstraint("kind IN ('photo', 'document', 'report')", name="kind"),
    Index("ix_attachments_case_id", "case_id", "added_at"),
)

case_confirmations = Table(
    "case_confirmations",
    metadata,
    Column("id", Segment, primary_key=True),
    filled("case_id", Segment, ForeignKey("cases.case_id"), index=True),
    filled("version", Integer),
    filled("move", Word),
    filled("given", Json),
    filled("asked_by", Id, ForeignKey("officers.id")),
    filled("second", Id, ForeignKey("officers.id")),
    filled("asked_at", UtcTime),
    filled("answer", Word),
    Column("answered_at", UtcTime),
    filled("note", Long),
    CheckConstraint(
        "answer IN ('', 'confirmed', 'declined', 'withdrawn')",
        name="answer",
    ),
    Index(
        "ix_case_confirmations_second",
        "second",
        sqlite_where=text(OPEN),
        postgresql_where=text(OPEN),
    ),
)
