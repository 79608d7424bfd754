"""The cryptography of web push: a message for one browser (RFC 8291), and who sends it (RFC 8292).

About a hundred lines on `cryptography`, which we have anyway: see decision 0020.
"""

import base64
import os
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BODY_MOST = 4096
"""Bytes that every push service takes (RFC 8030, 7.2)."""
HEADER_BYTES, TAG_BYTES = 16 + 4 + 1 + 65, 16
PLAIN_MOST = BODY_MOST - HEADER_BYTES - TAG_BYTES - 1
"""Bytes that can be said in one: without header, tag and the delimiter of the last record."""
VALID = timedelta(hours=12)
"""How long a signature of ours holds; RFC 8292 allows a day."""
_LAST_RECORD = b"\x02"


class BadKey(ValueError):
    """A key that is none of P-256; the text says whose."""


def encrypt(
    plain: bytes,
    p256dh: bytes,
    auth: bytes,
    *,
    own_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body for the browser with these keys: one `aes128gcm` record with its header.

    `own_key` and `salt` are fresh for each message; they are given only to check against the RFC.
    Raises BadKey, and ValueError for more than PLAIN_MOST bytes.
    """
    if len(plain) > PLAIN_MOST:
        raise ValueError(f"{len(plain)} bytes are more than {PLAIN_MOST}")
    salt = os.urandom(16) if salt is None else salt
    own_key = own_key or ec.generate_private_key(ec.SECP256R1())
    try:
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    except (ValueError, InvalidKey):
        raise BadKey("the browser's key is no point of P-256") from None
    own_point = point(own_key.public_key())
    shared = own_key.exchange(ec.ECDH(), theirs)
    secret = _hkdf(auth, shared, b"WebPush: info\x00" + p256dh + own_point, 32)
    key = _hkdf(salt, secret, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _hkdf(salt, secret, b"Content-Encoding: nonce\x00", 12)
    header = salt + BODY_MOST.to_bytes(4, "big") + bytes([len(own_point)]) + own_point
    return header + AESGCM(key).encrypt(nonce, plain + _LAST_RECORD, None)


class Vapid:
    """Our key, with which push services know us again."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, contact: str) -> None:
        self._key = key
        self._contact = contact
        self.public_key = base64url(point(key.public_key()))
        """What browsers subscribe with (applicationServerKey), base64url."""

    def header(self, origin: str, now: datetime) -> str:
        """The Authorization header for a push service of that origin (scheme, host, port)."""
        claims = {"aud": origin, "exp": int((now + VALID).timestamp())}
        if self._contact:
            claims["sub"] = self._contact
        parts = (msgspec.json.encode(part) for part in ({"typ": "JWT", "alg": "ES256"}, claims))
        signed = ".".join(base64url(part) for part in parts)
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return f"vapid t={signed}.{base64url(raw)}, k={self.public_key}"


def new_key_file(path: Path) -> str:
    """Make a key and write it (PEM, for its owner alone); returns the public key.

    Raises OSError, also if the file is there already.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(pem)
    return base64url(point(key.public_key()))


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The private key of a PEM file. Raises OSError and BadKey."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise BadKey("is no private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise BadKey("is no key of the curve P-256")
    return key


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as 65 bytes."""
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def base64url(content: bytes) -> str:
    """Without the padding, as in JWT."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of a text with or without padding. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _hkdf(salt: bytes, secret: bytes, info: bytes, size: int) -> bytes:
    return HKDF(hashes.SHA256(), length=size, salt=salt, info=info).derive(secret)
