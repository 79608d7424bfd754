"""Tables of people: officers, sessions, failed attempts, duty rosters, how to reach them."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    false,
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
    Column("language", Word),
    filled("must_change", Boolean, server_default=false()),
    CheckConstraint(
        "role IN ('city', 'county', 'town', 'grid', 'operator', 'auditor', 'admin')", name="role"
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
    Column("address", Id),
    Column("browser", Line),
    filled("way", Word, server_default="password"),
)

password_links = Table(
    "password_links",
    metadata,
    Column("token_hash", Id, primary_key=True),
    filled("officer_id", Id, ForeignKey("officers.id"), index=True),
    filled("made_by", Id, ForeignKey("officers.id")),
    filled("made_at", UtcTime),
    filled("expires_at", UtcTime),
)

sign_in_requests = Table(
    "sign_in_requests",
    metadata,
    Column("state_hash", Id, primary_key=True),
    filled("nonce", Id),
    filled("verifier", Id),
    filled("target", Long),
    filled("expires_at", UtcTime, index=True),
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

duties = Table(
    "duties",
    metadata,
    Column("id", Id, primary_key=True),
    filled("region", Segment, ForeignKey("regions.code")),
    filled("officer_id", Id, ForeignKey("officers.id"), index=True),
    filled("starts_at", UtcTime),
    filled("ends_at", UtcTime),
    UniqueConstraint("region", "officer_id", "starts_at"),
    CheckConstraint("starts_at < ends_at", name="span"),
    Index("ix_duties_region", "region", "ends_at"),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    filled("officer_id", Id, ForeignKey("officers.id")),
    filled("channel", Word),
    filled("address", Line),
    filled("position", Integer),
    filled("active", Boolean),
    UniqueConstraint("officer_id", "channel", "address"),
)
