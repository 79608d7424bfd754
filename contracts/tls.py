"""TLS to the broker: a client's context from its files, and what a failed handshake means in words.

Pure standard library. Problems name the settings key and say what to do, because a certificate is
what a technician meets once a year and never remembers.
"""

import socket
import ssl
from pathlib import Path

import msgspec

_EXPIRED, _NOT_YET_VALID, _REVOKED, _WRONG_HOST, _WRONG_ADDRESS = 10, 9, 23, 62, 64
_UNKNOWN_CA = (2, 18, 19, 20, 21)
"""X509_V_ERR_… of OpenSSL."""

_ALERTS = {
    "CERTIFICATE_EXPIRED": "the broker says that our certificate (mqtt.tls_cert_file) has expired: "
    "have a new one issued",
    "CERTIFICATE_REVOKED": "the broker says that our certificate (mqtt.tls_cert_file) was revoked: "
    "ask the city for a new one",
    "CERTIFICATE_REQUIRED": "the broker demands a client certificate: set mqtt.tls_cert_file and "
    "mqtt.tls_key_file, or use the port for passwords",
    "UNKNOWN_CA": "the broker does not know the CA that signed our certificate "
    "(mqtt.tls_cert_file): have one issued by the city's CA",
    "BAD_CERTIFICATE": "the broker refuses our certificate (mqtt.tls_cert_file)",
    "CERTIFICATE_UNKNOWN": "the broker refuses our certificate (mqtt.tls_cert_file)",
    "HANDSHAKE_FAILURE": "broker and client find no common way of TLS, or the broker demands a "
    "client certificate (mqtt.tls_cert_file)",
    "PROTOCOL_VERSION": "the broker speaks too old a TLS; 1.2 is the least",
    "WRONG_VERSION_NUMBER": "what answers does not speak TLS: check mqtt.port",
    "RECORD_LAYER_FAILURE": "what answers does not speak TLS: check mqtt.port",
}


class TlsUnusable(OSError):
    """A file for TLS cannot be used; the text names the settings key, the file and the reason."""


class TlsFiles(msgspec.Struct, frozen=True):
    """Where the CA's certificate is, and our own certificate with its key, if we have one."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """A client's context: TLS 1.2 or newer, the broker's name is checked. Reads the files.

        Raises TlsUnusable.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_verify_locations(cafile=self.ca)
        except OSError as error:
            raise TlsUnusable(f"mqtt.tls_ca_file: {self.ca}: {_reason(error)}") from None
        if self.certificate and self.key:
            for name, file in (("cert", self.certificate), ("key", self.key)):
                try:
                    file.read_bytes()
                except OSError as error:
                    raise TlsUnusable(f"mqtt.tls_{name}_file: {file}: {error.strerror}") from None
            try:
                # The password stands for none: a key that needs one must not ask on a terminal.
                context.load_cert_chain(self.certificate, self.key, password=lambda: b"-")
            except OSError as error:
                both = f"mqtt.tls_cert_file: {self.certificate}, mqtt.tls_key_file: {self.key}"
                raise TlsUnusable(f"{both}: {_reason(error)}") from None
        return context


def _reason(error: OSError) -> str:
    if not isinstance(error, ssl.SSLError):
        return error.strerror or str(error)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key does not belong to the certificate"
    return f"not a PEM file that can be used, or an encrypted one ({error.reason or error})"


def handshake(
    context: ssl.SSLContext, connection: socket.socket, host: str, limit_s: float
) -> ssl.SSLSocket:
    """TLS over a connection, which belongs to the answer from now on and is closed if it fails.

    Raises OSError: see `tls_problem`.
    """
    secured = context.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)
    try:
        secured.settimeout(limit_s)
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


def asked_again(files: TlsFiles, host: str, port: int, limit_s: float = 3.0) -> str:
    """Why a broker hangs up after the handshake, before it answers; empty if it does not say.

    In TLS 1.3 a client's certificate is refused only then, and what the client has sent meanwhile
    may destroy the answer. So this connects once more, sends nothing, and listens.
    """
    try:
        connection = socket.create_connection((host, port), timeout=limit_s)
        with handshake(files.context(), connection, host, limit_s) as secured:
            secured.recv(1)
    except OSError as error:
        return tls_problem(error, host)
    return ""


def tls_problem(error: BaseException | None, host: str) -> str:
    """What a failed handshake, or the alert after it, means; empty if it is not about TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _unverified(error, host)
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        for alert, words in _ALERTS.items():
            if reason.endswith(alert):
                return words
        return f"TLS: {reason.replace('_', ' ').lower() or error}"
    return ""


def _unverified(error: ssl.SSLCertVerificationError, host: str) -> str:
    code = error.verify_code
    if code == _EXPIRED:
        return (
            "the broker's certificate, or that of its CA, has expired by this machine's clock: "
            "set the clock, or tell the city"
        )
    if code == _NOT_YET_VALID:
        return "the broker's certificate is not valid yet by this machine's clock: set the clock"
    if code in (_WRONG_HOST, _WRONG_ADDRESS):
        return f"the broker's certificate is not for {host!r}: check mqtt.host"
    if code == _REVOKED:
        return "the broker's certificate was revoked: tell the city"
    if code in _UNKNOWN_CA:
        return (
            "the broker's certificate is not signed by the CA of mqtt.tls_ca_file: get the city's "
            "CA certificate, and make sure that mqtt.host is the city's broker"
        )
    return f"the broker's certificate is refused: {error.verify_message}"
