"""What devices said of their state over a time, out of the journal, and what held before it."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, func, select

from ledger import journal
from ledger.schema import journal as table
from ledger.sql import among_these

Changes = list[tuple[datetime, str]]
"""From when on a device was in which state, by time."""


def changes(
    conn: Connection, sites: Collection[str], since: datetime
) -> dict[tuple[str, str], Changes]:
    """By site and device: the state that held at `since`, if any was told; each change after."""
    state = table.c.body["state"].as_string().label("state")
    device = table.c.body["device"].as_string().label("device")
    of_devices = (table.c.kind == journal.DEVICE, among_these(table.c.site, sites))
    last = (
        select(func.max(table.c.id))
        .where(*of_devices, table.c.at < since)
        .group_by(table.c.site, table.c.ref)
    )
    columns = (table.c.site, device, table.c.at, state)
    found: dict[tuple[str, str], Changes] = {}
    before = select(*columns).where(table.c.id.in_(last))
    later = select(*columns).where(*of_devices, table.c.at >= since).order_by(table.c.id)
    for row in (*conn.execute(before), *conn.execute(later)):
        found.setdefault((row.site, row.device), []).append((row.at, row.state))
    return found
