"""The settings of the preview page, and who may open it."""

import ipaddress
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.settings import SettingsError, read_secret

LEAST_PASSWORD = 12
"""Characters: it is guarded by nothing else."""


class PreviewSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page on which a technician sees what the cameras see and decide."""

    port: Annotated[
        int, Meta(ge=0, le=65535, description="TCP port of the preview page; 0: there is none.")
    ] = 0
    host: Annotated[
        str,
        Meta(
            description="Address it listens on. Any but a loopback one needs `password_file`, and "
            "belongs behind TLS or on a line of its own."
        ),
    ] = "127.0.0.1"
    password_file: Annotated[
        str,
        Meta(
            description="File that holds the password to sign in with (at least 12 characters), "
            "relative to this settings file. Empty: nobody need sign in, on loopback only."
        ),
    ] = ""
    names: Annotated[
        list[str],
        Meta(
            description="Host names under which it may be asked for, besides addresses and "
            "localhost; any other is refused, which keeps foreign web pages out."
        ),
    ] = []
    faces: Annotated[
        bool,
        Meta(
            description="Whoever has signed in may see heads unhidden, on demand, while a camera "
            "is set up. Needs `password_file`."
        ),
    ] = False
    most_viewers: Annotated[
        int, Meta(ge=1, le=32, description="Browsers at a time; a further one is turned away.")
    ] = 4

    @property
    def loopback(self) -> bool:
        """True if only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def password(self, base: Path) -> str | None:
        """The password, or None if nobody need sign in; `base` is the settings file's folder.

        Raises SettingsError.
        """
        where = "preview.password_file"
        password = read_secret(self.password_file, "", where, base=base)
        if password is not None and len(password) < LEAST_PASSWORD:
            raise SettingsError(f"{where}: the password has fewer than {LEAST_PASSWORD} characters")
        if password is None and not self.loopback:
            raise SettingsError(f"{where}: is needed, for preview.host is {self.host}")
        if password is None and self.faces:
            raise SettingsError(f"{where}: is needed, for preview.faces is true")
        return password
