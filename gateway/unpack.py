"""From a message to an accepted event or a refusal with its reason: pure, no store.

An event is accepted when its topic, its source and its agent agree, all of them are registered, and
its content can be stored. A refusal still names the agent and the number of the event where they
can be read, so that the edge can be told that the bytes are safe (in the dead letters).
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite

import msgspec

from contracts.envelope import (
    Envelope,
    EnvelopeError,
    Event,
    decode_data,
    decode_envelope,
    event_type,
)
from contracts.events import Evidence, Look, Observation, Readings, Status, TestResult
from contracts.room import SampleRecord
from contracts.topics import (
    UPLINK_CHANNELS,
    Channel,
    Identity,
    Topic,
    TopicError,
    checked_segment,
    parse_device_topic,
)
from gateway.broker import Inbound
from ledger.devices import Device, DeviceKind

EPOCH_LENGTH = 64
SEQUENCE_MOST = 2**53
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""A box without a clock battery begins here: its facts are kept, however wrong their time."""
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
"""Later times cannot be stored as nanoseconds, and no instrument means them."""


class Numbered(msgspec.Struct, frozen=True):
    """Which number of which agent's epoch an event is: what a receipt speaks of."""

    agent: Identity
    epoch: str
    sequence: int


class Accepted(msgspec.Struct, frozen=True):
    """An event that may be stored. `numbered` is None for status events."""

    message: Inbound
    who: Identity
    device: Device
    event: Event
    numbered: Numbered | None


class Refused(msgspec.Struct, frozen=True):
    """A message for the dead letters."""

    message: Inbound
    kind: str
    """Short word for the metrics: what sort of refusal."""
    reason: str
    numbered: Numbered | None = None


class Refusal(Exception):
    """Internal to `unpack`: kind and reason of a refusal."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


Registry = Mapping[Identity, Device]

_parse_topic = lru_cache(maxsize=65_536)(parse_device_topic)
_source = lru_cache(maxsize=65_536)(lambda who: who.source)
_NUMBERED = frozenset(UPLINK_CHANNELS)
_UNNUMBERED = frozenset({Channel.STATUS, Channel.LOOKS})
_ACCEPTED = _NUMBERED | _UNNUMBERED


def unpack(message: Inbound, registry: Registry) -> Accepted | Refused:
    """Read and check one message. Never raises."""
    numbered = None
    try:
        topic = _topic(message)
        envelope = _envelope(message)
        numbered = _number(topic, envelope)
        device = _known(topic, envelope, numbered, registry)
        try:
            event = decode_data(envelope)
        except EnvelopeError as error:
            raise Refusal("unreadable", str(error)) from None
        _check_content(event)
    except Refusal as error:
        return Refused(message, error.kind, str(error), numbered)
    return Accepted(message, topic.identity, device, event, numbered)


class Desk:
    """Unpacks messages by one state of the registry, and remembers who may speak on which topic.

    Most messages are readings, with which nothing is wrong: they take a shorter way, on which the
    same is asked of them. What stumbles on it goes the whole way, and hears there what is wrong.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._routes: dict[str, _Route] = {}

    def unpack(self, message: Inbound) -> Accepted | Refused:
        """As the function of this name does."""
        route = self._routes.get(message.topic)
        if route is None:
            found = unpack(message, self.registry)
            if isinstance(found, Accepted) and isinstance(found.event.data, Readings):
                who = found.who
                self._routes[message.topic] = _Route(who, found.device, _source(who), {})
            return found
        return self._readings(message, route) or unpack(message, self.registry)

    def _readings(self, message: Inbound, route: "_Route") -> Accepted | None:
        """An acceptance, or None if there is anything to be asked."""
        try:
            envelope = decode_envelope(message.payload)
            if envelope.source != route.source or envelope.type != _READINGS:
                return None
            agent = route.agents.get(envelope.agent) or self._agent(envelope, route)
            epoch, sequence = envelope.epoch, envelope.sequence
            if agent is None or not _is_number(epoch, sequence):
                return None
            event = decode_data(envelope)
            data = event.data
            if not isinstance(data, Readings) or not EARLIEST <= envelope.time < LATEST:
                return None
            for reading in data.readings:
                if not (isfinite(reading.value) and EARLIEST <= reading.measured_at < LATEST):
                    return None
        except (EnvelopeError, TypeError):  # TypeError: a time without a zone
            return None
        numbered = Numbered(agent, epoch, sequence)
        return Accepted(message, route.who, route.device, event, numbered)

    def _agent(self, envelope: Envelope, route: "_Route") -> Identity | None:
        who = Identity(route.who.region, route.who.site, envelope.agent)
        agent = self.registry.get(who)
        if agent is None or agent.kind is not DeviceKind.AGENT:
            return None
        route.agents[envelope.agent] = who
        return who


class _Route(msgspec.Struct, frozen=True):
    """A topic of readings: whose it is, and which agents have spoken for it."""

    who: Identity
    device: Device
    source: str
    agents: dict[str, Identity]


_READINGS = event_type(Channel.READINGS.value)


def _is_number(epoch: str, sequence: int) -> bool:
    return 0 < sequence <= SEQUENCE_MOST and 0 < len(epoch) <= EPOCH_LENGTH and "\x00" not in epoch


def _topic(message: Inbound) -> Topic:
    try:
        topic = _parse_topic(message.topic)
    except TopicError as error:
        raise Refusal("topic", str(error)) from None
    if topic.channel not in _ACCEPTED:
        raise Refusal("topic", f"topic {message.topic}: channel {topic.channel} is not for us")
    return topic


def _envelope(message: Inbound) -> Envelope:
    try:
        return decode_envelope(message.payload)
    except EnvelopeError as error:
        kind = "oversized" if "exceeds" in str(error) else "unreadable"
        raise Refusal(kind, str(error)) from None


def _number(topic: Topic, envelope: Envelope) -> Numbered | None:
    """The event's number, under the site of its topic: nobody speaks for another site's agent."""
    if topic.channel in _UNNUMBERED or not envelope.agent:
        return None
    if not _is_number(envelope.epoch, envelope.sequence):
        return None
    try:
        checked_segment("agent", envelope.agent)
    except TopicError:
        return None
    who = topic.identity
    return Numbered(
        Identity(who.region, who.site, envelope.agent), envelope.epoch, envelope.sequence
    )


def _known(
    topic: Topic, envelope: Envelope, numbered: Numbered | None, registry: Registry
) -> Device:
    if envelope.source != _source(topic.identity):
        raise Refusal(
            "forged", f"source {envelope.source[:200]!r} is not that of its topic, {_shown(topic)}"
        )
    try:
        kind = envelope.kind
    except EnvelopeError as error:
        raise Refusal("unreadable", str(error)) from None
    if kind != topic.channel.value:
        raise Refusal("forged", f"type {envelope.type[:80]!r} came on {_shown(topic)}")
    device = registry.get(topic.identity)
    if device is None:
        raise Refusal("unregistered", f"device {_source(topic.identity)} is not registered")
    if topic.channel in _UNNUMBERED:
        return device
    if numbered is None:
        raise Refusal("unnumbered", "agent, epoch or sequence is missing or out of range")
    agent = registry.get(numbered.agent)
    if agent is None or agent.kind is not DeviceKind.AGENT:
        raise Refusal(
            "unregistered", f"{_source(numbered.agent)} is not registered as an agent of this site"
        )
    return device


def _shown(topic: Topic) -> str:
    return f"{_source(topic.identity)} {topic.channel}"


def _check_content(event: Event) -> None:
    data = event.data
    try:
        _sane("time", event.envelope.time)
        if isinstance(data, Readings):
            _check_readings(data)
        elif isinstance(data, TestResult):
            _finite("tests: value.number", data.value.number)
            _finite("tests: value.bound", data.value.bound)
            _finite("tests: clock_offset_s", data.clock_offset_s)
            _sane("tests: captured_at", data.captured_at)
            _sane("tests: measured_at", data.measured_at)
            _hashed("tests: raw", data.raw.content, data.raw.sha256)
        elif isinstance(data, Observation):
            _sane("observations: started_at", data.started_at)
            _sane("observations: ended_at", data.ended_at)
            _sane("observations: captured_at", data.captured_at)
        elif isinstance(data, Evidence):
            _sane("evidence: captured_at", data.captured_at)
            _hashed("evidence: content", data.content, data.sha256)
            if data.signature is not None:
                _sane("evidence: signature.key_epoch", data.signature.key_epoch)
        elif isinstance(data, SampleRecord):
            _sane("samples: registered_at", data.registered_at)
            for one in data.attached:
                _sane("samples: attached.at", one.at)
        elif isinstance(data, Status):
            _sane("status: at", data.at)
        elif isinstance(data, Look):
            _sane("looks: at", data.at)
            if data.picture is not None:
                _sane("looks: captured_at", data.picture.captured_at)
                _hashed("looks: picture", data.picture.content, data.picture.sha256)
    except ValueError as error:
        raise Refusal("content", str(error)) from None


def _check_readings(data: Readings) -> None:
    for reading in data.readings:
        _finite("readings: value", reading.value)
        _sane("readings: measured_at", reading.measured_at)


def _finite(name: str, value: float | None) -> None:
    if value is not None and not isfinite(value):
        raise ValueError(f"{name}: {value} is not a number that can be stored")


def _sane(name: str, at: datetime | None) -> None:
    if at is None:
        return
    if at.tzinfo is None:
        raise ValueError(f"{name}: has no time zone")
    if not EARLIEST <= at < LATEST:
        raise ValueError(f"{name}: {at.isoformat()} is outside of {EARLIEST.year}-{LATEST.year}")


def _hashed(name: str, content: bytes, sha256: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ValueError(f"{name} has SHA-256 {digest}, not {sha256}")
