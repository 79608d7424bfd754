"""Whether a picture's signature holds: pure, no store. The city's only door to cryptography."""

from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from contracts.events import Evidence
from contracts.statement import Statement, fingerprint
from contracts.topics import Identity


class SignatureState(StrEnum):
    """What arithmetic says of a signature; whether its key is the right one is another question."""

    NONE = "none"
    VALID = "valid"
    INVALID = "invalid"


def statement(who: Identity, agent: str, picture: Evidence) -> Statement | None:
    """What the picture's signature must cover; None if it has none."""
    signature = picture.signature
    if signature is None:
        return None
    return Statement(
        source=who.source,
        agent=agent,
        evidence_id=picture.evidence_id,
        observation_id=picture.observation_id,
        role=picture.role,
        captured_at=picture.captured_at,
        sha256=picture.sha256,
        original_sha256=picture.original_sha256,
        key_id=signature.key_id,
        key_epoch=signature.key_epoch,
    )


def check(who: Identity, agent: str, picture: Evidence) -> SignatureState:
    """Check the signature of a picture that `who` told by way of its site's `agent`."""
    signature, said = picture.signature, statement(who, agent, picture)
    if signature is None or said is None:
        return SignatureState.NONE
    if fingerprint(signature.public_key) != signature.key_id:
        return SignatureState.INVALID
    return verify(signature.public_key, signature.value, said)


def verify(public_key: bytes, value: bytes, said: Statement) -> SignatureState:
    """Whether `value` is the key's signature over the statement."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(value, said.signed_bytes())
    except (InvalidSignature, ValueError):
        return SignatureState.INVALID
    return SignatureState.VALID


def is_key(public_key: bytes) -> bool:
    """Whether these bytes can be an Ed25519 public key."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key)
    except ValueError:
        return False
    return True


def as_pem(public_key: bytes) -> bytes:
    """The key as other programs read it. Raises ValueError."""
    key = Ed25519PublicKey.from_public_bytes(public_key)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
