"""Reads what matters of an X.509 certificate: whose it is, who signed it, from when until when."""

from datetime import datetime

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID

SOON_DAYS = 30
"""A certificate that ends within so many days is worth a word."""


class Certificate(msgspec.Struct, frozen=True):
    """A certificate's plain facts; times are aware UTC."""

    name: str
    """Common name: the account at the broker, or a host."""
    issuer: str
    serial: str
    """Hexadecimal, lower case."""
    not_before: datetime
    not_after: datetime


def read_certificate(pem: bytes) -> Certificate:
    """The first certificate of a PEM text. Raises ValueError."""
    return facts_of(x509.load_pem_x509_certificate(pem))


def facts_of(certificate: x509.Certificate) -> Certificate:
    """A certificate that is read already, in plain facts."""
    return Certificate(
        name=_common_name(certificate.subject),
        issuer=_common_name(certificate.issuer),
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _common_name(name: x509.Name) -> str:
    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""
