"""What all tables share: metadata with its naming rule, usual lengths, filled columns."""

from typing import Any

from sqlalchemy import Column, MetaData, text

from ledger.columns import CleanText

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Segment = CleanText(64)
"""A region, site or device id, as in a topic."""
Word = CleanText(32)
Id = CleanText(128)
Line = CleanText(512)
Long = CleanText()


def filled(name: str, kind: Any, *arguments: Any, **options: Any) -> Column[Any]:
    """A column that is never NULL."""
    return Column(name, kind, *arguments, nullable=False, **options)


def where(condition: str) -> dict[str, Any]:
    """An index's options for the rows that meet a condition only, on both databases."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}
