"""How a profile takes a frame apart into fields, and maps the fields to results and readings."""

from typing import Annotated, Literal

import msgspec

from contracts.profile_framing import Hex, Order

FieldName = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$")]
Encoding = Annotated[
    Literal["ascii", "gb2312", "utf-8", "latin-1", "auto"],
    msgspec.Meta(
        description="Text encoding; `gb2312` is read as its superset GB 18030; `auto` is UTF-8 "
        "where the bytes are valid UTF-8, else GB 18030."
    ),
]
Qualitative = Literal["negative", "positive", "invalid"]


class Match(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes that a frame must show to be this record."""

    at: Annotated[int, msgspec.Meta(description="Where; negative: from the frame's end.")]
    hex: Annotated[Hex, msgspec.Meta(description="The bytes.")]
    mask: Annotated[
        Hex, msgspec.Meta(description="Bits of each byte that count; empty: all of them.")
    ] = ""


class BinaryField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One field of a binary frame."""

    at: Annotated[int, msgspec.Meta(description="First byte; negative: from the frame's end.")]
    kind: Annotated[
        Literal[
            "u8", "i8", "u16", "i16", "u32", "i32", "sm32", "f32", "bcd", "milli14", "text",
            "bytes", "ymdhms", "ymdhm", "ymd", "bcd_ymd", "bcd_ymdhms", "fat_time",
        ],
        msgspec.Meta(
            description="Integers by size and sign, `sm32` with its sign as the highest bit, "
            "`f32`, packed decimal, `milli14` (a whole number, then thousandths as two bytes of "
            "seven bits, high first), text, raw `bytes`, or a time: one byte each of year (since "
            "2000), month, day, hour, minute, second; `bcd_ymd` and `bcd_ymdhms` the same packed "
            "decimal; `fat_time` 32 bits packed."
        ),
    ]  # fmt: skip
    length: Annotated[
        int, msgspec.Meta(ge=0, le=4096, description="Bytes: `text`, `bytes`, `bcd`, `milli14`.")
    ] = 0
    order: Annotated[Order, msgspec.Meta(description="Byte order.")] = "little"
    decimals: Annotated[
        int, msgspec.Meta(ge=0, le=9, description="Decimal places: 5320 with 2 is 53.20.")
    ] = 0
    shift: Annotated[
        int,
        msgspec.Meta(
            ge=-9, le=9, description="Places to move the point of an `f32`: 0.532 with 2 is 53.2."
        ),
    ] = 0
    mask: Annotated[
        int, msgspec.Meta(ge=0, le=0xFFFFFFFF, description="Bits of an integer that count; 0: all.")
    ] = 0
    bands: Annotated[
        dict[str, str],
        msgspec.Meta(
            description="Lowest number → word that holds from there on: 128 = valid, 192 = "
            "doubtful. Below the first there is no value."
        ),
    ] = {}
    encoding: Encoding = "gb2312"
    cut_at: Annotated[
        int,
        msgspec.Meta(
            ge=0, description="The instrument cuts this text at so many bytes; 0: it does not."
        ),
    ] = 0
    words: Annotated[
        dict[str, str],
        msgspec.Meta(description="Number as sent → word, for coded fields; others are invalid."),
    ] = {}
    invalid: Annotated[
        tuple[Hex, ...], msgspec.Meta(description="Byte patterns that mean: no value.")
    ] = ()


class ResultMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which fields make a quick-test result. Every key but the constants names a field."""

    value: Annotated[FieldName, msgspec.Meta(description="The measured value.")]
    item: Annotated[str, msgspec.Meta(description="Constant item, for one-item readers.")] = ""
    item_field: Annotated[str, msgspec.Meta(description="Field with the item as sent.")] = ""
    item_prefix: Annotated[
        str, msgspec.Meta(description="Put before an item that `items` doesn't name.")
    ] = ""
    items: Annotated[
        dict[str, str],
        msgspec.Meta(description="Item as sent → its name; others stay as sent."),
    ] = {}
    item_code: Annotated[
        str, msgspec.Meta(description="Constant code of the item in limits/quick_tests.csv.")
    ] = ""
    unit: Annotated[str, msgspec.Meta(description="Constant unit, UCUM.")] = ""
    unit_field: Annotated[str, msgspec.Meta(description="Field with the unit as sent.")] = ""
    units: Annotated[dict[str, str], msgspec.Meta(description="Unit as sent → UCUM code.")] = {}
    sample_number: Annotated[str, msgspec.Meta(description="Field.")] = ""
    sample_name: Annotated[str, msgspec.Meta(description="Field.")] = ""
    record_number: Annotated[str, msgspec.Meta(description="Field; an integer.")] = ""
    numbered: Annotated[
        Literal["no", "by_day", "on"],
        msgspec.Meta(
            description="Whether `record_number` counts without gaps, so that a missing number is "
            "a finding: `by_day` among the records of one day, `on` from record to record for ever."
        ),
    ] = "no"
    channel: Annotated[str, msgspec.Meta(description="Field; an integer.")] = ""
    measured: Annotated[str, msgspec.Meta(description="Field with the instrument's time.")] = ""
    sent: Annotated[
        str,
        msgspec.Meta(
            description="Field with the instrument's time when it sent (LIS2: H-14): against our "
            "own it gives the offset of its clock."
        ),
    ] = ""
    time_formats: Annotated[
        tuple[str, ...], msgspec.Meta(description="strptime formats of a time sent as text.")
    ] = ()
    operator: Annotated[str, msgspec.Meta(description="Field.")] = ""
    flag: Annotated[str, msgspec.Meta(description="Field, kept as sent.")] = ""
    status: Annotated[str, msgspec.Meta(description="Field, kept as sent.")] = ""
    verdict: Annotated[str, msgspec.Meta(description="Field with the vendor's own verdict.")] = ""
    words: Annotated[
        dict[str, Qualitative],
        msgspec.Meta(description="Value as sent → meaning, beside the usual words."),
    ] = {}
    invalid_statuses: Annotated[
        tuple[str, ...], msgspec.Meta(description="Statuses that say that there is no value.")
    ] = ()
    live_statuses: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="On a live line, only results with these statuses are taken."),
    ] = ()
    changes_only: Annotated[
        bool,
        msgspec.Meta(
            description="On a live line, a value like the one before is passed over (scales that "
            "send all the time)."
        ),
    ] = False
    dedupe: Annotated[
        tuple[str, ...],
        msgspec.Meta(description="Fields that together name a record; a repeat is passed over."),
    ] = ()


class ReadingMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which field makes a reading."""

    metric: Annotated[str, msgspec.Meta(min_length=1, description="Name of the series.")]
    value: Annotated[FieldName, msgspec.Meta(description="Field.")]
    unit: Annotated[str, msgspec.Meta(min_length=1, description="UCUM code.")]
    low: Annotated[float | None, msgspec.Meta(description="Below this the value is bad.")] = None
    high: Annotated[float | None, msgspec.Meta(description="Above this the value is bad.")] = None


class Beside(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """More of each block: a second run of as many blocks, right after the first."""

    size: Annotated[int, msgspec.Meta(ge=1, description="Bytes of a block of the second run.")]
    fields: Annotated[
        dict[FieldName, BinaryField], msgspec.Meta(description="Fields, offsets within its block.")
    ]


class Repeat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block of fields that comes several times in one frame; each gives a result."""

    at: Annotated[int, msgspec.Meta(ge=0, description="First byte of the first block.")]
    size: Annotated[int, msgspec.Meta(ge=1, description="Bytes of a block.")]
    fields: Annotated[
        dict[FieldName, BinaryField], msgspec.Meta(description="Fields, offsets within the block.")
    ]
    trailer: Annotated[int, msgspec.Meta(ge=0, description="Bytes after the last block.")] = 0
    count: Annotated[
        str, msgspec.Meta(description="Field with their number; else: to the end.")
    ] = ""
    beside: Annotated[
        Beside | None, msgspec.Meta(description="A second run of blocks with more fields.")
    ] = None
    used: Annotated[
        str,
        msgspec.Meta(
            description="Field with a bit for each block, the lowest for the first; a block "
            "whose bit is 0 is passed over."
        ),
    ] = ""
    exact: Annotated[
        bool, msgspec.Meta(description="Bytes left over after the last block mean a wrong frame.")
    ] = False
    skip: Annotated[
        tuple[Match, ...],
        msgspec.Meta(description="A block that shows one of these is passed over."),
    ] = ()


class BinaryRecord(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="binary"
):
    """A record in a binary frame (or in the register bytes of a Modbus reply)."""

    name: Annotated[FieldName, msgspec.Meta(description="Its name within the profile.")]
    when: Annotated[tuple[Match, ...], msgspec.Meta(description="All must match.")] = ()
    size: Annotated[int, msgspec.Meta(ge=0, description="Exact size of the frame; 0: any.")] = 0
    fields: Annotated[dict[FieldName, BinaryField], msgspec.Meta(description="The fields.")] = {}
    repeat: Annotated[Repeat | None, msgspec.Meta(description="Blocks.")] = None
    sane: Annotated[
        tuple[str, ...],
        msgspec.Meta(
            description="Fields that must be valid for the value to be believed, where there is no "
            "check; else the result is kept as invalid, with the flag `implausible`."
        ),
    ] = ()
    result: Annotated[ResultMap | None, msgspec.Meta(description="Gives a quick-test result.")] = (
        None
    )
    readings: Annotated[tuple[ReadingMap, ...], msgspec.Meta(description="Gives readings.")] = ()


class TextRecord(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="text"
):
    """A record in a frame of text: by a regular expression, or by columns."""

    name: Annotated[FieldName, msgspec.Meta(description="Its name within the profile.")]
    encoding: Encoding = "gb2312"
    pattern: Annotated[
        str,
        msgspec.Meta(description="Regular expression of the whole text; named groups are fields."),
    ] = ""
    many: Annotated[
        bool, msgspec.Meta(description="The pattern is found again and again in one frame.")
    ] = False
    firm_start: Annotated[
        bool,
        msgspec.Meta(
            description="Nothing but the whole record fits the pattern, however much is missing at "
            "its beginning; so what stands before it in a frame is noise."
        ),
    ] = False
    separator: Annotated[str, msgspec.Meta(description="Separates columns.")] = ""
    columns: Annotated[
        tuple[str, ...], msgspec.Meta(description="Field of each column; empty: not used.")
    ] = ()
    starts: Annotated[
        str, msgspec.Meta(description="What the first column must be, where columns are used.")
    ] = ""
    result: Annotated[ResultMap | None, msgspec.Meta(description="Gives a quick-test result.")] = (
        None
    )
    readings: Annotated[tuple[ReadingMap, ...], msgspec.Meta(description="Gives readings.")] = ()


class Lis2Record(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="lis2"
):
    """The R records of a LIS2 message with the H, P, O and C records around them."""

    name: Annotated[FieldName, msgspec.Meta(description="Its name within the profile.")]
    fields: Annotated[
        dict[FieldName, Annotated[str, msgspec.Meta(pattern=r"^[HPORCL]\.\d+(\.\d+)?$")]],
        msgspec.Meta(description="Field → record letter, field number and component: `R.3.4`."),
    ]
    encoding: Encoding = "auto"
    result: Annotated[ResultMap | None, msgspec.Meta(description="Gives a quick-test result.")] = (
        None
    )


Record = BinaryRecord | TextRecord | Lis2Record
