"""The settings of one instrument on a serial line, as they stand in the agent's TOML file."""

from typing import Annotated

import msgspec


class InstrumentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An instrument: who it is, which profile reads it, and where its line ends.

    Instruments with the same `port` share an RS-485 bus and are asked in turn.
    """

    device: Annotated[
        str,
        msgspec.Meta(
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="Device id, unique at the site; the topic's device segment.",
        ),
    ]
    profile: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="Name of the profile's folder, for example `dayuan_lz_4000t`.",
        ),
    ]
    port: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="Where the line ends: a device path (best one under /dev/serial/by-id or "
            "by-path), `usb:VID:PID` or `usb:VID:PID:SERIAL` (hexadecimal ids), or a URL such as "
            "`socket://host:port` or `rfc2217://host:port`. It is resolved anew at every opening.",
        ),
    ]
    address: Annotated[
        Annotated[int, msgspec.Meta(ge=0, le=255)] | None,
        msgspec.Meta(description="Unit number on the bus; without it the profile's."),
    ] = None
    baud: Annotated[
        Annotated[int, msgspec.Meta(ge=50, le=4_000_000)] | None,
        msgspec.Meta(description="Speed in baud, where the unit differs from profile."),
    ] = None
    poll_every_s: Annotated[
        Annotated[float, msgspec.Meta(ge=0.05, le=86400)] | None,
        msgspec.Meta(description="Seconds between polls; without it the profile's."),
    ] = None
    batch_s: Annotated[
        float,
        msgspec.Meta(
            ge=0,
            le=3600,
            description="Readings are gathered this long before they are sent as one message; "
            "0 sends each poll's readings at once.",
        ),
    ] = 0.0
    utc_offset_h: Annotated[
        float,
        msgspec.Meta(ge=-12, le=14, description="The instrument's wall clock minus UTC, in hours."),
    ] = 8.0
