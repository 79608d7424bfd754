"""How long values and means are kept, and what must be said to a server to have it so."""

from typing import Annotated

from msgspec import Meta, Struct


class KeepSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How long measurements are kept; `foodsentry gateway setup-influx` tells the server.

    Of a file, the gateway removes old values itself.
    """

    raw_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36500,
            description="All but sqlite: days that values are kept as they were measured; 0: for "
            "ever. What comes "
            "in later than that is refused by the server and goes to the dead letters: longer than "
            "any edge may be without a network.",
        ),
    ] = 400
    means_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36500,
            description="Days that ten-minute means (with least, greatest, sum and count) are "
            "kept; 0: for ever.",
        ),
    ] = 1830
    late_days: Annotated[
        int,
        Meta(
            ge=1,
            le=366,
            description="Once a day the means of so many days are made anew, for values that came "
            "late (about 25 s of the server's time for a million values). After an edge was away "
            "for longer: `setup-influx --backfill DAYS`.",
        ),
    ] = 7
    file_days: Annotated[
        int,
        Meta(
            ge=0,
            le=36500,
            description="sqlite: days that values are kept; 0: for ever. Older ones are removed a "
            "few with every write; the file does not shrink, but grows no more.",
        ),
    ] = 0


def seconds(days: int) -> int:
    """Days as seconds; 0 stays 0, which every server takes for ever."""
    return days * 86_400


def days_text(days: int) -> tuple[str, str]:
    """A number of days for people, in Chinese and English."""
    return (f"{days} 天", f"{days} days") if days else ("永久", "for ever")
