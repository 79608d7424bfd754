"""A small disk of its own for one part of the city, so that it can be filled to the last byte."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self


class Disk:
    """A tmpfs mounted at `folder`; where mounting is not allowed, `usable` is False."""

    def __init__(self, folder: Path, mb: int) -> None:
        self.folder = folder
        self.mb = mb
        self.usable = False

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        if os.getuid() == 0:
            options = ["-t", "tmpfs", "-o", f"size={self.mb}m", "tmpfs", str(self.folder)]
            self.usable = subprocess.run(["mount", *options], capture_output=True).returncode == 0
        return self

    def __exit__(self, *_: object) -> None:
        if self.usable:
            # Lazily: a process that is about to end may still hold a file.
            subprocess.run(["umount", "-l", str(self.folder)], check=True, capture_output=True)

    def fill(self) -> None:
        """Until nothing more goes in."""
        with suppress(OSError), (self.folder / "filler").open("ab", buffering=0) as filler:
            size = 1 << 20
            while size:
                try:
                    filler.write(bytes(size))
                except OSError:
                    size //= 2

    def free(self) -> None:
        """As before."""
        (self.folder / "filler").unlink(missing_ok=True)
