"""The settings of looks: whether the city may look, and how often."""

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.looks import MOST_S


class LookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Looks of supervisors, and of the establishment's own people, through the city's console."""

    allowed: Annotated[
        bool,
        Meta(description="Whether looks are answered at all; a refusal is told, with its reason."),
    ] = True
    per_hour: Annotated[
        int,
        Meta(ge=1, le=60, description="Looks at one camera within an hour; more are refused."),
    ] = 12
    lasts_s: Annotated[
        float,
        Meta(ge=1, le=MOST_S, description="For so long pictures are sent after a look began."),
    ] = MOST_S
    every_s: Annotated[
        float, Meta(ge=1, le=30, description="Seconds between two pictures of a look.")
    ] = 1.0
