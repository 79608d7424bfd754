"""Reads the order for a look: which camera, who asks, why, until when it may begin. Pure."""

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
    """A look that is asked for."""

    look_id: str
    camera: str
    by: str
    reason: str
    issued_at: datetime
    expires_at: datetime
    told: bytes
    """The message as it came: the access log keeps its hash."""


def read_order(payload: bytes) -> Order:
    """Read one message of the commands topic. Raises OrderError."""
    try:
        data = decode(payload).data
    except EnvelopeError as error:
        raise OrderError(str(error)) from None
    if not isinstance(data, Command):
        raise OrderError("it is no command")
    if data.name != looks.COMMAND:
        raise OrderError(f"command {data.name[:40]!r} is not known here")
    if data.issued_at.tzinfo is None or data.expires_at.tzinfo is None:
        raise OrderError("its times have no time zone")
    if not timedelta(0) < data.expires_at - data.issued_at <= LONGEST:
        raise OrderError("it is good for longer than an order may be")
    told = {name: data.arguments.get(name, "").strip() for name in _ARGUMENTS}
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
    )


_ARGUMENTS = (looks.CAMERA, looks.BY, looks.REASON)
