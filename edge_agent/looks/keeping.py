"""Makes evidence of a picture that a look has shown: the bytes as they were seen, signed anew.

It takes the road of every finding: an observation that is over at once, its evidence beside it, the
unblurred original sealed to two officers and kept at the site.
"""

import logging

import msgspec

from contracts.clock import Clock
from contracts.events import Evidence, Observation
from contracts.looks import KEPT_KIND, kept_evidence, kept_observation
from contracts.topics import Identity
from contracts.words import Phase, PictureRole
from edge_agent.custody.custody import Custody, original_of
from edge_agent.custody.sealing import SealError
from edge_agent.custody.vault import VaultError
from edge_agent.looks import words
from edge_agent.looks.holding import Held
from edge_agent.looks.order import Order
from edge_agent.ports import Fact

_log = logging.getLogger(__name__)


def facts_of(order: Order, held: Held, who: Identity, custody: Custody, clock: Clock) -> list[Fact]:
    """What must reach the city, in this order; the original is sealed first."""
    now, at = clock(), held.picture.captured_at
    evidence_id = kept_evidence(who, order.look_id)
    observation_id = kept_observation(order.look_id)
    picture = msgspec.structs.replace(
        held.picture,
        evidence_id=evidence_id,
        observation_id=observation_id,
        role=PictureRole.BEST,
        original_sha256=_sealed(held, who, evidence_id, observation_id, custody, clock),
        signature=None,
    )
    observation = Observation(
        observation_id=observation_id,
        kind=KEPT_KIND,
        phase=Phase.CLOSED,
        started_at=at,
        ended_at=at,
        captured_at=max(now, at),
        reason=words.kept(order.by, order.reason),
        evidence=(evidence_id,),
    )
    signed: Evidence = custody.sign(who, picture)
    return [
        Fact(who, "observations", observation, observation.captured_at),
        Fact(who, "evidence", signed, at),
    ]


def _sealed(
    held: Held,
    who: Identity,
    evidence_id: str,
    observation_id: str,
    custody: Custody,
    clock: Clock,
) -> str:
    """SHA-256 of the original that lies in the vault now; empty if none does."""
    if custody.vault is None or not held.original:
        return ""
    size = (held.width, held.height)
    about = original_of(
        who, evidence_id, observation_id, held.picture.captured_at, held.original, size
    ).about
    try:
        custody.vault.keep(held.original, about, clock())
    except (VaultError, SealError) as error:
        _log.error("looks: an original is not kept: %s", error)
        return ""
    return about.sha256
