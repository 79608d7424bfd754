"""What all tables share: metadata with its naming rule, usual lengths, filled columns."""

from typing import Any

from sqlalchemy import Column, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Segment = String(64)
"""A region, site or device id, as in a topic."""
Word = String(32)
Id = String(128)
Line = String(512)


def filled(name: str, kind: Any, *arguments: Any, **options: Any) -> Column[Any]:
    """A column that is never NULL."""
    return Column(name, kind, *arguments, nullable=False, **options)
