"""Tables of other city systems: the tokens that they ask with, the webhooks that tell them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from ledger.columns import BigKey, Json, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Id, primary_key=True),
    filled("token_hash", Id, unique=True),
    filled("shown", Word),
    filled("name", Line),
    filled("scopes", Json),
    filled("region", Segment, ForeignKey("regions.code")),
    filled("officer_id", Id, ForeignKey("officers.id"), index=True),
    filled("created_at", UtcTime),
    filled("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
    Column("revoked_at", UtcTime),
    Column("revoked_by", Id),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Id, primary_key=True),
    filled("name", Line),
    filled("url", Long),
    filled("events", Json),
    filled("region", Segment, ForeignKey("regions.code")),
    filled("secret", Line),
    Column("old_secret", Line),
    Column("old_secret_until", UtcTime),
    filled("officer_id", Id, ForeignKey("officers.id"), index=True),
    filled("state", Word),
    filled("reason", Line),
    filled("created_at", UtcTime),
    filled("changed_at", UtcTime),
    filled("position", BigInteger),
    filled("failures", Integer),
    Column("next_at", UtcTime),
    Column("removed_at", UtcTime),
    CheckConstraint("state IN ('active', 'paused')", name="state"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("webhook_id", Id, ForeignKey("webhooks.id")),
    filled("message_id", Id),
    filled("event", Id),
    filled("ref", Line),
    filled("body", Long),
    filled("state", Word),
    filled("tries", Integer),
    filled("created_at", UtcTime),
    Column("first_try_at", UtcTime),
    Column("last_try_at", UtcTime),
    Column("next_at", UtcTime),
    Column("status", Integer),
    filled("answer", Line),
    UniqueConstraint("webhook_id", "message_id"),
    CheckConstraint("state IN ('waiting', 'sent', 'dead')", name="state"),
    Index("ix_webhook_deliveries_waiting", "webhook_id", "state", "id"),
    Index("ix_webhook_deliveries_created_at", "created_at"),
    sqlite_autoincrement=True,
)
