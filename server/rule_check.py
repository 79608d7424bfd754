"""Checks a rule file that was sent, by the very command that checks the gateway's own.

It runs in a process of its own, with a bound on its time: an expression that never ends, or a file
that takes all memory, is that process's trouble. Nothing that is sent is kept or loaded.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

TIME_S = 30.0
MOST_BYTES = 1_000_000
_MEMORY = "import resource; resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31)); "
_RUN = "from foodsentry.cli import main; raise SystemExit(main())"


class Checked(msgspec.Struct, frozen=True):
    """What the checker said."""

    ok: bool
    rules: list[list[str]]
    """Id, version, class, examples, title."""
    said: list[str]
    """Its faults, or its closing word."""
    late: bool = False
    """It took too long and was ended."""


def check_rules(content: bytes, limits: Path | None = None, time_s: float = TIME_S) -> Checked:
    """What `foodsentry gateway check-rules` says of a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.toml"
        file.write_bytes(content)
        command = [sys.executable, "-c", _MEMORY + _RUN, "gateway", "check-rules", str(file)]
        if limits is not None:
            command += ["--limits", str(limits)]
        try:
            done = subprocess.run(
                command, capture_output=True, timeout=time_s, check=False, stdin=subprocess.DEVNULL
            )
        except subprocess.TimeoutExpired:
            return Checked(False, [], [], late=True)
        lines = done.stdout.decode("utf-8", "replace").splitlines()
        said = done.stderr.decode("utf-8", "replace").replace(f"{folder}/", "").splitlines()
    return Checked(
        ok=done.returncode == 0,
        rules=[line.split("\t") for line in lines if line.count("\t") == 4],
        said=[line.removeprefix("foodsentry: ") for line in said if line.strip()],
    )
