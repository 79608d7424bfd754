"""How a profile says where frames begin and end on the line, and how they are checked."""

from typing import Annotated, Literal

import msgspec

Hex = Annotated[
    str,
    msgspec.Meta(
        pattern="^(?:[0-9A-Fa-f]{2}(?: ?[0-9A-Fa-f]{2})*)?$",
        description="Bytes as pairs of hexadecimal digits, spaces allowed.",
    ),
]
Order = Literal["little", "big"]
MaxBytes = Annotated[
    int, msgspec.Meta(ge=2, le=65536, description="Longest frame in bytes; bounds the memory.")
]
IdleS = Annotated[
    float,
    msgspec.Meta(
        gt=0,
        le=60,
        description="Silence in seconds after which an incomplete frame is given up.",
    ),
]


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A check value inside a frame: which, over what, where and how written."""

    kind: Annotated[
        Literal["sum8", "xor8", "complement8", "crc8", "crc16_modbus", "crc16_ccitt"],
        msgspec.Meta(
            description="`sum8` sum modulo 256, `complement8` its two's complement (also called "
            "LRC), `xor8` exclusive or, `crc8` by `poly` and `init`, `crc16_modbus` polynomial "
            "0xA001 reflected from 0xFFFF, `crc16_ccitt` polynomial 0x1021 from 0xFFFF."
        ),
    ]
    at: Annotated[int, msgspec.Meta(description="Where it stands; negative: from the frame's end.")]
    start: Annotated[int, msgspec.Meta(ge=0, description="First byte that it covers.")] = 0
    end: Annotated[
        int | None,
        msgspec.Meta(
            description="One past the last byte covered; negative: from the end; default: up to "
            "the check itself, or to the end of the frame where the check stands before them."
        ),
    ] = None
    poly: Annotated[int, msgspec.Meta(ge=1, le=255, description="Polynomial of `crc8`.")] = 0x31
    init: Annotated[int, msgspec.Meta(ge=0, le=255, description="Start value of `crc8`.")] = 0
    encoding: Annotated[
        Literal["binary", "hex"], msgspec.Meta(description="As bytes, or as hexadecimal digits.")
    ] = "binary"
    order: Annotated[Order, msgspec.Meta(description="Byte order of a 16-bit check.")] = "little"
    verify: Annotated[
        Literal["strict", "warn", "off"],
        msgspec.Meta(
            description="`strict`: a wrong check is no frame; `warn`: it is kept and flagged "
            "`bad_check`; `off`: not looked at."
        ),
    ] = "strict"

    @property
    def width(self) -> int:
        """Bytes that the check takes up in the frame."""
        size = 2 if self.kind.startswith("crc16") else 1
        return size * 2 if self.encoding == "hex" else size


class Guard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What certain bytes must be, for a frame without a check to be believed."""

    at: Annotated[int, msgspec.Meta(description="First byte; negative: from the frame's end.")]
    length: Annotated[int, msgspec.Meta(ge=1, le=256, description="How many bytes.")] = 1
    low: Annotated[int, msgspec.Meta(ge=0, le=255, description="Lowest value of each.")] = 0
    high: Annotated[int, msgspec.Meta(ge=0, le=255, description="Highest value of each.")] = 255
    bcd: Annotated[bool, msgspec.Meta(description="Each is two packed decimal digits.")] = False


Guards = Annotated[
    tuple[Guard, ...],
    msgspec.Meta(description="Sanity of a frame that has no check; all must hold."),
]


class LengthFramer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="length"
):
    """Frames that say their length; found by head, length, tail and check together."""

    head: Annotated[Hex, msgspec.Meta(description="First bytes of every frame.")]
    length_at: Annotated[int, msgspec.Meta(ge=0, description="Where the length stands.")]
    length_size: Annotated[int, msgspec.Meta(ge=1, le=4, description="Its size in bytes.")] = 1
    length_order: Annotated[Order, msgspec.Meta(description="Its byte order.")] = "little"
    length_adds: Annotated[
        int, msgspec.Meta(description="Whole frame's bytes minus the number written.")
    ] = 0
    min_bytes: Annotated[int, msgspec.Meta(ge=1, description="Shortest frame.")] = 2
    max_bytes: MaxBytes = 1024
    tail: Annotated[Hex, msgspec.Meta(description="Last bytes of every frame.")] = ""
    check: Annotated[Check | None, msgspec.Meta(description="The check value.")] = None
    head_check: Annotated[
        Check | None,
        msgspec.Meta(
            description="A check of the header alone, looked at before the length is believed; "
            "its `at` counts from the frame's begin."
        ),
    ] = None
    guards: Guards = ()
    idle_s: IdleS = 0.3


class FixedFramer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"
):
    """Frames of one size."""

    size: Annotated[int, msgspec.Meta(ge=1, le=65536, description="Bytes of every frame.")]
    head: Annotated[Hex, msgspec.Meta(description="First bytes of every frame.")] = ""
    tail: Annotated[Hex, msgspec.Meta(description="Last bytes of every frame.")] = ""
    check: Annotated[Check | None, msgspec.Meta(description="The check value.")] = None
    guards: Guards = ()
    idle_s: IdleS = 0.3


class StartEndFramer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="start_end"
):
    """Frames between a head and a tail that do not occur inside."""

    head: Annotated[Hex, msgspec.Meta(description="Opens a frame; inside one it starts anew.")]
    tail: Annotated[Hex, msgspec.Meta(description="Closes a frame.")]
    max_bytes: MaxBytes = 1024
    check: Annotated[Check | None, msgspec.Meta(description="The check value.")] = None
    idle_s: IdleS = 1.0


class LineFramer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="line"
):
    """Lines of text. Empty lines are passed over."""

    end: Annotated[
        Hex, msgspec.Meta(description="End of a line; `0A` also fits lines that end CR LF.")
    ] = "0A"
    max_bytes: MaxBytes = 512
    idle_s: IdleS = 2.0


class UntilFramer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="until"
):
    """Records of one size, back to back, until an end record: one frame with all of them."""

    size: Annotated[int, msgspec.Meta(ge=1, le=4096, description="Bytes of a record.")]
    end: Annotated[Hex, msgspec.Meta(description="The end record, whole.")]
    prefix: Annotated[Hex, msgspec.Meta(description="What comes before the first record.")] = ""
    head: Annotated[Hex, msgspec.Meta(description="First bytes of every record.")] = ""
    tail: Annotated[
        Hex, msgspec.Meta(description="Last bytes of every record but the end record.")
    ] = ""
    max_bytes: MaxBytes = 65536
    idle_s: IdleS = 1.0


class RowsFramer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="rows"
):
    """Head, any number of rows, a trailer and a tail that may also occur inside; no length.

    The frame is the shortest one whose tail and guards are right.
    """

    head: Annotated[Hex, msgspec.Meta(min_length=2, description="First bytes of every frame.")]
    row: Annotated[int, msgspec.Meta(ge=1, le=4096, description="Bytes that each row adds.")]
    tail: Annotated[Hex, msgspec.Meta(min_length=2, description="Last bytes of every frame.")]
    guards: Annotated[
        tuple[Guard, ...],
        msgspec.Meta(min_length=1, description="What must hold for a length to be the right one."),
    ]
    trailer: Annotated[
        int, msgspec.Meta(ge=0, le=4096, description="Bytes between the last row and the tail.")
    ] = 0
    max_rows: Annotated[int, msgspec.Meta(ge=1, le=4096, description="Most rows.")] = 96
    each_size: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=4096, description="Bytes of the blocks after the head, one a row, for `each`."
        ),
    ] = 0
    each: Annotated[
        tuple[Guard, ...],
        msgspec.Meta(description="What must hold in each of these blocks; `at` within the block."),
    ] = ()
    idle_s: IdleS = 1.0


class SeriesFramer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="series"
):
    """Short words, and between an opening and a closing word blocks of one size.

    Each word and each block is a frame. Blocks are only looked for after the opening word.
    """

    open: Annotated[Hex, msgspec.Meta(min_length=2, description="Word before the first block.")]
    close: Annotated[Hex, msgspec.Meta(min_length=2, description="Word after the last block.")]
    size: Annotated[int, msgspec.Meta(ge=1, le=65536, description="Bytes of a block.")]
    words: Annotated[
        tuple[Hex, ...], msgspec.Meta(description="Other words, outside of a series.")
    ] = ()
    guards: Guards = ()
    idle_s: IdleS = 1.0


class IdleFramer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="idle"
):
    """A frame is what comes between two silences."""

    max_bytes: MaxBytes = 1024
    idle_s: IdleS = 0.3


Framer = (
    LengthFramer
    | FixedFramer
    | StartEndFramer
    | LineFramer
    | UntilFramer
    | RowsFramer
    | SeriesFramer
    | IdleFramer
)
