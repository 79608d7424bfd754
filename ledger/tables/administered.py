"""Tables of administration: files that wait for a decision, and which rules are loaded."""

from sqlalchemy import Column, ForeignKey, LargeBinary, Table

from ledger.columns import Json, UtcTime
from ledger.tables.base import Id, Line, Word, filled, metadata

sheet_uploads = Table(
    "sheet_uploads",
    metadata,
    Column("officer_id", Id, ForeignKey("officers.id"), primary_key=True),
    Column("kind", Word, primary_key=True),
    filled("token", Id),
    filled("name", Line),
    filled("content", LargeBinary),
    filled("uploaded_at", UtcTime),
)

loaded_rules = Table(
    "loaded_rules",
    metadata,
    Column("gateway", Id, primary_key=True),
    filled("loaded_at", UtcTime),
    filled("files", Json),
    filled("rules", Json),
)
