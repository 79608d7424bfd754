"""Tables of what is supervised: regions, establishments, sites, stalls and devices."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
    text,
)

from ledger.columns import BigKey, Json, UtcTime
from ledger.tables.base import Id, Line, Long, Segment, Word, filled, metadata

regions = Table(
    "regions",
    metadata,
    Column("code", Segment, primary_key=True),
    filled("name_zh", Line),
    filled("name_en", Line),
    Column("parent", Segment, ForeignKey("regions.code"), index=True),
    filled("source", Line),
    Column("retired_at", UtcTime),
)

establishments = Table(
    "establishments",
    metadata,
    Column("id", Id, primary_key=True),
    filled("name", Line),
    filled("kind", Word),
    Column("credit_code", Word, unique=True),
    Column("licence_number", Word, unique=True),
    filled("region", Segment, ForeignKey("regions.code"), index=True),
    filled("address", Line),
    # No foreign key to officers: the two would need each other, and an officer who leaves must not
    # take the file along. An establishment without an officer is a finding of its own.
    Column("officer_id", Id, index=True),
    filled("public_code", Word, unique=True),
    filled("risk_grade", Word),
    # When it was entered here, from when on it counts; None: before this was kept.
    Column("registered_at", UtcTime),
    Column("retired_at", UtcTime),
    Column("licence_from", Date),
    Column("licence_until", Date),
    CheckConstraint("kind IN ('market', 'canteen', 'van', 'supermarket')", name="kind"),
)

establishment_events = Table(
    "establishment_events",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("establishment_id", Id, ForeignKey("establishments.id")),
    filled("at", UtcTime),
    filled("kind", Word),
    filled("body", Json),
    CheckConstraint(
        "kind IN ('registered', 'changed', 'retired', 'brought_back', 'code_renewed')",
        name="kind",
    ),
    Index("ix_establishment_events_establishment_id", "establishment_id", "at"),
)

retired_codes = Table(
    "retired_codes",
    metadata,
    Column("code", Word, primary_key=True),
    filled("establishment_id", Id, ForeignKey("establishments.id"), index=True),
    filled("retired_at", UtcTime),
    filled("retired_by", Id, ForeignKey("officers.id")),
    filled("reason", Long),
    Column("good_until", UtcTime),
)

sites = Table(
    "sites",
    metadata,
    Column("id", Segment, primary_key=True),
    filled("region", Segment, ForeignKey("regions.code"), index=True),
    Column("establishment_id", Id, ForeignKey("establishments.id"), index=True),
    filled("name", Line),
    filled("kind", Word),
    filled("self_test", Boolean),
    Column("retired_at", UtcTime),
    UniqueConstraint("region", "id"),
    CheckConstraint("kind IN ('testing_room', 'quick_test_van', 'canteen')", name="kind"),
)

stalls = Table(
    "stalls",
    metadata,
    Column("id", Id, primary_key=True),
    filled("site", Segment, ForeignKey("sites.id")),
    filled("label", Line),
    filled("keeper", Line),
    filled("name", Line, server_default=text("''")),
    filled("supplier", Line, server_default=text("''")),
    Column("retired_at", UtcTime),
    UniqueConstraint("site", "label"),
)

stall_events = Table(
    "stall_events",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("stall_id", Id, ForeignKey("stalls.id")),
    filled("at", UtcTime),
    filled("kind", Word),
    filled("body", Json),
    CheckConstraint("kind IN ('registered', 'changed', 'retired', 'brought_back')", name="kind"),
    Index("ix_stall_events_stall_id", "stall_id", "id"),
)

devices = Table(
    "devices",
    metadata,
    Column("site", Segment, primary_key=True),
    Column("device", Segment, primary_key=True),
    filled("region", Segment),
    filled("kind", Word),
    filled("name", Line),
    filled("model", Line),
    filled("registered_at", UtcTime),
    Column("silent_after_s", Float),
    filled("state", Word),
    filled("state_detail", Line),
    Column("state_at", UtcTime),
    Column("status_received_at", UtcTime),
    Column("last_seen_at", UtcTime),
    filled("software", Line),
    filled("epoch", Line),
    Column("lowest_unreceipted", BigInteger),
    filled("oldest_unsent_age_s", Float),
    filled("backlog", BigInteger),
    filled("outbox_bytes", BigInteger),
    filled("thinned", BigInteger),
    filled("discarded_bytes", BigInteger),
    Column("clock_offset_s", Float),
    filled("figures", Json),
    filled("numbering", Json, server_default="[]"),
    Column("waiting_since", UtcTime),
    Column("retired_at", UtcTime),
    ForeignKeyConstraint(["region", "site"], ["sites.region", "sites.id"], onupdate="CASCADE"),
    CheckConstraint(
        "kind IN ('agent', 'pesticide_reader', 'analyzer', 'probe', 'camera')", name="kind"
    ),
    Index("ix_devices_watched", "silent_after_s", "last_seen_at"),
    Index("ix_devices_region", "region"),
)

device_gaps = Table(
    "device_gaps",
    metadata,
    Column("site", Segment, primary_key=True),
    Column("device", Segment, primary_key=True),
    Column("since", UtcTime, primary_key=True),
    filled("until", UtcTime),
    ForeignKeyConstraint(["site", "device"], ["devices.site", "devices.device"]),
)
# Times in which a device that was brought back had been retired; never changed, never removed.
