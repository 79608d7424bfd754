"""Tables of telling people: the browsers in which an officer has turned notifications on."""

from sqlalchemy import Column, ForeignKey, Table

from ledger.columns import UtcTime
from ledger.tables.base import Id, Line, Long, filled, metadata

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    filled("officer_id", Id, ForeignKey("officers.id"), index=True),
    filled("endpoint", Long),
    filled("p256dh", Id),
    filled("auth", Id),
    filled("server_key", Id),
    filled("browser", Line),
    filled("created_at", UtcTime),
    Column("used_at", UtcTime),
    Column("failed_at", UtcTime),
    filled("failure", Line),
)
