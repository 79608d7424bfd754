"""The agent's own signing key: made at the first start, kept in its state folder, never sent."""

import logging
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from contracts.clock import Clock
from contracts.events import Evidence, Signature
from contracts.files import write_whole
from contracts.statement import Statement, fingerprint
from contracts.topics import Identity

_log = logging.getLogger(__name__)

FILE = "device_key.json"


class KeyUnusable(Exception):
    """The agent's key cannot be read or made; the text names the file."""


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key's file. `private_key` is the seed of RFC 8032."""

    version: Annotated[int, msgspec.Meta(ge=1, le=1)]
    made_at: datetime
    private_key: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class DeviceKey:
    """Signs the pictures of every camera of one agent; any thread may call it."""

    def __init__(self, agent: str, private_key: bytes, made_at: datetime) -> None:
        self._agent = agent
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self.made_at = made_at
        self.public_key = self._key.public_key().public_bytes_raw()
        self.key_id = fingerprint(self.public_key)

    def sign(self, who: Identity, picture: Evidence) -> Evidence:
        """The same picture of camera `who` with the agent's signature."""
        statement = Statement(
            source=who.source,
            agent=self._agent,
            evidence_id=picture.evidence_id,
            observation_id=picture.observation_id,
            role=picture.role,
            captured_at=picture.captured_at,
            sha256=picture.sha256,
            original_sha256=picture.original_sha256,
            key_id=self.key_id,
            key_epoch=self.made_at,
        )
        value = self._key.sign(statement.signed_bytes())
        signature = Signature(self.key_id, self.made_at, self.public_key, value)
        return msgspec.structs.replace(picture, signature=signature)


def read_device_key(path: Path, agent: str) -> DeviceKey | None:
    """The key in the file; None if there is no file. Raises KeyUnusable.

    A damaged file is never replaced by itself: the city would see a new key and nobody knew why.
    """
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise KeyUnusable(
            f"{path}: the signing key cannot be read: {error}; pictures go unsigned until the file "
            "is put back, or moved away so that a new key is made"
        ) from None
    if stored.made_at.tzinfo is None:
        raise KeyUnusable(f"{path}: made_at: has no time zone")
    return DeviceKey(agent, stored.private_key, stored.made_at)


def device_key(state: Path, agent: str, clock: Clock) -> DeviceKey:
    """The agent's key in its state folder, made now if there is none. Raises KeyUnusable."""
    path = state / FILE
    key = read_device_key(path, agent)
    if key is None:
        stored = _Stored(1, clock(), Ed25519PrivateKey.generate().private_bytes_raw())
        try:
            write_whole(path, msgspec.json.encode(stored))
        except OSError as error:
            raise KeyUnusable(f"{path}: the signing key cannot be kept: {error}") from None
        key = DeviceKey(agent, stored.private_key, stored.made_at)
        _log.info("made a signing key, fingerprint %s", key.key_id)
    elif path.stat().st_mode & 0o077:
        _log.warning("%s: others could read the signing key; closed to them now", path)
        path.chmod(0o600)
    return key
