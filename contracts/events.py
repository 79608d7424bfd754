"""The facts that travel: one frozen type for the data of each channel.

Times are aware UTC. Bytes are base64 in JSON. Units are UCUM codes. Unknown fields are ignored,
so that an older reader can live with a newer writer.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from contracts.words import (
    AlertState,
    DeviceState,
    LookState,
    Phase,
    PictureRole,
    Quality,
    Severity,
    Verdict,
)

Text = Annotated[str, msgspec.Meta(max_length=512)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class _Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Common shape of everything that travels."""


class Reading(_Fact, frozen=True, gc=False):  # so many of them: the collector need not look
    """One value of a probe."""

    metric: Name
    value: float
    unit: Name
    measured_at: datetime
    quality: Quality = Quality.GOOD


class Readings(_Fact, frozen=True):
    """A batch of one device's readings, in order of measurement."""

    readings: Annotated[list[Reading], msgspec.Meta(min_length=1, max_length=5000)]


class RawFrame(_Fact, frozen=True):
    """The bytes as they came from the line, with their hash: what custody rests on."""

    content: bytes
    sha256: Sha256


class ProfileRef(_Fact, frozen=True):
    """Which reading of the bytes: profile folder and version."""

    id: Name
    version: Name


class Sample(_Fact, frozen=True):
    """What was tested, as far as the instrument or the operator said."""

    number: Text = ""
    name: Text = ""
    name_cut: bool = False
    """True if the instrument cut the name (some keep three Chinese characters)."""
    stall: Text = ""
    lot: Text = ""
    supplier: Text = ""
    origin: Text = ""


class Value(_Fact, frozen=True):
    """A measured value: the text as sent stays; the number is added where there is one."""

    text: Text
    number: float | None = None
    """None where there is none: of words, of what cannot be read, and of a censored value."""
    comparator: Text = ""
    """``<`` or ``>`` of a censored value."""
    bound: float | None = None
    """What a censored value lies below or above; never the value itself."""
    unit: Text = ""
    qualitative: Text = ""
    """``negative``, ``positive`` or ``invalid`` where the instrument answers in words."""


class TestResult(_Fact, frozen=True):
    """快检结果: one value of one item of one sample, with the bytes it was read from."""

    __test__ = False  # not a pytest class

    sample: Sample
    item: Name
    """The item as the instrument sent it."""
    value: Value
    verdict: Verdict
    captured_at: datetime
    profile: ProfileRef
    raw: RawFrame
    item_code: Text = ""
    """The item in our own list, where it is known (``pesticide_inhibition``)."""
    record_number: int | None = None
    channel: int | None = None
    measured_at: datetime | None = None
    measured_text: Text = ""
    """The instrument's own time as sent; its clock may be wrong."""
    clock_offset_s: float | None = None
    """Instrument clock minus edge clock, where it could be measured."""
    limit_text: Text = ""
    rule: Text = ""
    """The limit or rule that the verdict rests on."""
    instrument_verdict: Text = ""
    operator: Text = ""
    flags: tuple[str, ...] = ()


class Box(_Fact, frozen=True):
    """A labelled rectangle in pixels of the frame."""

    label: Name
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: Share
    attributes: dict[str, float] | None = None
    """Probability by attribute (``hat``, ``mask``), or None when it cannot be told."""


class ModelRef(_Fact, frozen=True):
    """Which model saw it."""

    id: Name
    version: Name
    sha256: Sha256


class Observation(_Fact, frozen=True):
    """观察: an episode that a camera saw, or a state in which it could not see."""

    observation_id: Name
    kind: Name
    """``no_hat``, ``no_mask``, ``off_hours_person``, ``camera_offline``, ``camera_dark`` …"""
    phase: Phase
    started_at: datetime
    captured_at: datetime
    reason: Text
    """Why, in words; ``中文 / English`` (see ``contracts.words.both``)."""
    zone: Text = ""
    zone_kind: Text = ""
    ended_at: datetime | None = None
    people: int = 0
    """The most at a time."""
    peak_at: datetime | None = None
    """When the most people were in it, and of those moments the surest."""
    tracks: int = 0
    """People that were followed in it; one who left for long and came back counts anew."""
    stretches: int = 0
    """How often it began anew within the one episode."""
    retracted: bool = False
    """True of a closing that takes it back: what was seen proved to be a picture."""
    confidence: Share = 1.0
    boxes: tuple[Box, ...] = ()
    models: tuple[ModelRef, ...] = ()
    evidence: tuple[str, ...] = ()
    """Ids of the evidence that travels beside this observation."""


class Signature(_Fact, frozen=True):
    """An agent's Ed25519 signature (RFC 8032) over a picture's statement.

    What is signed stands in ``contracts.statement``.
    """

    key_id: Sha256
    """SHA-256 of the public key: its fingerprint."""
    key_epoch: datetime
    """When the key was made, by the agent's clock."""
    public_key: Annotated[bytes, msgspec.Meta(max_length=128)]
    """32 bytes; one of another length is no key, and its picture is told as falsely signed."""
    value: Annotated[bytes, msgspec.Meta(max_length=128)]
    """64 bytes."""


class Evidence(_Fact, frozen=True):
    """A picture that belongs to an observation. Bounded: the edge shrinks before it sends."""

    evidence_id: Name
    media_type: Name
    content: bytes
    sha256: Sha256
    width: int
    height: int
    captured_at: datetime
    blurred: bool
    """True if faces and heads were made unrecognisable before it left the edge."""
    observation_id: Text = ""
    boxes: tuple[Box, ...] = ()
    role: PictureRole = PictureRole.BEST
    original_sha256: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    """Of the unblurred JPEG that was sealed at the site; empty if none was kept."""
    signature: Signature | None = None


class Look(_Fact, frozen=True):
    """An answer to a look that the city asked for: a picture, or why there is none."""

    look_id: Name
    """Of an answer to `camera.keep`, that order's id."""
    number: Count
    """Of the look's answers, from 1."""
    state: LookState
    at: datetime
    reason: Text = ""
    """Why there is no picture, or no further one; ``中文 / English``."""
    picture: Evidence | None = None


class Numbering(_Fact, frozen=True):
    """How many numbers an agent has given in one epoch: 1 through `given`."""

    epoch: Name
    begun_at: datetime
    given: Count
    thinned: Count = 0
    """How many of them were thinned out, so that the city may never get them."""


class Status(_Fact, frozen=True):
    """State of a device or agent (retained; the last will says ``offline``)."""

    state: DeviceState
    at: datetime
    detail: Text = ""
    software: Text = ""
    epoch: Text = ""
    lowest_unreceipted: int | None = None
    oldest_unsent_age_s: float = 0.0
    backlog: int = 0
    outbox_bytes: int = 0
    thinned: int = 0
    clock_offset_s: float | None = None
    discarded_bytes: int = 0
    figures: dict[str, float] = {}
    numbering: Annotated[tuple[Numbering, ...], msgspec.Meta(max_length=64)] = ()
    """An agent's latest epochs, newest first: what the city should have or be waiting for."""


class Receipt(_Fact, frozen=True):
    """What of one agent's epoch the city has: closed ranges of sequence numbers."""

    epoch: Name
    ranges: list[tuple[int, int]]
    """Stored everywhere: they may leave the outbox."""
    taken: list[tuple[int, int]] = []
    """In the ledger and judged, but not in the time series, which is down: they must stay in the
    outbox. Under a name of its own, so that an agent that does not know it forgets nothing."""


class Alert(_Fact, frozen=True):
    """State of one alert, as retained on MQTT."""

    alert_id: Name
    rule: Name
    rule_version: Name
    severity: Severity
    state: AlertState
    title_zh: Text
    title_en: Text
    region: Name
    site: Name
    device: Name
    raised_at: datetime
    changed_at: datetime
    summary: Text = ""
    acknowledged_by: Text = ""
    evidence: tuple[str, ...] = ()


class Notice(_Fact, frozen=True):
    """A message to people as it was sent, for displays in duty rooms; not retained."""

    notice_id: Name
    """Same message, same id: it may come twice."""
    kind: Name
    """``alert``, ``resolved``, ``escalated``, ``digest``, ``notice`` or ``test``."""
    severity: Severity
    title: Annotated[str, msgspec.Meta(max_length=4096)]
    text: Annotated[str, msgspec.Meta(max_length=4096)]
    language: Name
    made_at: datetime
    url: Annotated[str, msgspec.Meta(max_length=2048)] = ""
    """Where it can be looked at."""
    recipient: Text = ""
    """The officer it is meant for; empty if the displays themselves are."""
    alerts: tuple[str, ...] = ()


class Command(_Fact, frozen=True):
    """An order to a device; it expires, so that a late one does nothing."""

    command_id: Name
    name: Name
    issued_at: datetime
    expires_at: datetime
    arguments: dict[str, str] = {}
