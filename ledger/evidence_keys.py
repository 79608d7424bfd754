"""Which keys an agent's pictures are signed with, and whether the city trusts them.

The first key of an agent that was never heard of is trusted at first use, unless one was booked
beforehand. Another key is booked as new, and stays so until a person trusts or revokes it. Every
step is in the audit chain.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Connection, and_, select, text, update

from contracts.events import Signature
from contracts.statement import fingerprint
from contracts.topics import Identity
from ledger import alerts as alert_book
from ledger import audit
from ledger.schema import alerts, evidence_keys
from ledger.signatures import is_key
from ledger.sql import insert_into, typed, typed_or_none
from ledger.tables.alerts import OPEN

LOCK_KEY = 0x66730004
"""PostgreSQL advisory lock under which keys are booked: of two that come first, one is first."""
GATEWAY = "gateway"


class Standing(StrEnum):
    """What the city thinks of a key."""

    TRUSTED = "trusted"
    NEW = "new"
    """It came after another one, and nobody has confirmed it."""
    REVOKED = "revoked"


class Booked(StrEnum):
    """How a key came into the book."""

    FIRST_USE = "first_use"
    LATER_USE = "later_use"
    ADMINISTRATION = "administration"


class KeyUnknown(LookupError):
    """No key, or more than one, fits what was asked for; the text says so."""


class EvidenceKey(msgspec.Struct, frozen=True):
    """A key of an agent."""

    region: str
    site: str
    agent: str
    key_id: str
    public_key: bytes
    key_epoch: datetime | None
    """When the agent says that it made the key."""
    standing: Standing
    booked: Booked
    booked_at: datetime
    changed_at: datetime
    changed_by: str


def get(conn: Connection, agent: Identity, key_id: str) -> EvidenceKey | None:
    """The key of that fingerprint."""
    found = select(evidence_keys).where(_of(agent), evidence_keys.c.key_id == key_id)
    return typed_or_none(conn.execute(found).one_or_none(), EvidenceKey)


def list_in(
    conn: Connection, regions: Sequence[str] | None = None, site: str | None = None
) -> list[EvidenceKey]:
    """All keys, by site, agent and time of booking."""
    columns = evidence_keys.c
    found = select(evidence_keys).order_by(columns.site, columns.agent, columns.booked_at)
    if regions is not None:
        found = found.where(columns.region.in_(regions))
    if site is not None:
        found = found.where(columns.site == site)
    return [typed(row, EvidenceKey) for row in conn.execute(found)]


def meet(
    conn: Connection, agent: Identity, signature: Signature, at: datetime
) -> tuple[EvidenceKey, bool]:
    """The key of a signature that holds, booked now if it was unknown (then True)."""
    known = get(conn, agent, signature.key_id)
    if known is None:
        _lock(conn)
        known = get(conn, agent, signature.key_id)
    if known is not None:
        return known, False
    first = not list_of(conn, agent)
    key = EvidenceKey(
        region=agent.region,
        site=agent.site,
        agent=agent.device,
        key_id=signature.key_id,
        public_key=signature.public_key,
        key_epoch=signature.key_epoch,
        standing=Standing.TRUSTED if first else Standing.NEW,
        booked=Booked.FIRST_USE if first else Booked.LATER_USE,
        booked_at=at,
        changed_at=at,
        changed_by=GATEWAY,
    )
    _insert(conn, key, GATEWAY)
    return key, True


def add(
    conn: Connection, agent: Identity, public_key: bytes, actor: str, at: datetime
) -> EvidenceKey:
    """Book a key that is trusted before its first use. Raises ValueError."""
    if not is_key(public_key):
        raise ValueError("no Ed25519 public key: 32 bytes, 64 hexadecimal digits")
    _lock(conn)
    if get(conn, agent, fingerprint(public_key)) is not None:
        raise ValueError("the key is booked already; trust it instead")
    key = EvidenceKey(
        region=agent.region,
        site=agent.site,
        agent=agent.device,
        key_id=fingerprint(public_key),
        public_key=public_key,
        key_epoch=None,
        standing=Standing.TRUSTED,
        booked=Booked.ADMINISTRATION,
        booked_at=at,
        changed_at=at,
        changed_by=actor,
    )
    _insert(conn, key, actor)
    return key


def set_standing(
    conn: Connection, key: EvidenceKey, standing: Standing, actor: str, at: datetime
) -> EvidenceKey:
    """A person trusts or revokes a key; what was raised because of it is over."""
    agent = Identity(key.region, key.site, key.agent)
    change = {"standing": standing.value, "changed_at": at, "changed_by": actor}
    columns = evidence_keys.c
    conn.execute(
        update(evidence_keys).where(_of(agent), columns.key_id == key.key_id).values(change)
    )
    raised = select(alerts.c.fingerprint).where(
        alerts.c.fingerprint.like(f"%|{agent.source}|{key.key_id}"), text(OPEN)
    )
    for found in conn.scalars(raised).all():
        alert_book.resolve(conn, found, at, f"key {standing.value}")
    detail = {"key_id": key.key_id, "from": key.standing.value, "to": standing.value}
    audit.append(conn, actor, f"evidence_key.{standing.value}", agent.source, detail, at)
    return msgspec.structs.replace(key, standing=standing, changed_at=at, changed_by=actor)


def find(conn: Connection, agent: Identity, start: str) -> EvidenceKey:
    """The agent's one key whose fingerprint starts so; spaces don't count. Raises KeyUnknown."""
    wanted = "".join(start.split()).lower()
    found = [key for key in list_of(conn, agent) if key.key_id.startswith(wanted)]
    if len(wanted) < 8 or len(found) != 1:
        raise KeyUnknown(
            f"{agent.source}: {len(found)} keys begin with {wanted!r}; give 8 digits or more"
        )
    return found[0]


def list_of(conn: Connection, agent: Identity) -> list[EvidenceKey]:
    """All keys of one agent, oldest first."""
    found = select(evidence_keys).where(_of(agent)).order_by(evidence_keys.c.booked_at)
    return [typed(row, EvidenceKey) for row in conn.execute(found)]


def _insert(conn: Connection, key: EvidenceKey, actor: str) -> None:
    row = msgspec.structs.asdict(key) | {
        "standing": key.standing.value,
        "booked": key.booked.value,
    }
    conn.execute(insert_into(conn, evidence_keys).values(row))
    source = Identity(key.region, key.site, key.agent).source
    detail = {"key_id": key.key_id, "standing": key.standing.value}
    audit.append(conn, actor, f"evidence_key.{key.booked.value}", source, detail, key.booked_at)


def _lock(conn: Connection) -> None:
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})


def _of(agent: Identity):  # type: ignore[no-untyped-def]
    return and_(evidence_keys.c.site == agent.site, evidence_keys.c.agent == agent.device)
