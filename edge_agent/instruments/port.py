"""The only door to pyserial: opens a line by path, USB id or URL, and closes it on any error.

A port that fails can't be trusted to say so itself: after an unplugging, reads raise, the port
still claims to be open, and other calls raise raw OS errors. Here every one of them becomes
`PortError`, and the line is closed then.
"""

import contextlib
import select
import socket
import termios
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import serial
from serial.tools import list_ports

from contracts.profile import Link

CONNECT_S = 1.5
READ_BYTES = 4096
_FAILURES = (
    serial.SerialException, OSError, termios.error, ValueError, TypeError, AttributeError,
    NotImplementedError,
)  # fmt: skip


class PortError(Exception):
    """A line can't be opened or has failed; the text says which and why."""


class Line:
    """An open serial line."""

    def __init__(self, name: str, device: "serial.SerialBase") -> None:
        self.name = name
        self._device = device
        self._link: Link | None = None
        # A pseudo-terminal carries bytes, not bits: it refuses seven of them, and parity.
        self._is_pseudo = str(Path(name).resolve()).startswith("/dev/pts/")
        try:
            self._fileno: int | None = device.fileno()
        except (AttributeError, OSError):
            self._fileno = None  # rfc2217: no file behind it

    def configure(self, link: Link, baud: int | None = None) -> None:
        """Set speed and format; no-op if they are set already. Raises PortError."""
        device, speed = self._device, baud or link.baud
        if self._link == link and device.baudrate == speed:
            return
        with self._closing_on_failure("cannot be set"):
            device.baudrate = speed
            if not self._is_pseudo:
                device.bytesize = link.bits
                device.parity = link.parity
                device.stopbits = link.stop
                device.rtscts = link.flow == "rtscts"
                device.xonxoff = link.flow == "xonxoff"
        for name in ("dtr", "rts"):  # pseudo-terminals have no such lines
            with contextlib.suppress(*_FAILURES):
                setattr(device, name, getattr(link, name))
        self._link = link

    def read(self, timeout_s: float) -> bytes:
        """What is there, at least one byte if it comes in time, else empty. Raises PortError."""
        with self._closing_on_failure("read failed"):
            if self._fileno is not None:
                ready, _, _ = select.select([self._fileno], [], [], max(0.0, timeout_s))
                if not ready:
                    return b""
            content: bytes = self._device.read(1)
            waiting = self._device.in_waiting if content else 0
            if waiting > 0:
                content += self._device.read(min(waiting, READ_BYTES))
            return content
        raise AssertionError("unreachable")

    def write(self, content: bytes) -> None:
        """Write all. Raises PortError."""
        with self._closing_on_failure("write failed"):
            self._device.write(content)

    def close(self) -> None:
        """Close; never raises."""
        with contextlib.suppress(*_FAILURES):
            self._device.close()

    @contextlib.contextmanager
    def _closing_on_failure(self, what: str) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            self.close()
            raise PortError(f"{self.name}: {what}: {error}") from None


def resolve(port: str) -> str:
    """The path or URL that a setting means at the moment. Raises PortError."""
    if not port.startswith("usb:"):
        return port
    wanted = [part.upper() for part in port.split(":")[1:]]
    for found in list_ports.comports():
        if found.vid is None:
            continue
        shown = [f"{found.vid:04X}", f"{found.pid:04X}", (found.serial_number or "").upper()]
        if wanted == shown[: len(wanted)]:
            return str(found.device)
    raise PortError(f"{port}: no such USB device is plugged in")


def open_line(port: str, link: Link, baud: int | None = None) -> Line:
    """Open `port` for this process alone and set it. Raises PortError."""
    path = resolve(port)
    _check_reachable(path)
    try:
        device = serial.serial_for_url(_bounded(path), do_not_open=True)
        device.baudrate = baud or link.baud
        device.timeout = 0.05
        if not path.startswith("rfc2217://"):  # which knows none, and refuses to open with one
            device.write_timeout = 2.0
        if "://" not in path:
            device.exclusive = True
        device.open()
    except _FAILURES as error:
        raise PortError(f"{path}: cannot be opened: {error}") from None
    line = Line(path, device)
    line.configure(link, baud)
    return line


def _bounded(path: str) -> str:
    """An RFC 2217 adapter that takes the call but does not answer must not hold us for long."""
    if not path.startswith("rfc2217://") or "timeout=" in path:
        return path
    return f"{path}{'&' if '?' in path else '?'}timeout={CONNECT_S}"


def _check_reachable(path: str) -> None:
    """pyserial waits five seconds in connect; find out sooner that no one is there."""
    if not path.startswith(("socket://", "rfc2217://")):
        return
    parts = urlsplit(path)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), CONNECT_S):
            pass
    except (OSError, ValueError) as error:
        raise PortError(f"{path}: cannot be reached: {error}") from None
