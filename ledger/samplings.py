"""Samplings 抽检 as they were entered: what was taken where, and what the laboratory concluded.

They are records of their own: a quick test is none, and nothing makes one of it. Nobody removes
one, and what was said once stays (`ledger.sheets.samplings` says what may still be added).
"""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from ledger.schema import samplings
from ledger.sql import plain, typed_or_none


class Sampling(msgspec.Struct, frozen=True):
    """One batch that was sampled."""

    id: str
    """Number of the sampling form 抽样单编号."""
    region: str
    kind: str
    """``supervision`` 监督抽检, ``evaluation`` 评价性抽检, ``monitoring`` 风险监测."""
    sampled_at: datetime
    food: str
    sampled_from: str
    """Who was sampled, as the form says."""
    lab: str
    entered_at: datetime
    establishment_id: str | None = None
    report_number: str | None = None
    reported_at: datetime | None = None
    verdict: str = "pending"
    """``pending``, ``pass`` or ``fail``."""
    failed_items: str = ""
    disposed_at: datetime | None = None
    disposal_document: str = ""
    published_at: datetime | None = None


def add(conn: Connection, new: Sampling) -> None:
    """Add one. Raises LedgerRefused for a number or report that is taken."""
    conn.execute(samplings.insert(), plain(new))


def get(conn: Connection, sampling_id: str) -> Sampling | None:
    """The sampling of that number."""
    row = conn.execute(select(samplings).where(samplings.c.id == sampling_id)).one_or_none()
    return typed_or_none(row, Sampling)
