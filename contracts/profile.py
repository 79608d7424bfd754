"""The schema of an instrument profile: what `profile.toml` may say, so that no code is needed.

A profile is a folder (its name is the profile's) with `profile.toml`, `README.md` and `captures/`.
"""

from typing import Annotated, Any, Literal

import msgspec

from contracts.profile_framing import Framer
from contracts.profile_records import FieldName, Record

EveryS = Annotated[float, msgspec.Meta(gt=0, le=86400, description="Seconds between rounds.")]
TimeoutS = Annotated[
    float, msgspec.Meta(gt=0, le=30, description="Seconds to wait for the first byte of a reply.")
]
Attempts = Annotated[
    int, msgspec.Meta(ge=1, le=10, description="Rounds without answer before `no answer` is told.")
]


class Maker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the instrument is."""

    vendor: Annotated[str, msgspec.Meta(min_length=1, description="Maker.")]
    model: Annotated[str, msgspec.Meta(min_length=1, description="Model as printed on it.")]
    kind: Annotated[
        Literal["pesticide_reader", "analyzer", "probe", "balance", "strip_reader", "luminometer"],
        msgspec.Meta(description="What sort of device it is."),
    ]
    firmware: Annotated[str, msgspec.Meta(description="Firmware versions that it fits.")] = ""
    source: Annotated[str, msgspec.Meta(description="Where the facts come from.")] = ""


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the line is set."""

    baud: Annotated[int, msgspec.Meta(ge=50, le=4_000_000, description="Speed in baud.")]
    bits: Annotated[Literal[7, 8], msgspec.Meta(description="Data bits.")] = 8
    parity: Annotated[Literal["N", "E", "O"], msgspec.Meta(description="Parity.")] = "N"
    stop: Annotated[Literal[1, 2], msgspec.Meta(description="Stop bits.")] = 1
    flow: Annotated[
        Literal["none", "rtscts", "xonxoff"], msgspec.Meta(description="Flow control.")
    ] = "none"
    dtr: Annotated[bool, msgspec.Meta(description="Level of DTR while open.")] = True
    rts: Annotated[bool, msgspec.Meta(description="Level of RTS while open.")] = True
    settle_s: Annotated[
        float, msgspec.Meta(ge=0, le=10, description="Wait after opening before the first request.")
    ] = 0.0


class Listen(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="listen"
):
    """The instrument speaks by itself."""

    acknowledge: Annotated[
        str, msgspec.Meta(description="Template of the answer to a frame that is stored.")
    ] = ""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request and its replies."""

    name: Annotated[FieldName, msgspec.Meta(description="Its name.")]
    request: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            description="Template: hexadecimal pairs; `'text'`; `{day:ymd}`, `{day:bcd}`, "
            "`{day:fat}` and `{day:fat_end}` (its begin and end, packed in 32 bits) or "
            "`{day:%Y-%m-%d}`; `{address}`; `{index:u8}`, `u16` or `u32`, little-endian, of a step "
            "that is asked by `first` and `past`; `{check}` and `{head_check}`, computed as the "
            "framer checks.",
        ),
    ]
    reply: Annotated[FieldName, msgspec.Meta(description="Record that answers.")]
    also: Annotated[
        tuple[FieldName, ...], msgspec.Meta(description="Other records that answer as well.")
    ] = ()
    ends: Annotated[
        str, msgspec.Meta(description="Record that says that all replies have been sent.")
    ] = ""
    until_quiet: Annotated[
        bool, msgspec.Meta(description="Replies go on until the line is quiet: any number.")
    ] = False
    total: Annotated[
        str, msgspec.Meta(description="Field of the reply with the number of replies; else one.")
    ] = ""
    changed: Annotated[
        tuple[FieldName, ...],
        msgspec.Meta(description="`then` follows when one of these fields is not as last time."),
    ] = ()
    then: Annotated[str, msgspec.Meta(description="Step that follows.")] = ""
    first: Annotated[
        str, msgspec.Meta(description="Field of the reply with the first `{index}`; else 0.")
    ] = ""
    past: Annotated[
        str,
        msgspec.Meta(
            description="Field of the reply with the `{index}` past the last (with a plain "
            "count: that); `then` is asked for each index."
        ),
    ] = ""
    otherwise: Annotated[
        str,
        msgspec.Meta(
            description="Step that is tried when this one isn't answered: older firmware may not "
            "know the request."
        ),
    ] = ""
    may_be_silent: Annotated[
        bool, msgspec.Meta(description="No reply means nothing to tell, not a dead instrument.")
    ] = False


class Poll(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="poll"):
    """The host asks. The first step opens every round; others follow by `then`."""

    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1, description="The steps.")]
    opens: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="Steps that open a round, in turn; default: the first."),
    ] = ()
    every_s: EveryS = 1.0
    reply_timeout_s: TimeoutS = 0.8
    attempts: Attempts = 3
    history_days: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=366, description="Days before today that are asked for after connecting."
        ),
    ] = 0


class E1381(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="e1381"):
    """LIS01-A2 / ASTM E1381: the instrument sends, every frame is acknowledged."""

    max_frame_bytes: Annotated[
        int, msgspec.Meta(ge=16, le=64000, description="Longest frame in bytes.")
    ] = 64000
    max_message_bytes: Annotated[
        int, msgspec.Meta(ge=64, le=4_000_000, description="Longest message in bytes.")
    ] = 1_000_000
    frame_timeout_s: Annotated[
        float, msgspec.Meta(gt=0, le=300, description="Wait for a frame, then the message is void.")
    ] = 30.0


class Read(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block of registers to read; the record of the same name takes its bytes apart."""

    name: Annotated[FieldName, msgspec.Meta(description="Its name, and its record's.")]
    function: Annotated[Literal[1, 2, 3, 4], msgspec.Meta(description="Function code.")]
    start: Annotated[int, msgspec.Meta(ge=0, le=65535, description="First register, from 0.")]
    count: Annotated[int, msgspec.Meta(ge=1, le=125, description="How many.")]


class Modbus(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="modbus"
):
    """A Modbus unit that is read as a client."""

    reads: Annotated[tuple[Read, ...], msgspec.Meta(min_length=1, description="What is read.")]
    transport: Annotated[Literal["rtu", "ascii"], msgspec.Meta(description="Framing.")] = "rtu"
    unit: Annotated[int, msgspec.Meta(ge=1, le=247, description="Unit number as shipped.")] = 1
    every_s: EveryS = 2.0
    reply_timeout_s: TimeoutS = 0.4
    attempts: Attempts = 3


Dialogue = Listen | Poll | E1381 | Modbus


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `profile.toml`."""

    format: Annotated[Literal[1], msgspec.Meta(description="Version of this schema.")]
    version: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^\d+\.\d+\.\d+$", description="Version of the profile; results carry it."
        ),
    ]
    instrument: Annotated[Maker, msgspec.Meta(description="What it is.")]
    link: Annotated[Link, msgspec.Meta(description="How the line is set.")]
    dialogue: Annotated[Dialogue, msgspec.Meta(description="Who speaks when.")]
    records: Annotated[
        tuple[Record, ...], msgspec.Meta(min_length=1, description="What frames mean.")
    ]
    framer: Annotated[
        Framer | None, msgspec.Meta(description="Where frames begin and end; `listen` and `poll`.")
    ] = None


def json_schema() -> dict[str, Any]:
    """The schema as JSON Schema, for editors."""
    schema = msgspec.json.schema(Profile)
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **plain}
