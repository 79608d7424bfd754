"""What an agent signs of a picture: a canonical text, the same bytes wherever it is made.

The text is ``foodsentry-evidence-1``, a line feed, and a JSON object with sorted keys, no spaces
and UTF-8 beyond ASCII. Times are UTC with six digits after the second. Boxes are not covered: what
the machine thought of a picture stands in the observation, the picture speaks for itself.
"""

import hashlib
from datetime import UTC, datetime

import msgspec

from contracts.words import PictureRole

HEAD = b"foodsentry-evidence-1\n"
"""Keeps a signature over a picture from being taken for one over anything else."""


class Statement(msgspec.Struct, frozen=True):
    """All that a signature vouches for."""

    source: str
    """Of the camera: ``/{region}/{site}/{device}``."""
    agent: str
    """Device id of the agent that holds the key."""
    evidence_id: str
    observation_id: str
    role: PictureRole
    captured_at: datetime
    sha256: str
    """Of the picture's bytes as they left the site."""
    original_sha256: str
    """Of the unblurred JPEG that was sealed at the site; empty if none was."""
    key_id: str
    key_epoch: datetime

    def signed_bytes(self) -> bytes:
        """The bytes that are signed. Raises ValueError for a time without a zone."""
        body = msgspec.structs.asdict(self) | {
            "role": self.role.value,
            "captured_at": _text("captured_at", self.captured_at),
            "key_epoch": _text("key_epoch", self.key_epoch),
        }
        return HEAD + msgspec.json.encode(body, order="sorted")


def fingerprint(public_key: bytes) -> str:
    """A key's id: SHA-256 of its 32 bytes, in lower-case hexadecimal."""
    return hashlib.sha256(public_key).hexdigest()


def spoken(key_id: str) -> str:
    """The first half of a key's id in groups of four, as people compare it over the telephone."""
    return " ".join(key_id[at : at + 4] for at in range(0, 32, 4))


def _text(name: str, at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError(f"{name}: has no time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
