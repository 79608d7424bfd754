"""The settings that every process needs to reach the broker."""

from pathlib import Path
from typing import Annotated

import msgspec

from contracts.settings import SettingsError, read_secret
from contracts.tls import TlsFiles, TlsUnusable


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
        str,
        msgspec.Meta(
            description="CA certificate (PEM), relative to this settings file; setting it turns "
            "TLS on."
        ),
    ] = ""
    tls_cert_file: Annotated[
        str,
        msgspec.Meta(
            description="Our own certificate (PEM), for a broker that knows its clients by "
            "certificate; read anew at every connection. Needs tls_key_file and tls_ca_file."
        ),
    ] = ""
    tls_key_file: Annotated[
        str,
        msgspec.Meta(
            description="The private key of tls_cert_file (PEM, not encrypted, readable by this "
            "process alone)."
        ),
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

    def tls(self, settings_file: Path) -> TlsFiles | None:
        """The files for TLS, tried once; None without TLS. Raises SettingsError."""
        if bool(self.tls_cert_file) != bool(self.tls_key_file):
            raise SettingsError(
                f"{settings_file}: mqtt.tls_cert_file and mqtt.tls_key_file go together"
            )
        if not self.tls_ca_file:
            if self.tls_cert_file:
                raise SettingsError(f"{settings_file}: mqtt.tls_cert_file needs mqtt.tls_ca_file")
            return None
        base = settings_file.absolute().parent
        files = TlsFiles(
            base / self.tls_ca_file,
            base / self.tls_cert_file if self.tls_cert_file else None,
            base / self.tls_key_file if self.tls_key_file else None,
        )
        try:
            files.context()
        except TlsUnusable as error:
            raise SettingsError(f"{settings_file}: {error}") from None
        return files
