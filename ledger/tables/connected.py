"""Tables of other city systems: the tokens that they ask with."""

from sqlalchemy import Column, ForeignKey, Table

from ledger.columns import Json, UtcTime
from ledger.tables.base import Id, Line, Segment, Word, filled, metadata

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
