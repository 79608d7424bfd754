"""Evidence: pictures beside observations; equal bytes are kept once, under their SHA-256.

A picture is stored whatever its signature says, and what it says is stored with it.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, and_, literal, select, tuple_

from contracts.events import Box, Evidence, Signature
from contracts.topics import Identity
from contracts.words import PictureRole
from ledger import evidence_keys as keys
from ledger import signatures
from ledger.evidence_keys import Booked, EvidenceKey, Standing
from ledger.schema import evidence, evidence_contents, evidence_keys
from ledger.signatures import SignatureState
from ledger.sql import insert_into, typed, typed_or_none


class EvidenceMismatch(ValueError):
    """The bytes don't have the hash that came with them."""


class EvidenceRow(msgspec.Struct, frozen=True):
    """A stored picture. `content` is left empty in lists; `get` fills it."""

    evidence_id: str
    region: str
    site: str
    device: str
    observation_id: str
    media_type: str
    sha256: str
    size: int
    width: int
    height: int
    captured_at: datetime
    received_at: datetime
    blurred: bool
    boxes: tuple[Box, ...]
    role: PictureRole
    agent: str
    """Device id of the agent that told it; empty in old rows."""
    original_sha256: str
    signature_state: SignatureState
    """As it was checked when the picture came."""
    key_id: str
    key_epoch: datetime | None
    public_key: bytes | None
    signature: bytes | None
    standing: Standing | None = None
    """Of the key, now; None if it is not booked."""
    booked: Booked | None = None
    booked_at: datetime | None = None
    content: bytes = b""

    @property
    def vouched(self) -> "Vouched":
        """What can be said of the picture's origin, in one word."""
        return vouched_of(self.signature_state, self.standing, Vouched.INVALID)

    def as_told(self) -> Evidence:
        """The fact as the edge told it, with the bytes if they were read."""
        signature = None
        if self.signature is not None and self.key_epoch and self.public_key is not None:
            signature = Signature(self.key_id, self.key_epoch, self.public_key, self.signature)
        return Evidence(
            evidence_id=self.evidence_id,
            media_type=self.media_type,
            content=self.content,
            sha256=self.sha256,
            width=self.width,
            height=self.height,
            captured_at=self.captured_at,
            blurred=self.blurred,
            observation_id=self.observation_id,
            boxes=self.boxes,
            role=self.role,
            original_sha256=self.original_sha256,
            signature=signature,
        )


class Vouched(StrEnum):
    """What can be said of a picture's origin."""

    VALID = "valid"
    """Signed by a key that the city trusts."""
    NEW_KEY = "new_key"
    """Signed, by a key that came after another one and that nobody has confirmed."""
    REVOKED_KEY = "revoked_key"
    UNKNOWN_KEY = "unknown_key"
    """Of a look: signed, by a key that the city has not met yet. The first evidence books it."""
    UNSIGNED = "unsigned"
    INVALID = "invalid"
    """The signature does not hold: the picture or what is said of it was changed."""


def vouched_of(
    state: SignatureState, standing: Standing | None, unbooked: Vouched = Vouched.INVALID
) -> Vouched:
    """What a signature and its key's standing say; `unbooked`: what a key says that is not known.

    Evidence books its key as it is stored, so that one without is no good; looks book none.
    """
    if state is SignatureState.NONE:
        return Vouched.UNSIGNED
    if state is SignatureState.INVALID:
        return Vouched.INVALID
    if standing is None:
        return unbooked
    return _BY_STANDING[standing]


_BY_STANDING = {
    Standing.TRUSTED: Vouched.VALID,
    Standing.NEW: Vouched.NEW_KEY,
    Standing.REVOKED: Vouched.REVOKED_KEY,
}


class Stored(msgspec.Struct, frozen=True):
    """What storing a picture did."""

    new: bool
    """False if this device has already told one of that id."""
    new_key: EvidenceKey | None = None
    """A key that has come after another one, met now for the first time."""


def put(
    conn: Connection, who: Identity, picture: Evidence, received_at: datetime, *, agent: str = ""
) -> Stored:
    """Check a picture's signature and store both; `agent` is the agent that told it.

    Raises EvidenceMismatch, and LedgerRefused for a device that is not registered.
    """
    digest = hashlib.sha256(picture.content).hexdigest()
    if digest != picture.sha256:
        raise EvidenceMismatch(
            f"{who.source}: evidence {picture.evidence_id}: content has SHA-256 {digest}, "
            f"not {picture.sha256}"
        )
    contents = insert_into(conn, evidence_contents).on_conflict_do_nothing()
    conn.execute(contents, {"sha256": digest, "content": picture.content})
    state = signatures.check(who, agent, picture)
    signature, new_key = picture.signature, None
    if state is SignatureState.VALID and signature is not None:
        key, met_now = keys.meet(conn, who.sibling(agent), signature, received_at)
        new_key = key if met_now and key.standing is Standing.NEW else None
    row = msgspec.structs.asdict(picture) | {
        "boxes": msgspec.to_builtins(picture.boxes),
        "region": who.region,
        "site": who.site,
        "device": who.device,
        "size": len(picture.content),
        "received_at": received_at,
        "role": picture.role.value,
        "agent": agent,
        "signature_state": state.value,
        "key_id": signature.key_id if signature else "",
        "key_epoch": signature.key_epoch if signature else None,
        "public_key": signature.public_key if signature else None,
        "signature": signature.value if signature else None,
    }
    del row["content"]
    statement = insert_into(conn, evidence).values(row).on_conflict_do_nothing()
    stored = conn.execute(statement.returning(evidence.c.evidence_id))
    return Stored(stored.one_or_none() is not None, new_key)


def get(conn: Connection, evidence_id: str, site: str | None = None) -> EvidenceRow | None:
    """The picture of that id with its bytes; the first told if sites should share an id."""
    found = (
        _with_key()
        .add_columns(evidence_contents.c.content)
        .join(evidence_contents, evidence_contents.c.sha256 == evidence.c.sha256)
        .where(evidence.c.evidence_id == evidence_id)
        .order_by(evidence.c.received_at, evidence.c.site)
        .limit(1)
    )
    if site is not None:
        found = found.where(evidence.c.site == site)
    return typed_or_none(conn.execute(found).one_or_none(), EvidenceRow)


def for_observation(
    conn: Connection, observation_id: str, site: str | None = None
) -> list[EvidenceRow]:
    """The pictures of an observation in order of capture, without their bytes."""
    found = (
        _with_key()
        .where(evidence.c.observation_id == observation_id)
        .order_by(evidence.c.captured_at, evidence.c.evidence_id)
    )
    if site is not None:
        found = found.where(evidence.c.site == site)
    return [typed(row, EvidenceRow) for row in conn.execute(found)]


def best_of(pictures: list[EvidenceRow]) -> EvidenceRow | None:
    """The one that shows most where only one is shown."""
    best = [one for one in pictures if one.role is PictureRole.BEST]
    return next(iter(best or pictures), None)


def every(conn: Connection, site: str | None = None) -> Iterator[EvidenceRow]:
    """All pictures, of a site or of all, with their bytes, a few at a time."""
    after = ("", "", "")
    while True:
        columns = (evidence.c.site, evidence.c.device, evidence.c.evidence_id)
        found = (
            _with_key()
            .add_columns(evidence_contents.c.content)
            .join(evidence_contents, evidence_contents.c.sha256 == evidence.c.sha256)
            .where(tuple_(*columns) > tuple_(*map(literal, after)))
            .order_by(*columns)
            .limit(50)
        )
        if site is not None:
            found = found.where(evidence.c.site == site)
        page = [typed(row, EvidenceRow) for row in conn.execute(found)]
        if not page:
            return
        yield from page
        after = (page[-1].site, page[-1].device, page[-1].evidence_id)


def _with_key() -> Select[Any]:
    """Pictures with what is known of their keys."""
    same = and_(
        evidence_keys.c.site == evidence.c.site,
        evidence_keys.c.agent == evidence.c.agent,
        evidence_keys.c.key_id == evidence.c.key_id,
    )
    known = (evidence_keys.c.standing, evidence_keys.c.booked, evidence_keys.c.booked_at)
    return select(evidence, *known).outerjoin(evidence_keys, same)
