"""A file that holds disk space for the worst day: on a full disk even removing rows needs room.

A put may never use it. When a removal finds the disk full, the reserve is given up for it; until
it can be taken again, puts are refused.
"""

import contextlib
import os
from pathlib import Path


class Reserve:
    """`size` bytes beside the outbox."""

    def __init__(self, outbox: Path, size: int) -> None:
        self.path = _path(outbox)
        self.size = size
        self.held = False

    def take(self) -> bool:
        """Make sure that the space is held; False if the disk has not that much."""
        if self.held:
            return True
        try:
            with self.path.open("ab") as file:
                if self.size:
                    os.posix_fallocate(file.fileno(), 0, self.size)
        except OSError:
            self.release()
            return False
        self.held = True
        return True

    def release(self) -> None:
        """Give the space up."""
        self.held = False
        with contextlib.suppress(OSError):
            self.path.unlink()


def reserve_held(outbox: Path) -> bool:
    """Whether the agent on this outbox holds its reserve; if not, its disk is full."""
    return _path(outbox).exists()


def _path(outbox: Path) -> Path:
    return Path(f"{outbox}.reserve")
