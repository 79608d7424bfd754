"""Check values over bytes: sums, LRC, CRC-8 and CRC-16, and where a profile's frame holds them.

Vectors: CRC-8 (poly 0x31, init 0) of ``123456789`` is A2; CRC-16/MODBUS of it is 4B37; CRC-16/CCITT
(init 0xFFFF) is 29B1.
"""

from collections.abc import Callable
from functools import lru_cache, reduce
from operator import xor

from contracts.profile_framing import Check


def sum8(data: bytes) -> int:
    """Sum modulo 256."""
    return sum(data) & 0xFF


def complement8(data: bytes) -> int:
    """Two's complement of the sum; Modbus ASCII calls it LRC."""
    return -sum(data) & 0xFF


def xor8(data: bytes) -> int:
    """Exclusive or of all bytes."""
    return reduce(xor, data, 0)


@lru_cache(maxsize=16)
def _crc8_table(poly: int) -> bytes:
    table = bytearray()
    for byte in range(256):
        for _ in range(8):
            byte = (byte << 1 ^ poly if byte & 0x80 else byte << 1) & 0xFF
        table.append(byte)
    return bytes(table)


def crc8(data: bytes, poly: int = 0x31, init: int = 0) -> int:
    """CRC-8, not reflected, no final xor."""
    table, value = _crc8_table(poly), init
    for byte in data:
        value = table[value ^ byte]
    return value


def _crc16_table(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ 0xA001 if byte & 1 else byte >> 1
    return byte


_MODBUS = tuple(_crc16_table(byte) for byte in range(256))


def crc16_modbus(data: bytes) -> int:
    """CRC-16/MODBUS; on the line the low byte goes first."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _MODBUS[(value ^ byte) & 0xFF]
    return value


def crc16_ccitt(data: bytes) -> int:
    """CRC-16 with polynomial 0x1021 from 0xFFFF, not reflected."""
    value = 0xFFFF
    for byte in data:
        value ^= byte << 8
        for _ in range(8):
            value = (value << 1 ^ 0x1021 if value & 0x8000 else value << 1) & 0xFFFF
    return value


CHECKS: dict[str, Callable[[bytes], int]] = {
    "sum8": sum8,
    "complement8": complement8,
    "xor8": xor8,
    "crc16_modbus": crc16_modbus,
    "crc16_ccitt": crc16_ccitt,
}


def written(check: Check, data: bytes) -> bytes:
    """The check value of `data` as it stands on the line."""
    if check.kind == "crc8":
        value = crc8(data, check.poly, check.init)
    else:
        value = CHECKS[check.kind](data)
    size = 2 if check.kind.startswith("crc16") else 1
    raw = value.to_bytes(size, check.order)
    return raw.hex().upper().encode("ascii") if check.encoding == "hex" else raw


def complaint(check: Check, frame: bytes) -> str:
    """Empty if the frame's check is right, else what is wrong with it."""
    at = check.at if check.at >= 0 else len(frame) + check.at
    if check.end is None:
        end = len(frame) if at < check.start else at
    else:
        end = check.end if check.end >= 0 else len(frame) + check.end
    found = frame[at : at + check.width]
    if at < 0 or end < check.start or len(found) != check.width:
        return f"too short for its check ({len(frame)} bytes)"
    expected = written(check, frame[check.start : end])
    if found.upper() == expected if check.encoding == "hex" else found == expected:
        return ""
    return f"check is {found.hex().upper()}, should be {expected.hex().upper()}"
