"""Tables of who signs in: officers, their sessions, and failed attempts."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Table,
)

from ledger.columns import BigKey, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata

officers = Table(
    "officers",
    metadata,
    Column("id", Id, primary_key=True),
    filled("login", Id, unique=True),
    filled("name", Line),
    filled("password_hash", Long),
    filled("role", Word),
    filled("region", Segment, ForeignKey("regions.code"), index=True),
    Column("establishment_id", Id, ForeignKey("establishments.id"), index=True),
    filled("active", Boolean),
    CheckConstraint(
        "role IN ('city', 'county', 'town', 'operator', 'auditor', 'admin')", name="role"
    ),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Id, primary_key=True),
    filled("officer_id", Id, ForeignKey("officers.id"), index=True),
    filled("csrf", Id),
    filled("created_at", UtcTime),
    filled("expires_at", UtcTime, index=True),
    filled("last_seen_at", UtcTime),
)

login_failures = Table(
    "login_failures",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("login", Id),
    filled("address", Id),
    filled("at", UtcTime, index=True),
    Index("ix_login_failures_login", "login", "at"),
    Index("ix_login_failures_address", "address", "at"),
)
