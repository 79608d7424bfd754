"""The settings of looks at kitchens' cameras: how many one officer, and one camera, may have."""

from typing import Annotated

import msgspec
from msgspec import Meta


class LookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Looks that are asked for on the wall of kitchens."""

    per_officer: Annotated[
        int, Meta(ge=1, le=1000, description="Looks that one officer may ask for in an hour.")
    ] = 20
    per_camera: Annotated[
        int,
        Meta(
            ge=1,
            le=60,
            description="Looks at one camera in an hour, whoever asks. The site has a limit of its "
            "own (`looks.per_hour` of the edge).",
        ),
    ] = 8
