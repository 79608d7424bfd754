"""Reads receipts: what they cover, and the city's time that they carry."""

from datetime import datetime

import msgspec

from contracts.envelope import EnvelopeError, decode
from contracts.events import Receipt
from edge_agent.outbox.schema import SEQUENCE_MASK


class ReceiptError(ValueError):
    """A message that is no usable receipt; the text says why."""


class Received(msgspec.Struct, frozen=True):
    """A receipt, checked."""

    epoch: str
    ranges: list[tuple[int, int]]
    """Stored everywhere."""
    sent_at: datetime
    taken: list[tuple[int, int]] = []
    """In the ledger and judged, but not in the time series."""


def read_receipt(payload: bytes) -> Received:
    """Read one message of the receipts topic. Raises ReceiptError."""
    try:
        event = decode(payload)
    except EnvelopeError as error:
        raise ReceiptError(str(error)) from None
    if not isinstance(event.data, Receipt):
        raise ReceiptError(f"a message of kind {event.kind}")
    for first, last in (*event.data.ranges, *event.data.taken):
        if not 1 <= first <= last <= SEQUENCE_MASK:
            raise ReceiptError(f"range {first}-{last} is not one of sequence numbers")
    data = event.data
    return Received(data.epoch, data.ranges, event.envelope.time, data.taken)
