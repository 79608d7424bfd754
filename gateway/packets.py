"""The MQTT 5 packets that come by the thousand, read and written in bulk: PUBLISH and PUBACK.

Sans-IO: bytes in, publications out, and the place up to which the bytes were read. Everything else
that a broker says is left where it stands, for the MQTT library to read.

Source of the layout: OASIS, MQTT Version 5.0, sections 2.1 (fixed header), 3.3 (PUBLISH) and
3.4 (PUBACK).
"""

from collections.abc import Iterable

PUBLISH, PUBACK = 0x30, 0x40
HEADER_MOST = 5
"""Bytes of the longest fixed header."""
_PACKET_ID, _NO_PROPERTIES = 2, 0

Publication = tuple[str, bytes, int, int, bool]
"""Topic, payload, packet id (0 for QoS 0), QoS, retained."""


class Malformed(Exception):
    """A packet that breaks the protocol; the text says how."""


def packet_length(data: bytes, at: int) -> int | None:
    """Bytes of the packet that begins at `at`; None while its fixed header is not whole.

    Raises Malformed for a remaining length of more than four bytes.
    """
    length, shift = 0, 0
    for index in range(at + 1, min(len(data), at + HEADER_MOST)):
        byte = data[index]
        length |= (byte & 0x7F) << shift
        if byte < 0x80:
            return length + index + 1 - at
        shift += 7
    if len(data) - at >= HEADER_MOST:
        raise Malformed("remaining length has more than four bytes")
    return None


def read_publications(data: bytes, at: int, into: list[Publication]) -> int:
    """Read the whole PUBLISH packets of QoS 0 and 1 at `at`, one behind the other.

    Returns where the first other or unfinished packet begins. A topic that is not UTF-8 is given
    with U+FFFD, which no topic of ours contains. Raises Malformed.
    """
    end = len(data)
    add = into.append
    while at + 1 < end:
        first = data[at]
        qos = first >> 1 & 3
        if first & 0xF0 != PUBLISH or qos > 1:
            break
        # The remaining length of most of our messages has two bytes, and that of small ones one.
        length, start = data[at + 1], at + 2
        if length >= 0x80:
            whole = packet_length(data, at)
            if whole is None:
                break
            stop = at + whole
            start = at + (3 if whole < 16_387 else 4 if whole < 2_097_156 else 5)
        else:
            stop = start + length
        if stop > end:
            break
        begin = start + 2
        middle = begin + (data[start] << 8 | data[start + 1]) if begin <= stop else stop + 1
        body = middle + (_PACKET_ID if qos else 0)
        if body >= stop:
            raise Malformed("PUBLISH is shorter than its topic and packet id")
        number = data[middle] << 8 | data[middle + 1] if qos else 0
        if data[body] == _NO_PROPERTIES:
            body += 1
        else:
            body = _after_properties(data, body, stop)
        topic = data[begin:middle].decode("utf-8", "replace")
        add((topic, data[body:stop], number, qos, bool(first & 1)))
        at = stop
    return at


def write_pubacks(numbers: Iterable[int]) -> bytes:
    """PUBACK packets with the reason "success", one behind the other."""
    return b"".join([b"\x40\x02" + number.to_bytes(2, "big") for number in numbers])


def _after_properties(data: bytes, at: int, stop: int) -> int:
    """Where a packet's payload begins behind the properties whose length stands at `at`."""
    length, shift = 0, 0
    for index in range(at, min(stop, at + 4)):
        length |= (data[index] & 0x7F) << shift
        if data[index] < 0x80:
            if index + 1 + length > stop:
                break
            return index + 1 + length
        shift += 7
    raise Malformed("PUBLISH is shorter than its properties")
