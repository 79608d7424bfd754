"""The CloudEvents 1.0 envelope around every message, and its fast typed decoding.

Decoding has two steps so that a message that we cannot read still tells who sent it: the outer
attributes first, then `data` by its type. Errors say which field is wrong.
"""

import re
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from contracts import events, room
from contracts.topics import Channel, Identity, parse_source

MAX_PAYLOAD_BYTES = 1_000_000
"""The largest message that anyone here sends or reads; brokers are configured to match."""

_TYPE = re.compile(r"foodsentry\.([a-z]+)\.v(\d+)\Z")
VERSION = 1

Data = (
    events.Readings
    | events.TestResult
    | events.Observation
    | events.Evidence
    | events.Status
    | events.Look
    | events.Receipt
    | events.Alert
    | events.Notice
    | events.Command
    | room.SampleRecord
    | room.RoomBook
)
T = TypeVar("T", bound=msgspec.Struct)

DATA_TYPES: dict[str, type[msgspec.Struct]] = {
    Channel.READINGS.value: events.Readings,
    Channel.TESTS.value: events.TestResult,
    Channel.OBSERVATIONS.value: events.Observation,
    Channel.EVIDENCE.value: events.Evidence,
    Channel.STATUS.value: events.Status,
    Channel.LOOKS.value: events.Look,
    Channel.RECEIPTS.value: events.Receipt,
    "alerts": events.Alert,
    "notices": events.Notice,
    Channel.COMMANDS.value: events.Command,
    Channel.SAMPLES.value: room.SampleRecord,
    Channel.ROOM.value: room.RoomBook,
}
"""Event kind (the middle word of the type) → type of `data`."""
_KINDS = {f"foodsentry.{kind}.v{VERSION}": kind for kind in DATA_TYPES}


class EnvelopeError(ValueError):
    """A message that does not follow the wire contract; the text says which field."""


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outer attributes. `data` stays undecoded bytes until its type is known."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    source: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    type: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    time: datetime
    data: msgspec.Raw
    specversion: str = "1.0"
    datacontenttype: str = "application/json"
    agent: str = ""
    """Device id of the agent that numbers this event; it is at the same site as the source."""
    epoch: str = ""
    """Name of the agent's numbering; a new outbox starts a new one."""
    sequence: int = 0
    """Number within the agent's epoch, from 1; 0 for what is not receipted (status, receipts)."""
    clockoffsetms: int = 0
    """The edge's clock minus true time, in milliseconds, as far as it knows."""

    @property
    def identity(self) -> Identity:
        """Who speaks. Raises TopicError."""
        return parse_source(self.source)

    @property
    def kind(self) -> str:
        """Event kind, e.g. ``readings``. Raises EnvelopeError for other types and versions."""
        known = _KINDS.get(self.type)
        if known is not None:
            return known
        match = _TYPE.match(self.type)
        if match is None or match[1] not in DATA_TYPES:
            raise EnvelopeError(f"type: {self.type!r} is not a foodsentry event type")
        if int(match[2]) != VERSION:
            raise EnvelopeError(f"type: version v{match[2]} of {match[1]} is not known here")
        return match[1]


class Event(msgspec.Struct, frozen=True):
    """A message, read whole: envelope and typed data."""

    envelope: Envelope
    kind: str
    data: Data


_encoder = msgspec.json.Encoder()
_envelope_decoder = msgspec.json.Decoder(Envelope)
_data_decoders = {kind: msgspec.json.Decoder(type_) for kind, type_ in DATA_TYPES.items()}


def event_type(kind: str) -> str:
    """The CloudEvents type of an event kind."""
    return f"foodsentry.{kind}.v{VERSION}"


def encode_data(data: msgspec.Struct) -> bytes:
    """The JSON bytes of an event's data."""
    return _encoder.encode(data)


def encode(
    kind: str,
    who: Identity,
    data: msgspec.Struct | bytes,
    *,
    event_id: str,
    at: datetime,
    agent: str = "",
    epoch: str = "",
    sequence: int = 0,
    clock_offset_ms: int = 0,
) -> bytes:
    """Wrap `data` (a typed value or its JSON bytes) in an envelope; returns the payload."""
    raw = data if isinstance(data, bytes) else _encoder.encode(data)
    # A default is left out of the JSON to keep messages small, but CloudEvents requires
    # specversion: it is written by hand.
    body = _encoder.encode(
        Envelope(
            id=event_id,
            source=who.source,
            type=event_type(kind),
            time=at,
            data=msgspec.Raw(raw),
            agent=agent,
            epoch=epoch,
            sequence=sequence,
            clockoffsetms=clock_offset_ms,
        )
    )
    return b'{"specversion":"1.0",' + body[1:]


def decode_envelope(payload: bytes) -> Envelope:
    """Read the outer attributes. Raises EnvelopeError that says which field is wrong."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise EnvelopeError(f"payload of {len(payload)} bytes exceeds {MAX_PAYLOAD_BYTES}")
    try:
        envelope = _envelope_decoder.decode(payload)
    except msgspec.ValidationError as error:
        raise EnvelopeError(f"envelope: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnvelopeError(f"not JSON: {error}") from None
    if envelope.specversion != "1.0":
        raise EnvelopeError(f"specversion: {envelope.specversion[:16]!r} is not 1.0")
    if envelope.time.tzinfo is None:
        raise EnvelopeError("time: has no time zone")
    if envelope.sequence < 0:
        raise EnvelopeError("sequence: is negative")
    return envelope


def decode_data(envelope: Envelope) -> Event:
    """Read `data` by its type. Raises EnvelopeError that says which field is wrong."""
    kind = envelope.kind
    try:
        data = _data_decoders[kind].decode(envelope.data)
    except msgspec.ValidationError as error:
        raise EnvelopeError(f"data of {kind}: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EnvelopeError(f"data of {kind} is not JSON: {error}") from None
    return Event(envelope, kind, data)  # type: ignore[arg-type]


def decode(payload: bytes) -> Event:
    """Read a whole message. Raises EnvelopeError."""
    return decode_data(decode_envelope(payload))
