"""Tables of who may speak at the broker: accounts, and the certificates issued for them."""

from sqlalchemy import Column, ForeignKey, Table

from ledger.columns import UtcTime
from ledger.tables.base import Id, Line, Segment, Word, filled, metadata

broker_accounts = Table(
    "broker_accounts",
    metadata,
    Column("name", Line, primary_key=True),
    filled("region", Segment),
    filled("site", Segment),
    filled("agent", Segment),
    filled("salt", Word),
    filled("password_hash", Line),
    filled("issued_at", UtcTime),
    filled("changed_at", UtcTime),
    filled("changed_by", Id),
    Column("revoked_at", UtcTime),
    filled("reason", Line),
)

broker_certificates = Table(
    "broker_certificates",
    metadata,
    Column("serial", Id, primary_key=True),
    filled("account", Line, ForeignKey("broker_accounts.name"), index=True),
    filled("not_before", UtcTime),
    filled("not_after", UtcTime),
    filled("issued_at", UtcTime),
    filled("issued_by", Id),
    Column("revoked_at", UtcTime),
)
