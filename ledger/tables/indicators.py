"""Tables of indicators: meals of cameras, supervision samplings, residents, frozen numbers."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    UniqueConstraint,
)

from ledger.columns import BigKey, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata

camera_meals = Table(
    "camera_meals",
    metadata,
    Column("site", Segment, primary_key=True),
    Column("device", Segment, primary_key=True),
    Column("ends_at", UtcTime, primary_key=True),
    filled("day", Word),
    filled("live_minutes", Float),
    filled("due_minutes", Float),
    filled("received_at", UtcTime),
    ForeignKeyConstraint(["site", "device"], ["devices.site", "devices.device"]),
    Index("ix_camera_meals_day", "day"),
)

samplings = Table(
    "samplings",
    metadata,
    Column("id", Id, primary_key=True),
    filled("region", Segment, ForeignKey("regions.code")),
    filled("kind", Word),
    filled("sampled_at", UtcTime),
    Column("establishment_id", Id, ForeignKey("establishments.id"), index=True),
    filled("sampled_from", Line),
    filled("food", Line),
    filled("lab", Line),
    Column("report_number", Id, unique=True),
    Column("reported_at", UtcTime),
    filled("verdict", Word),
    filled("failed_items", Line),
    Column("disposed_at", UtcTime),
    filled("disposal_document", Line),
    Column("published_at", UtcTime),
    filled("entered_at", UtcTime),
    CheckConstraint("kind IN ('supervision', 'evaluation', 'monitoring')", name="kind"),
    CheckConstraint("verdict IN ('pending', 'pass', 'fail')", name="verdict"),
    Index("ix_samplings_region", "region", "sampled_at"),
    Index("ix_samplings_sampled_at", "sampled_at"),
    Index("ix_samplings_reported_at", "reported_at"),
)

populations = Table(
    "populations",
    metadata,
    Column("id", Id, primary_key=True),
    filled("region", Segment, ForeignKey("regions.code")),
    filled("effective_from", Date),
    filled("people", Integer),
    filled("source", Line),
    filled("mark", Word),
    filled("entered_at", UtcTime),
    UniqueConstraint("region", "effective_from"),
    CheckConstraint("people > 0", name="people"),
    CheckConstraint("mark IN ('V', 'S', 'U')", name="mark"),
)

indicator_snapshots = Table(
    "indicator_snapshots",
    metadata,
    Column("number", BigKey, primary_key=True),
    filled("period", Word),
    filled("region", Segment),
    filled("indicator", Word),
    Column("part", Float),
    Column("whole", Float),
    filled("records", Integer),
    Column("value", Float),
    Column("target", Float),
    Column("met", Boolean),
    filled("definition", Long),
    filled("frozen_at", UtcTime),
    filled("previous_hash", Id),
    filled("hash", Id, unique=True),
    UniqueConstraint("period", "region", "indicator"),
    Index("ix_indicator_snapshots_indicator", "indicator", "region", "period"),
)
