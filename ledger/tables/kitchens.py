"""Tables of looks: who asked to see what a kitchen's camera sees, why, what came, what was kept."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    text,
)

from ledger.columns import UtcTime
from ledger.tables.base import Id, Line, Segment, Word, filled, metadata

_DEVICE = ["devices.site", "devices.device"]

looks = Table(
    "looks",
    metadata,
    Column("look_id", Id, primary_key=True),
    filled("region", Segment),
    filled("site", Segment),
    filled("device", Segment),
    filled("asked_by", Id, ForeignKey("officers.id")),
    filled("asked_at", UtcTime),
    filled("reason", Line),
    filled("expires_at", UtcTime),
    filled("state", Word),
    filled("detail", Line, server_default=text("''")),
    Column("sent_at", UtcTime),
    Column("answered_at", UtcTime),
    filled("pictures", Integer, server_default=text("0")),
    Column("captured_at", UtcTime),
    filled("sha256", Id, server_default=text("''")),
    filled("width", Integer, server_default=text("0")),
    filled("height", Integer, server_default=text("0")),
    filled("signature_state", Word, server_default="none"),
    filled("agent", Segment, server_default=text("''")),
    filled("key_id", Id, server_default=text("''")),
    filled("via", Id, server_default=text("''")),
    Column("content", LargeBinary),
    ForeignKeyConstraint(["site", "device"], _DEVICE),
    CheckConstraint("state IN ('asked', 'sent', 'live', 'over', 'blind', 'refused')", name="state"),
    Index("ix_looks_camera", "site", "device", "asked_at"),
    Index("ix_looks_officer", "asked_by", "asked_at"),
    Index("ix_looks_region", "region", "asked_at"),
    Index(
        "ix_looks_unsent",
        "asked_at",
        sqlite_where=text("state = 'asked'"),
        postgresql_where=text("state = 'asked'"),
    ),
)
"""At most one picture for each look: the newest that came."""

kept_frames = Table(
    "kept_frames",
    metadata,
    Column("kept_id", Id, primary_key=True),
    filled("look_id", Id, ForeignKey("looks.look_id")),
    filled("region", Segment),
    filled("site", Segment),
    filled("device", Segment),
    filled("asked_by", Id, ForeignKey("officers.id")),
    filled("via", Id, server_default=text("''")),
    filled("asked_at", UtcTime),
    filled("reason", Line),
    filled("sha256", Id),
    filled("evidence_id", Id),
    filled("expires_at", UtcTime),
    filled("state", Word),
    filled("detail", Line, server_default=text("''")),
    Column("sent_at", UtcTime),
    Column("answered_at", UtcTime),
    ForeignKeyConstraint(["site", "device"], _DEVICE),
    CheckConstraint("state IN ('asked', 'sent', 'kept', 'not_kept')", name="state"),
    Index("ix_kept_frames_look", "look_id", "asked_at"),
    Index(
        "ix_kept_frames_unsent",
        "asked_at",
        sqlite_where=text("state = 'asked'"),
        postgresql_where=text("state = 'asked'"),
    ),
)
"""Pictures of looks that officers asked to be kept; what came of it lies among the evidence."""
