"""Evidence: pictures beside observations; equal bytes are kept once, under their SHA-256."""

import hashlib
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from contracts.events import Box, Evidence
from contracts.topics import Identity
from ledger.schema import evidence, evidence_contents
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
    content: bytes = b""


def put(conn: Connection, who: Identity, picture: Evidence, received_at: datetime) -> bool:
    """Store a picture; False if this device has already told one of that id.

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
    row = msgspec.structs.asdict(picture) | {
        "boxes": msgspec.to_builtins(picture.boxes),
        "region": who.region,
        "site": who.site,
        "device": who.device,
        "size": len(picture.content),
        "received_at": received_at,
    }
    del row["content"]
    statement = insert_into(conn, evidence).values(row).on_conflict_do_nothing()
    stored = conn.execute(statement.returning(evidence.c.evidence_id))
    return stored.one_or_none() is not None


def get(conn: Connection, evidence_id: str, site: str | None = None) -> EvidenceRow | None:
    """The picture of that id with its bytes; the first told if sites should share an id."""
    found = (
        select(evidence, evidence_contents.c.content)
        .join_from(evidence, evidence_contents)
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
        select(evidence)
        .where(evidence.c.observation_id == observation_id)
        .order_by(evidence.c.captured_at, evidence.c.evidence_id)
    )
    if site is not None:
        found = found.where(evidence.c.site == site)
    return [typed(row, EvidenceRow) for row in conn.execute(found)]
