"""Sets of sequence numbers kept as few closed ranges, as receipts and intake speak of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence


class RangeSet:
    """A set of positive integers, stored as sorted, disjoint, non-touching closed ranges."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in ranges:
            self.add_range(first, last)

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "RangeSet":
        """The set of the given numbers."""
        made = cls()
        for number in sorted(numbers):
            made.add(number)
        return made

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number <= self._ends[at]

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges():
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RangeSet) and self.ranges() == other.ranges()

    def __hash__(self) -> int:  # mutable: never a key
        raise TypeError("RangeSet is mutable and cannot be hashed")

    def __repr__(self) -> str:
        return f"RangeSet({self.ranges()})"

    def ranges(self) -> list[tuple[int, int]]:
        """The closed ranges, in order."""
        return list(zip(self._starts, self._ends, strict=True))

    def add(self, number: int) -> bool:
        """Add one number; True if it was new."""
        ends = self._ends
        if ends and number == ends[-1] + 1:  # the usual case: the next one
            ends[-1] = number
            return True
        if number in self:
            return False
        self.add_range(number, number)
        return True

    def add_new(self, numbers: Sequence[int]) -> list[int]:
        """Add `numbers`, which must be sorted; returns those that were new, each once."""
        behind = numbers and (not self._ends or numbers[0] > self._ends[-1])
        if behind and _is_run(numbers):
            self.add_range(numbers[0], numbers[-1])
            return list(numbers)
        return [number for number in numbers if self.add(number)]

    def add_range(self, first: int, last: int) -> None:
        """Add every number from `first` through `last`. Raises ValueError if they are reversed."""
        if first > last:
            raise ValueError(f"range {first}-{last} is reversed")
        if not self._ends or first > self._ends[-1] + 1:  # the usual cases: behind all others
            self._starts.append(first)
            self._ends.append(last)
            return
        if first == self._ends[-1] + 1:
            self._ends[-1] = last
            return
        low = bisect_right(self._starts, first) - 1
        if low < 0 or self._ends[low] < first - 1:
            low += 1
        high = bisect_right(self._starts, last + 1)
        if low < high:
            first = min(first, self._starts[low])
            last = max(last, self._ends[high - 1])
        self._starts[low:high] = [first]
        self._ends[low:high] = [last]

    def within(self, first: int, last: int) -> list[tuple[int, int]]:
        """What of `first` through `last` is held, as closed ranges in order."""
        low, high = self._touched(first, last)
        spans = zip(self._starts[low:high], self._ends[low:high], strict=True)
        return [(max(start, first), min(end, last)) for start, end in spans]

    def remove_range(self, first: int, last: int) -> None:
        """Remove every number from `first` through `last`."""
        low, high = self._touched(first, last)
        if low == high:
            return
        left = [(self._starts[low], first - 1), (last + 1, self._ends[high - 1])]
        left = [(start, end) for start, end in left if start <= end]
        self._starts[low:high] = [start for start, _ in left]
        self._ends[low:high] = [end for _, end in left]

    def _touched(self, first: int, last: int) -> tuple[int, int]:
        """Which of the ranges share a number with `first` through `last`: a slice's bounds."""
        if first > last:
            return 0, 0
        return bisect_left(self._ends, first), bisect_right(self._starts, last)

    def first(self) -> tuple[int, int] | None:
        """The lowest range; None of an empty set."""
        return (self._starts[0], self._ends[0]) if self._starts else None

    def gaps(self, first: int = 1) -> list[tuple[int, int]]:
        """Ranges that are missing between `first` and the largest number held."""
        missing: list[tuple[int, int]] = []
        expected = first
        for start, end in self.ranges():
            if end < expected:
                continue
            if start > expected:
                missing.append((expected, start - 1))
            expected = end + 1
        return missing


def _is_run(numbers: Sequence[int]) -> bool:
    count = len(numbers)
    return numbers[-1] - numbers[0] == count - 1 and len(set(numbers)) == count
