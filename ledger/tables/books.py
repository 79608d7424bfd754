"""Tables that keep the books straight: intake, journal, cursors, dead letters, audit chain."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, text

from ledger.columns import BigKey, Json, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata

OF_DEVICES = "kind = 'device'"

intake = Table(
    "intake",
    metadata,
    Column("site", Segment, primary_key=True),
    Column("agent", Segment, primary_key=True),
    Column("epoch", Id, primary_key=True),
    filled("region", Segment),
    filled("ranges", Json),
)

journal = Table(
    "journal",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("at", UtcTime),
    filled("kind", Word),
    filled("region", Segment),
    filled("site", Segment),
    filled("ref", Id),
    filled("body", Json),
    # Changes of devices' states, for the files of the places where they stand.
    Index(
        "ix_journal_devices",
        "site",
        "at",
        "id",
        sqlite_where=text(OF_DEVICES),
        postgresql_where=text(OF_DEVICES),
    ),
    sqlite_autoincrement=True,
)

cursors = Table(
    "cursors",
    metadata,
    Column("name", Id, primary_key=True),
    filled("position", BigInteger),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("topic", Long),
    filled("payload", LargeBinary),
    filled("reason", Long),
    filled("at", UtcTime),
    Column("replayed_at", UtcTime),
    sqlite_autoincrement=True,
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("at", UtcTime),
    filled("actor", Id),
    filled("action", Id),
    filled("subject", Line),
    filled("detail", Long),
    filled("previous_hash", Id),
    filled("hash", Id, unique=True),
    Column("region", Segment),
    Index("ix_audit_region", "region", "id"),
    Index("ix_audit_actor", "actor", "id"),
    Index("ix_audit_action", "action", "id"),
    sqlite_autoincrement=True,
)
