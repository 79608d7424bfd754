"""A bare MQTT 5 connection for benchmarks: floods a broker, or only listens, at little cost.

It knows just what a benchmark asks of a healthy broker on loopback: what it costs is not charged to
what is measured.
"""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Sequence

from gateway.packets import (
    PUBACK,
    PUBLISH,
    Publication,
    packet_length,
    read_publications,
    write_pubacks,
)

_CONNECT, _CONNACK, _SUBSCRIBE, _SUBACK, _DISCONNECT = 0x10, 0x20, 0x82, 0x90, 0xE0
_WINDOW = 8000
"""Publications under way without PUBACK."""
_LIMIT_S = 300.0

Published = tuple[str, bytes]
"""Topic, payload."""


class Wire:
    """One connection. `publish` may be called by one thread, what comes is read by another."""

    def __init__(self, port: int, client_id: str, heard: Callable[[list[Publication]], None]):
        self._heard = heard
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number = 0
        self._sent = self._acknowledged = 0
        self._answer = threading.Condition()
        self._writing = threading.Lock()
        self._answers: set[int] = set()
        self._closed = False
        name = client_id.encode()
        receive_maximum = b"\x03\x21\xff\xff"
        self._write(_CONNECT, b"\0\x04MQTT\x05\x02\0\0" + receive_maximum + _text(name))
        self._socket.settimeout(None)
        self._thread = threading.Thread(target=self._read, name=client_id, daemon=True)
        self._thread.start()
        self._wait(lambda: _CONNACK in self._answers)

    def subscribe(self, *filters: str) -> None:
        """Subscribe at QoS 1 and wait until the broker has agreed."""
        body = b"".join(_text(one.encode()) + b"\x01" for one in filters)
        self._answers.discard(_SUBACK)
        self._write(_SUBSCRIBE, b"\0\x01\0" + body)
        self._wait(lambda: _SUBACK in self._answers)

    def publish(self, messages: Iterable[Published], at_once: int = 200) -> None:
        """Publish at QoS 1, no faster than the broker acknowledges."""
        part: list[bytes] = []
        for topic, payload in messages:
            part.append(self._packet(topic, payload))
            if len(part) >= at_once:
                self._send(part)
                part = []
        self._send(part)

    def settle(self) -> None:
        """Wait until the broker has acknowledged everything."""
        self._wait(lambda: self._acknowledged >= self._sent)

    def close(self) -> None:
        """Leave the broker."""
        self._closed = True
        self._socket.sendall(bytes([_DISCONNECT, 0]))
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _packet(self, topic: str, payload: bytes) -> bytes:
        self._number = self._number % 65_535 + 1
        name = topic.encode()
        size = len(name) + 5 + len(payload)
        head = struct.pack("!H", len(name)) + name + struct.pack("!HB", self._number, 0)
        return bytes([PUBLISH | 0x02]) + _length(size) + head + payload

    def _send(self, packets: Sequence[bytes]) -> None:
        if packets:
            self._sent += len(packets)
            self._write_all(b"".join(packets))
            if self._sent - self._acknowledged > _WINDOW:
                self._wait(lambda: self._sent - self._acknowledged < _WINDOW // 2)

    def _write(self, kind: int, body: bytes) -> None:
        self._write_all(bytes([kind]) + _length(len(body)) + body)

    def _write_all(self, data: bytes) -> None:
        with self._writing:
            self._socket.sendall(data)

    def _wait(self, true: Callable[[], bool]) -> None:
        until = time.monotonic() + _LIMIT_S
        with self._answer:
            while not true():
                if self._closed or (not self._answer.wait(1) and time.monotonic() > until):
                    raise OSError("the broker does not answer")

    def _read(self) -> None:
        data, at = b"", 0
        while True:
            try:
                more = self._socket.recv(262_144)
            except OSError:
                more = b""
            if not more:
                self._closed = True
                return
            data, at = data[at:] + more, 0
            taken: list[Publication] = []
            done = 0
            while True:
                at = read_publications(data, at, taken)
                length = packet_length(data, at) if at < len(data) else None
                if length is None or at + length > len(data) or data[at] & 0xF0 == PUBLISH:
                    break
                done += data[at] == PUBACK
                self._answers.add(data[at])
                at += length
            numbers = [one[2] for one in taken if one[3]]
            if numbers:
                self._write_all(write_pubacks(numbers))
            if taken:
                self._heard(taken)
            with self._answer:
                self._acknowledged += done
                self._answer.notify_all()


def _length(value: int) -> bytes:
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _text(text: bytes) -> bytes:
    return struct.pack("!H", len(text)) + text
