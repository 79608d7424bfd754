"""A pseudo-terminal with a virtual instrument at its far end: plugged, unplugged, and faulty."""

import contextlib
import os
import select
import threading
import time
import tty
from pathlib import Path
from typing import Protocol, Self

from edge_agent.simulation.serial_faults import NO_FAULTS, Faults


class FarEnd(Protocol):
    """The instrument's side of a dialogue, without I/O. Times are monotonic seconds."""

    def receive(self, data: bytes, now: float) -> bytes:
        """The host has sent `data`; returns the answer."""

    def due(self) -> float:
        """When `wake` has something to say; infinite if never."""

    def wake(self, now: float) -> bytes:
        """The time has come; returns what to send."""


class VirtualLine:
    """Runs a `FarEnd` behind a pseudo-terminal, in a thread of its own.

    `link` is a path that always leads to the present device, as udev's links do: it goes away while
    the line is unplugged, and the device behind it has another number afterwards.
    """

    def __init__(
        self, far_end: FarEnd, link: Path | None = None, faults: Faults = NO_FAULTS
    ) -> None:
        self.link = link
        self.faults = faults
        self.lock = threading.RLock()
        """Held while the far end works; take it to change the instrument from outside."""
        self._far_end = far_end
        self._master = self._slave = -1
        self._port = ""
        self._wake_read, self._wake_write = os.pipe()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> str:
        """What to give an agent as the port: the link, or else the device itself."""
        return str(self.link) if self.link is not None else self._port

    def start(self) -> Self:
        """Plug in and begin to answer."""
        self.plug()
        name = f"virtual instrument {self.port}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread, close both ends, remove the link. May be called twice."""
        if self._stopping:
            return
        self._stopping = True
        self.poke()
        if self._thread is not None:
            self._thread.join(5.0)
        self.unplug()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def plug(self) -> None:
        """A new pseudo-terminal; no-op while one is plugged in."""
        with self.lock:
            if self._master >= 0:
                return
            self._master, self._slave = os.openpty()
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            self._port = os.ttyname(self._slave)
            if self.link is not None:
                self.link.parent.mkdir(parents=True, exist_ok=True)
                new = self.link.with_name(f".{self.link.name}.new")
                new.unlink(missing_ok=True)
                new.symlink_to(self._port)
                new.replace(self.link)
        self.poke()

    def unplug(self) -> None:
        """Pull the cable: the device is gone and whoever reads it gets an error."""
        with self.lock:
            if self._master < 0:
                return
            if self.link is not None:
                self.link.unlink(missing_ok=True)
            master, slave = self._master, self._slave
            self._master = self._slave = -1
            os.close(slave)
            os.close(master)
        if not self._stopping:
            self.poke()

    def poke(self) -> None:
        """Have the thread look again: the instrument was changed from outside."""
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"!")

    def _run(self) -> None:
        while not self._stopping:
            with self.lock:
                wait_s = min(1.0, max(0.0, self._far_end.due() - time.monotonic()))
                watched = [self._wake_read] + ([self._master] if self._master >= 0 else [])
            with contextlib.suppress(OSError, ValueError):  # unplugged while waiting
                ready, _, _ = select.select(watched, [], [], wait_s)
                if self._wake_read in ready:
                    os.read(self._wake_read, 4096)
            with self.lock:
                self._work()

    def _work(self) -> None:
        if self._master < 0:
            return
        try:
            data = os.read(self._master, 4096)
        except BlockingIOError:
            data = b""
        except OSError:
            return
        if data:
            self._write(self._far_end.receive(data, time.monotonic()))
        if self._far_end.due() <= time.monotonic():
            self._write(self._far_end.wake(time.monotonic()))

    def _write(self, content: bytes) -> None:
        if not content:
            return
        for piece, pause_s in self.faults.apply(content):
            with contextlib.suppress(BlockingIOError):  # no one reads: lost, as on a real line
                os.write(self._master, piece)
            if pause_s:
                time.sleep(pause_s)
