"""MQTT topics of the wire contract: how they are built, taken apart and subscribed to.

Shape: ``fs/v1/{region}/{site}/{device}/{channel}``, and for alerts and for notices to people
``fs/v1/{region}/{site}/alerts/{alert_id}`` and ``…/notices/{notice_id}``. A segment is 1–64
letters, digits, ``_`` or ``-``, so that no identity can smuggle in a separator or a wildcard.
"""

import re
from enum import StrEnum

import msgspec

PREFIX = "fs/v1"
ALERTS = "alerts"
NOTICES = "notices"
_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


class Channel(StrEnum):
    """The last segment of a device's topic."""

    READINGS = "readings"
    TESTS = "tests"
    OBSERVATIONS = "observations"
    EVIDENCE = "evidence"
    SAMPLES = "samples"
    STATUS = "status"
    LOOKS = "looks"
    RECEIPTS = "receipts"
    CONFIG = "config"
    COMMANDS = "commands"
    ROOM = "room"


UPLINK_CHANNELS = (
    Channel.READINGS,
    Channel.TESTS,
    Channel.OBSERVATIONS,
    Channel.EVIDENCE,
    Channel.SAMPLES,
)
"""Channels whose events carry a sequence number, are receipted and never lost."""


class TopicError(ValueError):
    """A topic, source or identity does not follow the wire contract; the text says where."""


class Identity(msgspec.Struct, frozen=True, order=True):
    """Who speaks: a device at a site in a region. Equal to the ``source`` of its events."""

    region: str
    site: str
    device: str

    @property
    def source(self) -> str:
        """The CloudEvents source, ``/{region}/{site}/{device}``."""
        return f"/{self.region}/{self.site}/{self.device}"

    @property
    def place(self) -> str:
        """Its site, ``{region}/{site}``: also what the broker calls a site's agent."""
        return f"{self.region}/{self.site}"

    def sibling(self, device: str) -> "Identity":
        """Another device of the same site."""
        return Identity(self.region, self.site, checked_segment("device", device))


class Topic(msgspec.Struct, frozen=True):
    """A device's topic, taken apart."""

    identity: Identity
    channel: Channel


def checked_segment(name: str, value: str) -> str:
    """Return `value` if it may stand in a topic; raise TopicError that names the segment."""
    if not _SEGMENT.match(value):
        raise TopicError(f"{name} {value[:80]!r} must be 1-64 letters, digits, '_' or '-'")
    return value


def identity(region: str, site: str, device: str) -> Identity:
    """Build an identity from checked segments. No device is named as the city's topics are."""
    if device in (ALERTS, NOTICES):
        raise TopicError(f"device {device!r} is the name of the {device}' topic")
    return Identity(
        checked_segment("region", region),
        checked_segment("site", site),
        checked_segment("device", device),
    )


def parse_source(source: str) -> Identity:
    """Take a CloudEvents source apart. Raises TopicError."""
    parts = source.split("/")
    if len(parts) != 4 or parts[0]:
        raise TopicError(f"source {source[:200]!r} is not /region/site/device")
    return identity(parts[1], parts[2], parts[3])


def device_topic(who: Identity, channel: Channel) -> str:
    """The topic on which `who` publishes (or is addressed on) `channel`."""
    return f"{PREFIX}/{who.region}/{who.site}/{who.device}/{channel.value}"


def parse_device_topic(topic: str) -> Topic:
    """Take a device topic apart. Raises TopicError that says which part is wrong."""
    parts = topic.split("/")
    if len(parts) != 6 or parts[0] != "fs" or parts[1] != "v1":
        raise TopicError(f"topic {topic[:200]!r} is not {PREFIX}/region/site/device/channel")
    try:
        channel = Channel(parts[5])
    except ValueError:
        raise TopicError(f"topic {topic[:200]!r}: unknown channel {parts[5][:64]!r}") from None
    return Topic(identity(parts[2], parts[3], parts[4]), channel)


def alert_topic(region: str, site: str, alert_id: str) -> str:
    """Where the state of one alert is retained until it is closed."""
    return f"{PREFIX}/{region}/{site}/{ALERTS}/{checked_segment('alert_id', alert_id)}"


def notice_topic(region: str, site: str, notice_id: str) -> str:
    """Where a message to people is shown, once."""
    return f"{PREFIX}/{region}/{site}/{NOTICES}/{checked_segment('notice_id', notice_id)}"


def channel_filter(channel: Channel, region: str = "+", site: str = "+") -> str:
    """A subscription filter for one channel of every device (of a region, of a site)."""
    return f"{PREFIX}/{region}/{site}/+/{channel.value}"


def shared(group: str, topic_filter: str) -> str:
    """The MQTT 5 shared-subscription form of a filter."""
    return f"$share/{checked_segment('group', group)}/{topic_filter}"
