"""What a benchmark starts ends with it, however it ends: by its end, by a signal, or killed."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def mortal(command: list[str], *, by: signal.Signals = signal.SIGTERM) -> list[str]:
    """The command of a child that the kernel signals when the thread that starts it is gone.

    `setpriv` (util-linux) asks for that as its first deed: a starter that is killed before leaves
    the child behind. Where it is missing the command stays as it is. It must stand last before
    the program: a change of user takes the wish back.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", by.name.removeprefix("SIG"), *command] if setpriv else command


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Meanwhile SIGTERM and SIGHUP unwind the main thread, so that everything is put away."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {one: signal.signal(one, end) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
