"""Officers' keys as files: a public one for the agents, a private one under a passphrase.

A private key is closed by ChaCha20-Poly1305 under a key that scrypt (RFC 7914) makes of the
passphrase; the open part of the file is bound to it.
"""

import os
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from contracts.files import write_whole
from contracts.settings import SettingsError
from contracts.statement import fingerprint
from edge_agent.custody.sealing import SealError, check_public_key

PUBLIC = "foodsentry-vault-public-1"
PRIVATE = "foodsentry-vault-private-1"
SHORTEST_PASSPHRASE = 12
COST = 1 << 15
"""scrypt's n: 32 MB and about a tenth of a second."""

Key32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class PublicKey(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=PUBLIC, tag_field="format"
):
    """What an agent seals to."""

    officer: str
    public_key: Key32

    @property
    def key_id(self) -> str:
        """Its fingerprint."""
        return fingerprint(self.public_key)


class _PrivateFile(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=PRIVATE, tag_field="format"
):
    officer: str
    public_key: Key32
    n: Annotated[int, msgspec.Meta(ge=1 << 14, le=1 << 20)]
    salt: Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]
    nonce: Annotated[bytes, msgspec.Meta(min_length=12, max_length=12)]
    closed: Annotated[bytes, msgspec.Meta(min_length=48, max_length=48)]


class OfficerKey(msgspec.Struct, frozen=True):
    """An officer's opened private key."""

    officer: str
    private: X25519PrivateKey

    @property
    def key_id(self) -> str:
        """Its fingerprint."""
        return fingerprint(self.private.public_key().public_bytes_raw())


def make_keys(officer: str, passphrase: str, private: Path, public: Path) -> PublicKey:
    """Make an officer's two files; neither may be there. Raises SettingsError."""
    if not officer.strip():
        raise SettingsError("officer: a name is needed; it stands in the access log")
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise SettingsError(f"passphrase: needs at least {SHORTEST_PASSPHRASE} characters")
    for path in (private, public):
        if path.exists():
            raise SettingsError(f"{path}: is there already; a key is never overwritten")
    key = X25519PrivateKey.generate()
    made = PublicKey(officer.strip(), key.public_key().public_bytes_raw())
    head = _PrivateFile(
        made.officer, made.public_key, COST, os.urandom(16), os.urandom(12), bytes(48)
    )
    closed = _box(head, passphrase).encrypt(head.nonce, key.private_bytes_raw(), _bound(head))
    try:
        write_whole(private, msgspec.json.encode(msgspec.structs.replace(head, closed=closed)))
        write_whole(public, msgspec.json.encode(made), mode=0o644)
    except OSError as error:
        raise SettingsError(f"{error.filename}: {error.strerror}") from None
    return made


def read_public(path: Path, where: str) -> PublicKey:
    """An officer's public key. Raises SettingsError that opens with `where`."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=PublicKey)
        check_public_key(found.public_key)
    except OSError as error:
        raise SettingsError(f"{where}: {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, SealError) as error:
        raise SettingsError(f"{where}: {path}: no officer's public key: {error}") from None
    return found


def read_private(path: Path, passphrase: str) -> OfficerKey:
    """An officer's private key. Raises SettingsError for the file or a wrong passphrase."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=_PrivateFile)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: no officer's private key: {error}") from None
    try:
        private = _box(found, passphrase).decrypt(found.nonce, found.closed, _bound(found))
    except (InvalidTag, ValueError):
        raise SettingsError(f"{path}: wrong passphrase, or the file was changed") from None
    return OfficerKey(found.officer, X25519PrivateKey.from_private_bytes(private))


def _box(head: _PrivateFile, passphrase: str) -> ChaCha20Poly1305:
    kdf = Scrypt(salt=head.salt, length=32, n=head.n, r=8, p=1)
    return ChaCha20Poly1305(kdf.derive(passphrase.encode()))


def _bound(head: _PrivateFile) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(head, closed=bytes(48)), order="sorted")
