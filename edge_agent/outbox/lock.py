"""One agent per outbox: a lock that the kernel drops with the process, however it ends."""

import fcntl
from pathlib import Path
from typing import IO

from edge_agent.ports import OutboxError


def only_user_of(path: Path) -> IO[bytes]:
    """Take the outbox for this process alone, until the returned file is closed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock_file = Path(f"{path}.lock").open("ab")  # noqa: SIM115
    except OSError as error:
        raise OutboxError(f"outbox {path} cannot be opened: {error.strerror}") from None
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock_file.close()
        raise OutboxError(f"outbox {path} is in use by another agent") from None
    return lock_file


def in_use(path: Path) -> bool:
    """True if an agent has this outbox open."""
    try:
        with Path(f"{path}.lock").open("rb") as lock_file:
            fcntl.flock(lock_file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
