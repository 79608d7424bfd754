"""A look at the canteen's camera, step by step: what the site answers, and what is written down."""

import hashlib

from console_app import Clock
from console_places import CANTEEN

from contracts.events import Evidence, Look
from contracts.words import LookState
from ledger import audit, looks
from ledger.engine import Engine, reading, writing

CAMERA = CANTEEN.sibling("cam-1")
JPEG = b"\xff\xd8\xff\xd9"


def come(
    engine: Engine, look_id: str, state: LookState, clock: Clock, content: bytes = JPEG
) -> None:
    """What the site answers."""
    shown = None
    if state is LookState.LIVE:
        shown = Evidence(
            "p", "image/jpeg", content, hashlib.sha256(content).hexdigest(), 640, 360, clock(), True
        )
    told = Look(look_id, 1, state, clock(), "看不见：镜头被遮挡 / it cannot see", shown)
    with writing(engine) as conn:
        assert looks.answered(conn, CAMERA, "agent", told, clock())


def trail(engine: Engine) -> list[tuple[str, str]]:
    """What the audit trail says of looks, the newest first: action and actor."""
    with reading(engine) as conn:
        return [
            (one.action, one.actor)
            for one in audit.entries(conn, 100)
            if one.subject.startswith("look/")
        ]
