"""The settings of the outbox."""

from typing import Annotated

import msgspec


class OutboxSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where facts wait for their receipt, and how much disk they may take."""

    path: Annotated[
        str,
        msgspec.Meta(
            min_length=1, description="SQLite file of the outbox, relative to this settings file."
        ),
    ] = "outbox.sqlite"
    max_mb: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=1_000_000,
            description="Disk bound in MiB. At nine tenths of it old readings thin out; the last "
            "tenth is kept for test results, observations and evidence.",
        ),
    ] = 4096
    quarantine_mb: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=10_000,
            description="Bound in MiB for bytes that could not be read; the oldest make room.",
        ),
    ] = 64
