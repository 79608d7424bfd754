"""Tables of what alerts were worth: officers' verdicts on them, and what follows as a proposal."""

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Table, text

from ledger.columns import BigKey, Json, UtcTime
from ledger.tables.base import Id, Long, Segment, Word, filled, metadata

STANDING = "superseded_at IS NULL"
"""Of all verdicts on one alert, the last one stands; the others are its history."""
WAITING = "state = 'open'"
"""Of all proposals on one scope, one may wait for a decision."""

alert_verdicts = Table(
    "alert_verdicts",
    metadata,
    Column("id", BigKey, primary_key=True),
    filled("alert_id", Segment, ForeignKey("alerts.alert_id")),
    filled("officer_id", Id, ForeignKey("officers.id")),
    filled("verdict", Word),
    filled("cause", Word),
    filled("counts", Boolean),
    filled("note", Long),
    filled("at", UtcTime),
    Column("superseded_at", UtcTime),
    CheckConstraint("verdict IN ('true', 'false', 'unsure')", name="verdict"),
    Index("ix_alert_verdicts_alert_id", "alert_id", "id"),
    Index(
        "uq_alert_verdicts_standing",
        "alert_id",
        unique=True,
        sqlite_where=text(STANDING),
        postgresql_where=text(STANDING),
    ),
)

suppression_proposals = Table(
    "suppression_proposals",
    metadata,
    Column("id", Segment, primary_key=True),
    filled("kind", Word),
    filled("scope", Id),
    filled("rule", Id),
    filled("region", Segment),
    filled("site", Segment),
    filled("device", Segment),
    filled("zone", Id),
    Column("establishment_id", Id, ForeignKey("establishments.id")),
    filled("figures", Json),
    filled("state", Word),
    filled("proposed_at", UtcTime),
    filled("changed_at", UtcTime),
    Column("decided_at", UtcTime),
    Column("decided_by", Id, ForeignKey("officers.id")),
    filled("note", Long),
    Column("until", UtcTime),
    filled("made", Id),
    CheckConstraint("kind IN ('silence', 'digest')", name="kind"),
    CheckConstraint("state IN ('open', 'accepted', 'declined', 'withdrawn')", name="state"),
    Index(
        "uq_suppression_proposals_open_scope",
        "kind",
        "scope",
        unique=True,
        sqlite_where=text(WAITING),
        postgresql_where=text(WAITING),
    ),
    Index("ix_suppression_proposals_region", "region", "state", "proposed_at"),
)
