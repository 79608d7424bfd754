"""The settings of the vault: whose keys open it, how long and how much it keeps."""

from typing import Annotated

import msgspec
from msgspec import Meta


class VaultSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Unblurred originals of findings, sealed so that two officers together can open them."""

    officers: Annotated[
        list[str],
        Meta(
            max_length=2,
            description="Files of the two officers' public keys (`foodsentry vault keygen`), "
            "relative to this file. Without them no original is kept.",
        ),
    ] = []
    folder: Annotated[
        str,
        Meta(
            description="Where sealed originals lie; relative to this file. Empty: `vault` in the "
            "state folder."
        ),
    ] = ""
    retention_days: Annotated[
        int, Meta(ge=1, le=3650, description="Older originals are deleted.")
    ] = 30
    most_mb: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Disk bound in MiB; the oldest originals make room for new ones.",
        ),
    ] = 1024
