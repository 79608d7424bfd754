"""How a fact becomes the row that waits: its lane, its topic, and the bytes that will be sent.

The whole payload is made once, when the fact is put: every resend is the same bytes.
"""

from enum import IntEnum

import msgspec

from contracts.envelope import MAX_PAYLOAD_BYTES, EnvelopeError, decode, encode
from contracts.topics import UPLINK_CHANNELS, Channel, Identity, device_topic
from edge_agent.ports import Fact, FactRefused


class Lane(IntEnum):
    """Order of sending: alarms before pictures before readings."""

    ALARM = 0
    """Test results and observations, which raise alerts, and the samples that they belong to."""
    PICTURE = 1
    READING = 2


_LANES = {
    Channel.TESTS: Lane.ALARM,
    Channel.OBSERVATIONS: Lane.ALARM,
    Channel.SAMPLES: Lane.ALARM,
    Channel.EVIDENCE: Lane.PICTURE,
    Channel.READINGS: Lane.READING,
}


class Row(msgspec.Struct, frozen=True):
    """A fact, ready to be stored and sent."""

    lane: Lane
    topic: str
    payload: bytes


def encode_fact(
    fact: Fact, agent: Identity, epoch: str, sequence: int, clock_offset_ms: int
) -> Row:
    """Wrap a fact for the wire. Raises FactRefused if the city could not read it."""
    who = fact.who
    if (who.region, who.site) != (agent.region, agent.site):
        raise FactRefused(f"{who.source}: not of this agent's site {agent.place}")
    try:
        channel = Channel(fact.kind)
        lane = _LANES[channel]
    except (ValueError, KeyError):
        kinds = ", ".join(channel.value for channel in UPLINK_CHANNELS)
        raise FactRefused(f"{who.source}: kind {fact.kind!r} is none of {kinds}") from None
    if fact.captured_at.tzinfo is None:
        raise FactRefused(f"{who.source}: {fact.kind}: captured_at has no time zone")
    try:
        payload = encode(
            fact.kind,
            who,
            fact.data,
            event_id=f"{epoch}-{sequence}",
            at=fact.captured_at,
            agent=agent.device,
            epoch=epoch,
            sequence=sequence,
            clock_offset_ms=clock_offset_ms,
        )
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise FactRefused(
                f"{who.source}: {fact.kind} of {len(payload)} bytes exceeds {MAX_PAYLOAD_BYTES}"
            )
        decode(payload)
    except (EnvelopeError, msgspec.MsgspecError, UnicodeEncodeError, OverflowError) as error:
        raise FactRefused(f"{who.source}: {fact.kind} breaks the wire contract: {error}") from None
    return Row(lane, device_topic(who, channel), payload)
