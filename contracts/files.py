"""Files that are there whole or not at all, whenever the power goes."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, *, mode: int = 0o600, keep: bool = False) -> None:
    """Write `content` durably under a name that shows it only when it is whole. Raises OSError.

    With `keep`, a file that is there already lends the new one its owner, group and mode.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            if keep and path.exists():
                was = path.stat()
                os.fchown(file.fileno(), was.st_uid, was.st_gid)
                os.fchmod(file.fileno(), was.st_mode & 0o777)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
