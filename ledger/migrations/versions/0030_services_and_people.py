"""When devices were out of use and came back; people of a region; indices for times and voids."""

import sqlalchemy as sa
from alembic import op

from ledger.columns import CleanText, UtcTime

revision = "0030"
down_revision = "0029"

MOVES = ("devices.retired", "devices.brought_back")


def upgrade() -> None:
    op.create_table(
        "device_gaps",
        sa.Column("site", CleanText(64), nullable=False),
        sa.Column("device", CleanText(64), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["site", "device"],
            ["devices.site", "devices.device"],
            name=op.f("fk_device_gaps_site_device"),
        ),
        sa.PrimaryKeyConstraint("site", "device", "since", name=op.f("pk_device_gaps")),
    )
    op.create_table(
        "populations",
        sa.Column("id", CleanText(128), nullable=False),
        sa.Column("region", CleanText(64), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("source", CleanText(512), nullable=False),
        sa.Column("mark", CleanText(32), nullable=False),
        sa.Column("entered_at", UtcTime(), nullable=False),
        sa.CheckConstraint("people > 0", name=op.f("ck_populations_people")),
        sa.CheckConstraint("mark IN ('V', 'S', 'U')", name=op.f("ck_populations_mark")),
        sa.ForeignKeyConstraint(["region"], ["regions.code"], name=op.f("fk_populations_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_populations")),
        sa.UniqueConstraint(
            "region", "effective_from", name=op.f("uq_populations_region_effective_from")
        ),
    )
    op.create_index("ix_alert_timeline_times", "alert_timeline", ["alert_id", "kind", "at"])
    op.drop_index("ix_alert_timeline_alert_id", "alert_timeline")
    op.create_index(
        "ix_samples_voided",
        "samples",
        ["id"],
        sqlite_where=sa.text("voided = 1"),
        postgresql_where=sa.text("voided"),
    )
    _gaps_of_old()


def _gaps_of_old() -> None:
    """What the audit trail says of devices that came back before this was kept."""
    conn = op.get_bind()
    audit = sa.table(
        "audit", sa.column("id"), sa.column("at", UtcTime()), sa.column("action"),
        sa.column("subject"),
    )  # fmt: skip
    devices = sa.table("devices", sa.column("site"), sa.column("device"))
    gaps = sa.table(
        "device_gaps", sa.column("site"), sa.column("device"), sa.column("since", UtcTime()),
        sa.column("until", UtcTime()),
    )  # fmt: skip
    there = {(row.site, row.device) for row in conn.execute(sa.select(devices))}
    moves = sa.select(audit).where(audit.c.action.in_(MOVES)).order_by(audit.c.id)
    retired = {}
    for row in conn.execute(moves).all():
        _, _, name = row.subject.partition("/")
        site, _, device = name.partition("/")
        if row.action == MOVES[0]:
            retired[site, device] = row.at
            continue
        since = retired.pop((site, device), None)
        if since is not None and since < row.at and (site, device) in there:
            conn.execute(gaps.insert().values(site=site, device=device, since=since, until=row.at))
