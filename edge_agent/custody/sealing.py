"""How an original is sealed so that only two officers together can open it: bytes in, bytes out.

A fresh content key closes the picture (ChaCha20-Poly1305, RFC 8439). The content key is the XOR of
two random shares; either alone says nothing of it. Each share is closed to one officer's X25519 key
(RFC 7748): ephemeral key, HKDF-SHA256 (RFC 5869), ChaCha20-Poly1305.

    8   ``FSSEAL1`` and a line feed
    4   length of what follows, big-endian
    n   what it is: a JSON object (`About`)
    2 × 112   one share each: 32 fingerprint of the officer's key, 32 ephemeral key, 48 closed share
    rest   the closed picture

Everything before a closed part is bound to it: a share opens only in its place and beside its
picture, the picture only behind its own head. Every key is used once, so that nonces are zero.
"""

import os
import struct
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from contracts.statement import fingerprint

MAGIC = b"FSSEAL1\n"
SHARES = 2
_NONCE = bytes(12)
_SHARE = struct.Struct(">32s32s48s")
_LONGEST_ABOUT = 4096
TAG = 16
LARGEST_BYTES = 64_000_000

Random = Callable[[int], bytes]


class SealError(ValueError):
    """A sealed picture cannot be made or opened; the text says why."""


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be read of a sealed picture without opening it."""

    source: str
    evidence_id: str
    observation_id: str
    captured_at: datetime
    media_type: str
    width: int
    height: int
    size: int
    """Bytes of the picture."""
    sha256: str
    """Of the picture; the agent has signed it in the evidence that left the site."""


class Head(msgspec.Struct, frozen=True):
    """The open part of a sealed file."""

    about: About
    key_ids: tuple[str, str]
    """Fingerprints of the two keys that are needed, in the order of their shares."""
    raw: bytes
    """The bytes up to the first share: what shares are bound to."""


def seal(
    picture: bytes, about: About, officers: Sequence[bytes], random: Random = os.urandom
) -> bytes:
    """Close `picture` to two officers' public keys (32 bytes each).

    Raises SealError if they are not two different keys.
    """
    if len(officers) != SHARES or len(set(officers)) != SHARES:
        raise SealError("needs the public keys of two different officers")
    said = msgspec.json.encode(about, order="sorted")
    raw = MAGIC + struct.pack(">I", len(said)) + said
    content_key, first = random(32), random(32)
    second = bytes(a ^ b for a, b in zip(content_key, first, strict=True))
    blocks = [
        _close_share(share, place, officer, raw, random)
        for place, (share, officer) in enumerate(zip((first, second), officers, strict=True))
    ]
    opened = raw + b"".join(blocks)
    return opened + ChaCha20Poly1305(content_key).encrypt(_NONCE, picture, opened)


def read_head(sealed: bytes) -> Head:
    """The open part. Raises SealError: what cannot be read, or where it breaks off."""
    if not sealed.startswith(MAGIC):
        raise SealError("not a sealed picture: it does not begin with FSSEAL1")
    at = len(MAGIC) + 4
    if len(sealed) < at:
        raise SealError(f"breaks off at byte {len(sealed)}, within its head")
    (length,) = struct.unpack_from(">I", sealed, len(MAGIC))
    if length > _LONGEST_ABOUT:
        raise SealError(f"its head was changed: {length} bytes of description")
    end = at + length
    if len(sealed) < end + SHARES * _SHARE.size + TAG:
        raise SealError(f"breaks off at byte {len(sealed)}, before its picture is whole")
    try:
        about = msgspec.json.decode(sealed[at:end], type=About)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SealError(f"its head was changed: {error}") from None
    key_ids = [
        _SHARE.unpack_from(sealed, end + place * _SHARE.size)[0].hex() for place in range(SHARES)
    ]
    return Head(about, (key_ids[0], key_ids[1]), sealed[:end])


def open_sealed(sealed: bytes, keys: Sequence[X25519PrivateKey]) -> tuple[About, bytes]:
    """What it is, and the picture. `keys` are two officers' private keys in any order.

    Raises SealError: which key is missing, which part was changed.
    """
    head = read_head(sealed)
    given = {fingerprint(key.public_key().public_bytes_raw()): key for key in keys}
    missing = [key_id for key_id in head.key_ids if key_id not in given]
    if missing:
        raise SealError(
            f"needs the private key of {' and of '.join(k[:16] + '…' for k in missing)}"
        )
    start = len(head.raw)
    shares = [
        _open_share(sealed, start + place * _SHARE.size, place, given[key_id], head.raw)
        for place, key_id in enumerate(head.key_ids)
    ]
    content_key = bytes(a ^ b for a, b in zip(*shares, strict=True))
    at = start + SHARES * _SHARE.size
    try:
        picture = ChaCha20Poly1305(content_key).decrypt(_NONCE, sealed[at:], sealed[:at])
    except InvalidTag:
        raise SealError("the closed picture was changed, or is not whole") from None
    return head.about, picture


def check_public_key(public: bytes) -> None:
    """Raise SealError for bytes that cannot serve as an officer's public key."""
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise SealError("is no usable X25519 public key") from None


def _close_share(share: bytes, place: int, officer: bytes, raw: bytes, random: Random) -> bytes:
    ephemeral = X25519PrivateKey.from_private_bytes(random(32))
    public = ephemeral.public_key().public_bytes_raw()
    try:
        agreed = ephemeral.exchange(X25519PublicKey.from_public_bytes(officer))
    except ValueError:
        raise SealError(f"officer {place + 1}: no usable X25519 public key") from None
    wrap = _wrap(agreed, place, public, officer)
    closed = wrap.encrypt(_NONCE, share, raw)
    return _SHARE.pack(bytes.fromhex(fingerprint(officer)), public, closed)


def _open_share(sealed: bytes, at: int, place: int, key: X25519PrivateKey, raw: bytes) -> bytes:
    _, public, closed = _SHARE.unpack_from(sealed, at)
    try:
        agreed = key.exchange(X25519PublicKey.from_public_bytes(public))
        wrap = _wrap(agreed, place, public, key.public_key().public_bytes_raw())
        return wrap.decrypt(_NONCE, closed, raw)
    except (InvalidTag, ValueError):
        raise SealError(
            f"share {place + 1} does not open: it or the head was changed, or it stands in "
            "another's place"
        ) from None


def _wrap(agreed: bytes, place: int, ephemeral: bytes, officer: bytes) -> ChaCha20Poly1305:
    info = b"foodsentry vault share 1" + bytes([place]) + ephemeral + officer
    return ChaCha20Poly1305(HKDF(SHA256(), 32, None, info).derive(agreed))
