"""Tables of testing rooms: tasks 快检任务, and the book that each room's agent was given."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, text

from ledger.columns import Json, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata, where

tasks = Table(
    "tasks",
    metadata,
    Column("id", Id, primary_key=True),
    filled("title", Line),
    filled("region", Segment, ForeignKey("regions.code")),
    Column("establishment_id", Id, ForeignKey("establishments.id")),
    Column("site", Segment, ForeignKey("sites.id")),
    Column("officer_id", Id, ForeignKey("officers.id")),
    filled("food_group", Word),
    filled("items", Json),
    filled("wanted", Integer),
    filled("starts_at", UtcTime),
    filled("due_at", UtcTime),
    filled("note", Long),
    filled("created_at", UtcTime),
    Column("created_by", Id, ForeignKey("officers.id")),
    Column("withdrawn_at", UtcTime),
    filled("withdrawn_by", Id, server_default=text("''")),
    filled("withdraw_reason", Line, server_default=text("''")),
    filled("done", Integer, server_default="0"),
    filled("late", Integer, server_default="0"),
    Index("ix_tasks_region", "region", "due_at", "id"),
    Index("ix_tasks_due_at", "due_at", **where("withdrawn_at IS NULL")),
)

room_books = Table(
    "room_books",
    metadata,
    Column("site", Segment, ForeignKey("sites.id"), primary_key=True),
    Column("agent", Segment, primary_key=True),
    filled("region", Segment),
    filled("revision", BigInteger),
    filled("digest", Id),
    filled("content", LargeBinary),
    filled("made_at", UtcTime),
    filled("published", BigInteger, server_default="0"),
)

room_books_gone = Table(
    "room_books_gone",
    metadata,
    Column("region", Segment, primary_key=True),
    Column("site", Segment, primary_key=True),
    Column("agent", Segment, primary_key=True),
)
