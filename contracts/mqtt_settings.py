"""The settings that every process needs to reach the broker."""

from pathlib import Path
from typing import Annotated

import msgspec

from contracts.settings import read_secret


class MqttSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach the MQTT 5 broker."""

    host: Annotated[str, msgspec.Meta(description="Host name or address of the broker.")] = (
        "127.0.0.1"
    )
    port: Annotated[int, msgspec.Meta(ge=1, le=65535, description="TCP port.")] = 1883
    username: Annotated[
        str, msgspec.Meta(description="User name at the broker; empty: anonymous.")
    ] = ""
    password_file: Annotated[
        str,
        msgspec.Meta(
            description="File that holds the password, relative to this settings file. "
            "Without it, the environment variable FOODSENTRY_MQTT_PASSWORD is used."
        ),
    ] = ""
    tls_ca_file: Annotated[
        str, msgspec.Meta(description="CA certificate; setting it turns TLS on.")
    ] = ""
    client_id: Annotated[
        str, msgspec.Meta(description="MQTT client id; empty: made from the process's identity.")
    ] = ""
    keepalive_s: Annotated[
        int, msgspec.Meta(ge=2, le=3600, description="Keep-alive; the last will follows 1.5 of it.")
    ] = 15

    def password(self, settings_file: Path) -> str | None:
        """The password, from its file or the environment. Raises SettingsError."""
        return read_secret(
            self.password_file,
            "FOODSENTRY_MQTT_PASSWORD",
            f"{settings_file}: mqtt.password_file",
            base=settings_file.parent,
        )
