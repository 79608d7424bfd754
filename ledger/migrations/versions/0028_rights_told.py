"""Cases that are not closed are looked at once, for parties' rights that are told of now."""

from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    # What was told already stands in case_tellings, and is not told again.
    op.execute("UPDATE cases SET remind_at = opened_at WHERE closed_at IS NULL")
