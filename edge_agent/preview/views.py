"""A camera as the page is told of it: JSON values, and a picture in which heads are hidden."""

from typing import Any

from contracts.events import Box
from edge_agent.cameras import honesty, words
from edge_agent.cameras.frames import Picture
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.pictures import encode_jpeg, shrink, small_grey
from edge_agent.cameras.rule.looking import HEAD, Look
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.telling.evidence import state, without_heads
from edge_agent.preview.board import Shown

LONGEST_SIDE = 960
QUALITY = 74
RESTING_AFTER_S = 0.9
"""Without a look for so long, the gate is closed."""


def summary(device: str, shown: Shown) -> dict[str, Any]:
    """A camera in the list of cameras."""
    glance = shown.glance
    zh, en = words.SIGHT[glance.sight]
    return {
        "device": device,
        "title": glance.scene.title,
        "sight": {"key": glance.sight.value, "zh": zh, "en": en},
        "trouble": glance.trouble,
        "open": len(glance.open),
    }


def detail(device: str, shown: Shown) -> dict[str, Any]:
    """All that the page shows of a camera; places are shares of the picture."""
    glance, look = shown.glance, shown.look
    since_s = glance.at_s - look.frame.seen_s if look else None
    return {
        **summary(device, shown),
        "at": glance.at.isoformat(timespec="milliseconds"),
        "picture": picture_number(shown),
        "gate": "open" if since_s is not None and since_s < RESTING_AFTER_S else "resting",
        "look_age_s": since_s,
        "frames": glance.frames,
        "looks": glance.looks,
        "frames_per_s": round(shown.frames_per_s, 1),
        "looks_per_s": round(shown.looks_per_s, 1),
        "measures": _measures(shown),
        "observations": [
            {
                "kind": one.kind,
                "zone": one.zone,
                "since": one.started_at.isoformat(timespec="seconds"),
                "people": one.people,
                "reason": one.reason,
            }
            for one in glance.open
        ],
        "heads": [] if look is None or not _may_see(shown) else _heads(look),
        "others": [] if look is None or not _may_see(shown) else _others(look),
        **areas(glance.scene),
    }


def areas(scene: Scene) -> dict[str, Any]:
    """Zones and masks with their polygons."""
    return {
        "zones": [
            {
                "name": zone.name,
                "kind": zone.kind.value,
                "required": [wear.value for wear in zone.required],
                "min_head": zone.min_head,
                "polygon": zone.polygon,
            }
            for zone in scene.zones
        ],
        "masks": [{"name": mask.name, "polygon": mask.polygon} for mask in scene.masks],
    }


def picture_number(shown: Shown) -> int:
    """Of the frame that `picture` shows; it changes when the picture does."""
    if _may_see(shown) and shown.look is not None:
        return shown.look.frame.number
    return shown.glance.outcome.frame.number if shown.glance.outcome else 0


def picture(shown: Shown, *, faces: bool) -> bytes | None:
    """The picture that was last looked at, as JPEG; None if there is none.

    Its heads are hidden, the doubtful ones too, unless `faces`. Of a camera that cannot see, where
    no head is looked for, only coarse cells are shown.
    """
    if _may_see(shown) and shown.look is not None:
        whole: Picture = shown.look.frame.picture
        if not faces:
            whole = without_heads(whole, shown.look.hidden)
        return encode_jpeg(shrink(whole, LONGEST_SIDE), QUALITY)
    if shown.glance.outcome is None:
        return None
    return encode_jpeg(state(shown.glance.outcome.frame.picture), QUALITY)


def _may_see(shown: Shown) -> bool:
    return shown.glance.sight in (Sight.LIVE, Sight.BLURRED)


def _measures(shown: Shown) -> dict[str, float]:
    outcome = shown.glance.outcome
    frame = outcome.frame if outcome else shown.look.frame if shown.look else None
    if frame is None:
        return {}
    found = honesty.measure(frame.picture, small_grey(frame.picture))
    return {
        name: round(float(value), 2)
        for name in found.__slots__
        if isinstance(value := getattr(found, name), float)
    }


def _place(box: Box, look: Look) -> list[float]:
    height, width = look.frame.picture.shape[:2]
    sides = (box.x0 / width, box.y0 / height, box.x1 / width, box.y1 / height)
    return [round(side, 4) for side in sides]


def _heads(look: Look) -> list[dict[str, Any]]:
    return [
        {
            "track": one.track,
            "box": _place(one.box, look),
            "confidence": round(one.box.confidence, 2),
            "why": one.why.value,
            "says": words.explained(one),
            "answers": {
                standing.wear.value if standing.wear else "present": standing.answer.value
                for standing in one.standings
            },
        }
        for one in look.explanations
    ]


def _others(look: Look) -> list[dict[str, Any]]:
    return [
        {"label": box.label, "box": _place(box, look), "confidence": round(box.confidence, 2)}
        for box in look.boxes
        if box.label != HEAD
    ]
