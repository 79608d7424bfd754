"""Record numbers of an instrument that counts its records: which are missing, and since when.

A gap lies between two numbers that came. It is first asked for again (where the profile can pull a
history), and told when it is still there after a while; when its records come after all, it is
closed. Pure: times are given, nothing is stored here.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from contracts.events import Observation
from contracts.sequences import RangeSet
from contracts.words import Phase, both

KIND = "record_gap"
WAIT_S = 60.0
"""A gap that is younger may yet be filled by the pull that is under way."""
ASK_EVERY_S = 20.0
"""How often missing records are asked for again while waiting."""
LONGEST = 10_000
"""More missing at once means that the count was set anew, not that records were taken away."""
KEEP_SERIES = 400
"""Series (days) that are watched."""


class Gap(msgspec.Struct, frozen=True):
    """Numbers from `first` through `last` that did not come; `series` is the day, or empty."""

    series: str
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many are missing."""
        return self.last - self.first + 1

    @property
    def text(self) -> str:
        """The numbers, with their day."""
        numbers = f"{self.first}" if self.count == 1 else f"{self.first}–{self.last}"
        return f"{self.series} {numbers}".strip()

    def observation(self, at: datetime, *, closed_at: datetime | None = None) -> Observation:
        """The fact that tells of it; told from `at` on."""
        before, after = self.first - 1, self.last + 1
        return Observation(
            observation_id=f"{KIND}-{self.series or 'all'}-{self.first}-{self.last}",
            kind=KIND,
            phase=Phase.OPEN if closed_at is None else Phase.CLOSED,
            started_at=at,
            captured_at=closed_at or at,
            ended_at=closed_at,
            reason=both(
                f"仪器记录号 {self.text} 缺失（有 {before} 和 {after}），仪器未能补传",
                f"record numbers {self.text} are missing ({before} and {after} came); "
                "the instrument did not give them when asked again",
            ),
        )


class RecordNumbers:
    """Numbers that came, by series, and the gaps between them."""

    def __init__(
        self, held: Mapping[str, RangeSet] | None = None, told: Mapping[Gap, datetime] | None = None
    ) -> None:
        self.held: dict[str, RangeSet] = dict(held or {})
        self.told: dict[Gap, datetime] = dict(told or {})
        self._since: dict[Gap, float] = {}
        self._asked: dict[str, float] = {}

    def add(self, numbers: Iterable[tuple[str, int]], now: float) -> set[str]:
        """Note numbers that came (series, number); returns the series that changed."""
        changed = set()
        for series, number in numbers:
            held = self.held.setdefault(series, RangeSet())
            ranges = held.ranges()
            if ranges and not ranges[0][0] - LONGEST <= number <= ranges[-1][1] + LONGEST:
                held = self.held[series] = RangeSet()
            if held.add(number):
                changed.add(series)
        for series in changed:
            present = self._gaps(series)
            for gap in [gap for gap in self._since if gap.series == series]:
                if gap not in present:
                    del self._since[gap]
            for gap in present:
                self._since.setdefault(gap, now)
        while len(self.held) > KEEP_SERIES:
            oldest = min(self.held)
            del self.held[oldest]
        return changed

    def resume(self, now: float) -> None:
        """After a restart: what was missing then is waited for anew, unless it was told."""
        for series in self.held:
            for gap in self._gaps(series):
                if gap not in self.told:
                    self._since.setdefault(gap, now)

    def to_ask(self, now: float) -> list[str]:
        """Series whose missing records should be asked for again now."""
        wanted = []
        for series in sorted({gap.series for gap in self._since if gap not in self.told}):
            if now - self._asked.get(series, -ASK_EVERY_S) >= ASK_EVERY_S:
                self._asked[series] = now
                wanted.append(series)
        return wanted

    def to_tell(self, now: float) -> list[Gap]:
        """Gaps that have waited long enough, and were not told."""
        return [
            gap
            for gap, since in self._since.items()
            if gap not in self.told and now - since >= WAIT_S
        ]

    def filled(self) -> list[Gap]:
        """Told gaps that are gaps no more (all or some of their records came)."""
        return [
            gap
            for gap in self.told
            if gap.series in self.held and gap not in self._gaps(gap.series)
        ]

    @property
    def missing(self) -> int:
        """Numbers that were told missing."""
        return sum(gap.count for gap in self.told)

    def _gaps(self, series: str) -> list[Gap]:
        held = self.held[series]
        ranges = held.ranges()
        return [Gap(series, a, b) for a, b in held.gaps(ranges[0][0])] if ranges else []
