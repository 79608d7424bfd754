"""Finds the record that a frame is, by a profile, and takes it apart."""

import msgspec

from contracts.profile_records import BinaryRecord, Lis2Record, Record, TextRecord
from edge_agent.instruments.fields import (
    Cell,
    DecodeError,
    binary_rows,
    lis2_row,
    matches,
    text_rows,
)
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.protocols import lis2


class Row(msgspec.Struct, frozen=True):
    """One record out of a frame."""

    record: Record
    cells: dict[str, Cell]
    raw: bytes
    """The frame, or the frames, that it came in."""
    flags: tuple[str, ...] = ()


def decode_frame(profile: LoadedProfile, frame: bytes, flags: tuple[str, ...] = ()) -> list[Row]:
    """The rows of a frame from the line. Raises DecodeError if it is no record of the profile."""
    wrong = "no record of the profile fits"
    for record in profile.spec.records:
        if isinstance(record, BinaryRecord):
            if not matches(frame, record.when):
                continue
            if record.size and len(frame) != record.size:
                wrong = f"record {record.name} has {record.size} bytes, not {len(frame)}"
                continue
            return [
                _sane(record, Row(record, cells, frame, flags))
                for cells in binary_rows(record, frame)
            ]
        if isinstance(record, TextRecord):
            rows = [Row(record, cells, raw, flags) for cells, raw in text_rows(record, frame)]
            if rows:
                return rows
    raise DecodeError(wrong)


def noise_before(profile: LoadedProfile, frame: bytes) -> int:
    """How many bytes stand before a whole record in a frame that is none; 0 if none is there."""
    for record in profile.spec.records:
        if isinstance(record, TextRecord) and record.firm_start:
            for at in range(1, len(frame)):
                if frame[at : at + 1].isalnum() and text_rows(record, frame[at:]):
                    return at
    return 0


def record_name(profile: LoadedProfile, frame: bytes) -> str:
    """Name of the binary record that a frame is, also where it has no rows; else empty."""
    for record in profile.spec.records:
        if (
            isinstance(record, BinaryRecord)
            and matches(frame, record.when)
            and record.size in (0, len(frame))
        ):
            return record.name
    return ""


def _sane(record: BinaryRecord, row: Row) -> Row:
    """A row whose other fields make no sense has no value either."""
    if record.result is None or not any(row.cells[name].invalid for name in record.sane):
        return row
    value = msgspec.structs.replace(row.cells[record.result.value], invalid=True)
    cells = {**row.cells, record.result.value: value}
    return msgspec.structs.replace(row, cells=cells, flags=(*row.flags, "implausible"))


def decode_registers(profile: LoadedProfile, name: str, data: bytes, raw: bytes) -> list[Row]:
    """The rows of a Modbus reply: `data` are its register bytes. Raises DecodeError."""
    record = profile.record(name)
    if not isinstance(record, BinaryRecord):
        raise DecodeError(f"record {name} is not binary")
    return [Row(record, cells, raw) for cells in binary_rows(record, data)]


def decode_message(profile: LoadedProfile, message: lis2.Message) -> list[Row]:
    """A row for every R record of a message."""
    rows = []
    for record in profile.spec.records:
        if isinstance(record, Lis2Record):
            flags = () if message.terminated else ("no_terminator",)
            rows += [
                Row(record, lis2_row(record, result), result.raw, flags)
                for result in message.results()
            ]
    return rows
