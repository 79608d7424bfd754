"""The folder of sealed originals: bounded in age and size, oldest out first, and counted."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from contracts.files import write_whole
from edge_agent.custody.officer_keys import PublicKey
from edge_agent.custody.sealing import About, Head, SealError, read_head, seal

_log = logging.getLogger(__name__)

ENDING = ".sealed"
COUNTS = "counts.json"
_HEAD_BYTES = 8192
"""More than the open part of a sealed file."""


class VaultError(Exception):
    """An original is not kept, and why."""


class Counts(msgspec.Struct):
    """What the vault has done since its folder was made."""

    kept: int = 0
    expired: int = 0
    """Deleted because they were older than the retention."""
    pushed_out: int = 0
    """Deleted before their time, to make room."""


class Sealed(msgspec.Struct, frozen=True):
    """A sealed file and what it says of itself."""

    path: Path
    size: int
    head: Head | None
    """None if it cannot be read."""
    trouble: str = ""


class Vault:
    """One agent's vault; any thread may call it."""

    def __init__(
        self,
        folder: Path,
        officers: Sequence[PublicKey],
        *,
        retention_days: int,
        most_bytes: int,
    ) -> None:
        """Open the folder, or make it. Raises VaultError."""
        self._folder = folder
        self._officers = [one.public_key for one in officers]
        self._retention = timedelta(days=retention_days)
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for torn in folder.glob(".*.new"):
                torn.unlink()
            self._sizes = {path.name: path.stat().st_size for path in folder.glob(f"*{ENDING}")}
            self.counts = _read_counts(folder / COUNTS)
        except OSError as error:
            raise VaultError(f"vault {folder}: {error.strerror}") from None

    def keep(self, picture: bytes, about: About, now: datetime) -> Path:
        """Seal an original and keep it durably. Raises VaultError."""
        sealed = seal(picture, about, self._officers)
        if len(sealed) > self._most_bytes:
            raise VaultError(f"vault {self._folder}: {len(sealed)} bytes are above its bound")
        path = self._folder / _name(about)
        with self._lock:
            try:
                self._expire(now)
                self._sizes.pop(path.name, None)
                while self._sizes and self._used() + len(sealed) > self._most_bytes:
                    self._drop(min(self._sizes))
                    self.counts.pushed_out += 1
                write_whole(path, sealed)
                self._sizes[path.name] = len(sealed)
                self.counts.kept += 1
                write_whole(self._folder / COUNTS, msgspec.json.encode(self.counts))
            except OSError as error:
                raise VaultError(f"vault {self._folder}: {error.strerror}") from None
        return path

    def sweep(self, now: datetime) -> None:
        """Delete what is older than the retention. Raises VaultError."""
        with self._lock:
            try:
                if self._expire(now):
                    write_whole(self._folder / COUNTS, msgspec.json.encode(self.counts))
            except OSError as error:
                raise VaultError(f"vault {self._folder}: {error.strerror}") from None

    def figures(self) -> dict[str, float]:
        """Numbers for a status."""
        with self._lock:
            return {
                "vault_originals": float(len(self._sizes)),
                "vault_bytes": float(self._used()),
                "vault_expired": float(self.counts.expired),
                "vault_pushed_out": float(self.counts.pushed_out),
            }

    def _used(self) -> int:
        return sum(self._sizes.values())

    def _expire(self, now: datetime) -> int:
        oldest_kept = _stamp(now - self._retention)
        old = [name for name in self._sizes if name < oldest_kept]
        for name in old:
            self._drop(name)
            self.counts.expired += 1
        return len(old)

    def _drop(self, name: str) -> None:
        (self._folder / name).unlink(missing_ok=True)
        del self._sizes[name]


def list_sealed(folder: Path) -> list[Sealed]:
    """Every sealed file of a folder, oldest first; nothing is opened or changed."""
    found = []
    for path in sorted(folder.glob(f"*{ENDING}")):
        try:
            size = path.stat().st_size
            with path.open("rb") as file:
                head = read_head(file.read(_HEAD_BYTES))
            found.append(Sealed(path, size, head))
        except (OSError, SealError) as error:
            found.append(Sealed(path, 0, None, str(error)))
    return found


def _name(about: About) -> str:
    device = about.source.rpartition("/")[2]
    return f"{_stamp(about.captured_at)}_{device}_{about.evidence_id}{ENDING}"


def _stamp(at: datetime) -> str:
    """Sorts as time does."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z"


def _read_counts(path: Path) -> Counts:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Counts)
    except FileNotFoundError:
        return Counts()
    except (msgspec.DecodeError, UnicodeDecodeError):
        _log.warning("%s: cannot be read; counting anew", path)
        return Counts()
