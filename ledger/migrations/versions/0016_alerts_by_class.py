"""The index of alerts by region knows their class, so that open ones are counted from it alone."""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.drop_index("ix_alerts_region", "alerts")
    op.create_index("ix_alerts_region", "alerts", ["region", "state", "severity", "raised_at"])
