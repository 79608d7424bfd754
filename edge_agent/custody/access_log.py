"""Who opened which original, when and why: each line's hash covers the line before it.

hash = SHA-256 of the previous line's hash and the line's canonical JSON without its hash. Whoever
has noted the newest hash can later tell whether anything before it was changed or taken out.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.files import write_whole

GENESIS = "0" * 64
FILE = "access.jsonl"


class LogBroken(Exception):
    """The access log does not hold together, or cannot be written; the text names file and line."""


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line."""

    number: int
    at: datetime
    action: str
    """``open`` or ``export`` of an original; in the log of looks, ``look`` or ``keep``."""
    who: tuple[str, ...]
    """Names, each with the first half of the key's fingerprint where a key was used."""
    reason: str
    evidence_id: str
    source: str
    sealed_sha256: str
    """Of the sealed file."""
    previous: str
    hash: str

    def digest(self) -> str:
        """What `hash` must be."""
        body = msgspec.structs.asdict(self)
        del body["hash"]
        return hashlib.sha256(
            self.previous.encode() + msgspec.json.encode(body, order="sorted")
        ).hexdigest()


def read_log(path: Path) -> list[Access]:
    """All lines, each checked against the one before. No file: no lines. Raises LogBroken."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LogBroken(f"{path}: {error.strerror}") from None
    entries: list[Access] = []
    before = GENESIS
    for number, line in enumerate(lines, 1):
        try:
            entry = msgspec.json.decode(line, type=Access)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LogBroken(f"{path}: line {number}: {error}") from None
        if entry.number != number or entry.previous != before:
            raise LogBroken(f"{path}: line {number}: does not follow the line before it")
        if entry.hash != entry.digest():
            raise LogBroken(f"{path}: line {number}: content does not have its hash")
        before = entry.hash
        entries.append(entry)
    return entries


def append(
    path: Path,
    *,
    at: datetime,
    action: str,
    who: tuple[str, ...],
    reason: str,
    evidence_id: str,
    source: str,
    sealed: bytes,
) -> Access:
    """Add a line durably and return it. Raises LogBroken, ValueError without a reason."""
    if not reason.strip():
        raise ValueError("a reason is needed; it stands in the access log for good")
    try:
        with _alone(path):
            entries = read_log(path)
            entry = Access(
                number=len(entries) + 1,
                at=at,
                action=action,
                who=who,
                reason=reason.strip(),
                evidence_id=evidence_id,
                source=source,
                sealed_sha256=hashlib.sha256(sealed).hexdigest(),
                previous=entries[-1].hash if entries else GENESIS,
                hash="",
            )
            entry = msgspec.structs.replace(entry, hash=entry.digest())
            lines = [msgspec.json.encode(one) for one in (*entries, entry)]
            write_whole(path, b"\n".join(lines) + b"\n")
    except OSError as error:
        raise LogBroken(f"{path}: cannot be written: {error.strerror}") from None
    return entry


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.with_name(f".{path.name}.lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
