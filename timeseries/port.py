"""The port of the time series: points, samples, what a store does, and how it says no.

One series is a measurement with its tags; same series, same time, same field is one value, so that
writing again what was written changes nothing. A tag with an empty value is no tag.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

import msgspec

Value = float | int | bool | str


class Point(msgspec.Struct, frozen=True):
    """Values of one series at one time."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Value]
    at_ns: int
    """Nanoseconds since 1970-01-01 UTC."""


class Sample(msgspec.Struct, frozen=True):
    """One value read back: as it was stored, or the mean of a bucket that begins at `at`."""

    at: datetime
    value: Value


class SeriesDown(Exception):
    """The store could not be reached, is full, or refuses us; nothing is wrong with the points.

    Some of them may have been stored. Writing them again is right, and harmless.
    """

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        """How long the server asks to be left alone, if it does."""


class SeriesRejected(Exception):
    """Some points will never be stored; every other one of the batch is."""

    def __init__(self, rejected: Sequence[tuple[int, str]]) -> None:
        self.rejected = list(rejected)
        """Index in the batch, reason."""
        first = f"; point {self.rejected[0][0]}: {self.rejected[0][1]}" if self.rejected else ""
        super().__init__(f"{len(self.rejected)} points rejected{first}")


class SeriesStore(Protocol):
    """A store of series; several threads may use it at once."""

    def write(self, points: Sequence[Point]) -> None:
        """Store points. Raises SeriesDown (try again) or SeriesRejected (the rest is stored)."""

    def samples(
        self,
        measurement: str,
        field: str,
        tags: Mapping[str, str],
        start_at: datetime,
        end_at: datetime,
        every_s: float | None = None,
    ) -> list[Sample]:
        """Values of all series that carry `tags`, from `start_at` up to before `end_at`, by time.

        With `every_s`: the mean of the numbers in each bucket of that length (aligned to the Unix
        epoch; empty buckets are left out). Raises SeriesDown.
        """

    def latest(self, measurement: str, field: str, tags: Mapping[str, str]) -> Sample | None:
        """The newest value of all series that carry `tags`. Raises SeriesDown."""

    def close(self) -> None:
        """Let go of connections and files."""


@runtime_checkable
class LineStore(Protocol):
    """A store that also takes line protocol as it is: the quick way for what comes in masses."""

    def write_lines(self, lines: bytes) -> bool:
        """Store lines, as `lines.py` makes them, in one request.

        False if the store refuses any of them: `write` their points to learn which. Raises
        SeriesDown.
        """


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ns(at: datetime) -> int:
    """An aware time as nanoseconds since 1970 (exact to the microsecond that it has)."""
    return (at - _EPOCH) // timedelta(microseconds=1) * 1000


def from_ns(at_ns: int) -> datetime:
    """Nanoseconds since 1970 as aware UTC, cut to microseconds."""
    return _EPOCH + timedelta(microseconds=at_ns // 1000)
