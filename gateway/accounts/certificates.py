"""The city's own small CA for the broker's road, and the certificates that it issues.

Keys are on the curve P-256. A client's certificate carries one thing, the account's name as common
name, which the broker takes for the user name. What was revoked goes to a CRL.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contracts.certificates import Certificate, facts_of

CA_DAYS = 3650
CRL_DAYS = 3650
"""A broker refuses everybody once its CRL is past its time, so that time is far; each `write`
makes a new one."""
BACKDATED = timedelta(hours=1)
"""Certificates begin a little before now: the clocks of boxes are not that good."""
NAME_MOST = 64
"""The longest common name of X.509."""


class CertificateError(ValueError):
    """A CA, a request or a name that cannot be used; the text says why."""


class Issued(msgspec.Struct, frozen=True):
    """A new certificate; `key_pem` is empty if the key stayed with who asked."""

    facts: Certificate
    pem: bytes
    key_pem: bytes = b""


class Authority:
    """A CA whose key is at hand."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self._certificate = certificate
        self._key = key

    @classmethod
    def read(cls, pem: bytes, key_pem: bytes, password: str | None) -> "Authority":
        """A CA from its two files. Raises CertificateError."""
        try:
            certificate = x509.load_pem_x509_certificate(pem)
            key = serialization.load_pem_private_key(key_pem, _bytes(password))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise CertificateError(f"the CA cannot be read: {error}") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise CertificateError("the CA's key is not on an elliptic curve")
        if certificate.public_key() != key.public_key():
            raise CertificateError("the CA's key does not belong to its certificate")
        return cls(certificate, key)

    def client(self, name: str, at: datetime, days: int, request: bytes | None = None) -> Issued:
        """A client's certificate for an account, on the key of `request` (PEM) if there is one.

        What a request says of names is not looked at. Raises CertificateError.
        """
        if len(name) > NAME_MOST:
            raise CertificateError(
                f"{name}: {len(name)} characters, but a certificate's common name takes "
                f"{NAME_MOST}; give this account a password instead"
            )
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        if request is None:
            key = ec.generate_private_key(ec.SECP256R1())
            signed = self._sign(name, key.public_key(), usage, at, days, [])
            return Issued(facts_of(signed), _pem(signed), _key_pem(key, None))
        signed = self._sign(name, _requested(request), usage, at, days, [])
        return Issued(facts_of(signed), _pem(signed))

    def server(self, hosts: Sequence[str], at: datetime, days: int) -> Issued:
        """The broker's certificate, for the names and addresses that clients call it by."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH
        names = [_general_name(host) for host in hosts]
        signed = self._sign(hosts[0][:NAME_MOST], key.public_key(), usage, at, days, names)
        return Issued(facts_of(signed), _pem(signed), _key_pem(key, None))

    def revocations(self, serials: Iterable[tuple[str, datetime]], at: datetime) -> bytes:
        """The CRL (PEM) of these serial numbers (hexadecimal) with their times."""
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self._certificate.subject)
            .last_update(at - BACKDATED)
            .next_update(at + timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        )
        for serial, revoked_at in serials:
            entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
            builder = builder.add_revoked_certificate(entry.revocation_date(revoked_at).build())
        crl = builder.sign(self._key, hashes.SHA256())
        return crl.public_bytes(serialization.Encoding.PEM)

    def _sign(
        self,
        name: str,
        public_key: ec.EllipticCurvePublicKey,
        usage: x509.ObjectIdentifier,
        at: datetime,
        days: int,
        names: list[x509.GeneralName],
    ) -> x509.Certificate:
        end = min(at + timedelta(days=days), self._certificate.not_valid_after_utc)
        if end <= at:
            raise CertificateError(
                f"the CA itself expired on {self._certificate.not_valid_after_utc:%Y-%m-%d}"
            )
        builder = _builder(name, self._certificate.subject, public_key, at, end)
        builder = builder.add_extension(x509.BasicConstraints(False, None), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        issuer_key = self._key.public_key()
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def make_authority(name: str, at: datetime, password: str | None) -> Issued:
    """A new CA; its key is encrypted if there is a password."""
    key = ec.generate_private_key(ec.SECP256R1())
    public_key = key.public_key()
    end = at + timedelta(days=CA_DAYS)
    builder = _builder(name, _subject(name), public_key, at, end)
    builder = builder.add_extension(x509.BasicConstraints(True, 0), critical=True)
    builder = builder.add_extension(_ca_usage(), critical=True)
    signed = builder.sign(key, hashes.SHA256())
    return Issued(facts_of(signed), _pem(signed), _key_pem(key, password))


def _builder(
    name: str,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    at: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(at, end) - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _ca_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _requested(pem: bytes) -> ec.EllipticCurvePublicKey:
    try:
        request = x509.load_pem_x509_csr(pem)
        sound = request.is_signature_valid
        key = request.public_key()
    except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise CertificateError(f"the request cannot be read: {error}") from None
    if not sound:
        raise CertificateError("the request is not signed by its own key")
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise CertificateError("the request's key is not on an elliptic curve (prime256v1)")
    return key


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey, password: str | None) -> bytes:
    secret = _bytes(password)
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(secret) if secret else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def _bytes(password: str | None) -> bytes | None:
    return password.encode() if password else None
