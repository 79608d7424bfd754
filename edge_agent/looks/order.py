"""Reads orders: a look at which camera, who asks, why, until when; or a picture to keep. Pure."""

from datetime import datetime, timedelta

import msgspec

from contracts import looks
from contracts.envelope import EnvelopeError, decode
from contracts.events import Command

LONGEST = timedelta(seconds=120)
"""An order that is good for longer than this is none of the city's."""


class OrderError(ValueError):
    """A message that is no usable order; the text says why."""


class Order(msgspec.Struct, frozen=True):
    """A look that is asked for, or one of its pictures that is to be kept."""

    look_id: str
    """The order's own id."""
    camera: str
    by: str
    reason: str
    issued_at: datetime
    expires_at: datetime
    told: bytes
    """The message as it came: the access log keeps its hash."""
    of_look: str = ""
    """Of a picture that is to be kept: the look that has shown it. Empty: a look is asked for."""
    picture: str = ""
    """Its SHA-256."""


def read_order(payload: bytes) -> Order:
    """Read one message of the commands topic. Raises OrderError."""
    try:
        data = decode(payload).data
    except EnvelopeError as error:
        raise OrderError(str(error)) from None
    if not isinstance(data, Command):
        raise OrderError("it is no command")
    if data.name not in _ARGUMENTS:
        raise OrderError(f"command {data.name[:40]!r} is not known here")
    if data.issued_at.tzinfo is None or data.expires_at.tzinfo is None:
        raise OrderError("its times have no time zone")
    if not timedelta(0) < data.expires_at - data.issued_at <= LONGEST:
        raise OrderError("it is good for longer than an order may be")
    told = {name: data.arguments.get(name, "").strip() for name in _ARGUMENTS[data.name]}
    missing = [name for name, value in told.items() if not value]
    if missing:
        raise OrderError(f"it does not say: {', '.join(missing)}")
    return Order(
        look_id=data.command_id,
        camera=told[looks.CAMERA],
        by=told[looks.BY][:200],
        reason=told[looks.REASON][:500],
        issued_at=data.issued_at,
        expires_at=data.expires_at,
        told=payload,
        of_look=told.get(looks.LOOK, ""),
        picture=told.get(looks.PICTURE, ""),
    )


_WHO = (looks.CAMERA, looks.BY, looks.REASON)
_ARGUMENTS = {looks.COMMAND: _WHO, looks.KEEP: (*_WHO, looks.LOOK, looks.PICTURE)}
"""What each order must say."""
