"""Makes the picture of a look: small, coarse throughout, every suspected head hidden.

The same hiding as a finding's (docs/decisions/0004), without anybody who stays sharp: what the
detector missed is coarse as well.
"""

import hashlib
import uuid

from contracts.events import Evidence
from contracts.looks import LONGEST_SIDE, MOST_BYTES
from contracts.topics import Identity
from edge_agent.cameras.pictures import shrink
from edge_agent.cameras.rule.looking import Look
from edge_agent.cameras.telling.evidence import bounded_jpeg, finding
from edge_agent.custody.custody import Custody


def picture_of(who: Identity, look_id: str, number: int, look: Look, custody: Custody) -> Evidence:
    """The picture as it leaves the site, signed if the agent has a key."""
    hidden = finding(look.frame.picture, None, (), look.hidden)
    content, _, shown = bounded_jpeg(shrink(hidden, LONGEST_SIDE), MOST_BYTES)
    name = f"{who.source}/look/{look_id}/{number}"
    made = Evidence(
        evidence_id=uuid.uuid5(uuid.NAMESPACE_URL, name).hex,
        media_type="image/jpeg",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        width=shown.shape[1],
        height=shown.shape[0],
        captured_at=look.frame.grabbed_at,
        blurred=True,
    )
    return custody.sign(who, made)
