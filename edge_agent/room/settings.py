"""The settings of the testing room's page."""

import ipaddress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.settings import SettingsError


class RoomSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page on which operators register samples and see their results (docs/testing-room.md)."""

    port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port of the room's page; 0: there is none.")
    ] = 0
    host: Annotated[
        str,
        Meta(
            description="Address it listens on. Any but a loopback one needs `operators_file`, and "
            "belongs behind TLS or on a line of its own."
        ),
    ] = "127.0.0.1"
    names: Annotated[
        list[str],
        Meta(
            description="Host names under which it may be asked for, besides addresses and "
            "localhost; any other is refused, which keeps foreign web pages out."
        ),
    ] = []
    operators_file: Annotated[
        str,
        Meta(
            description="File with operators and their hashed PINs, made by `foodsentry edge "
            "operator`; relative to this settings file. Empty: nobody need sign in, and only on "
            "loopback."
        ),
    ] = ""
    prefix: Annotated[
        str,
        Meta(
            pattern="^[A-Z]{0,2}$",
            description="Letters before every sample number. Where a site has several agents with "
            "a page, each needs its own, for numbers are unique at a site.",
        ),
    ] = ""
    window_min: Annotated[
        float,
        Meta(
            ge=1,
            le=720,
            description="So long after its registration a result may come without number.",
        ),
    ] = 60.0
    utc_offset_h: Annotated[
        float, Meta(ge=-12, le=14, description="The room's own time: when its day begins.")
    ] = 8.0
    label_width_mm: Annotated[
        float, Meta(ge=40, le=110, description="Width of the labels that are printed.")
    ] = 50.0
    label_height_mm: Annotated[
        float, Meta(ge=25, le=110, description="Height of the labels that are printed.")
    ] = 30.0
    label_dots_per_mm: Annotated[
        float,
        Meta(
            ge=6,
            le=48,
            description="What the label printer can do: 8 is 203 dpi, 12 is 300 dpi. Bars are of "
            "whole dots.",
        ),
    ] = 8.0
    keep_days: Annotated[
        int,
        Meta(ge=7, le=3650, description="Samples that are in the city are kept here so long."),
    ] = 90
    next_steps: Annotated[
        str,
        Meta(
            description="What each verdict asks for next (TOML), relative to this settings file; "
            "empty: the file that comes with the software."
        ),
    ] = ""

    @property
    def loopback(self) -> bool:
        """True if only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def checked(self, base: Path) -> Path | None:
        """The operators' file, None if nobody need sign in. Raises SettingsError."""
        if not self.operators_file:
            if not self.loopback:
                raise SettingsError(f"room.operators_file: is needed, for room.host is {self.host}")
            return None
        return base / self.operators_file
