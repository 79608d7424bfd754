"""A step of a setup: what should be, whether it is there, and how it is made."""

from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from contracts.words import both
from timeseries.influx_client import Refused, Unreachable
from timeseries.influxql import QueryError
from timeseries.refusals import read_refusal

State = Literal["there", "would", "done", "cannot"]

WORDS: dict[State, str] = {
    "there": both("已有", "there"),
    "would": both("将做", "would"),
    "done": both("已做", "done"),
    "cannot": both("做不到", "cannot"),
}


class Wishes(msgspec.Struct, frozen=True):
    """What the caller allows and asks for besides."""

    shorten: bool = False
    """Retentions may become shorter, which deletes data."""
    backfill_days: int = 0
    """Make the means of so many days now."""


class Step(msgspec.Struct, frozen=True):
    """One thing that should be so on the server."""

    text: str
    """What, in both languages."""
    do: Callable[[], object] | None = None
    """Makes it so; None if it is already, or cannot be."""
    cannot: str = ""
    """Why it cannot be made, and what to do instead, in both languages."""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a step."""

    state: State
    text: str
    reason: str = ""


def carry_out(steps: Iterator[Step], *, dry_run: bool) -> Iterator[Outcome]:
    """Do step after step. A step that fails is told, and the next one tried."""
    for step in steps:
        if step.cannot:
            yield Outcome("cannot", step.text, step.cannot)
        elif step.do is None:
            yield Outcome("there", step.text)
        elif dry_run:
            yield Outcome("would", step.text)
        else:
            try:
                step.do()
            except (Refused, Unreachable, QueryError) as error:
                yield Outcome("cannot", step.text, told(error))
            else:
                yield Outcome("done", step.text)


def told(error: Refused | Unreachable | QueryError) -> str:
    """What the server said."""
    if isinstance(error, Refused):
        return f"HTTP {error.status}: {read_refusal(error.body).reason}"
    return str(error)


def backfill(measurement: str, days: int, do: Callable[[], object]) -> Step:
    """The step that makes the means of the last days."""
    zh = f"补算 {measurement} 最近 {days} 天的均值"
    return Step(both(zh, f"means of {measurement} for the last {days} days"), do)


def would_shorten(old_s: int, new_s: int) -> bool:
    """Whether a retention (0: for ever) would become shorter, which deletes data."""
    return new_s != 0 and (old_s == 0 or new_s < old_s)


NEEDS_SHORTEN = both(
    "会删除更早的数据；确认后加 --shorten 再运行",
    "would delete older data; run with --shorten to do it",
)
