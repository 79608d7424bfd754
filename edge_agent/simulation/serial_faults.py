"""What goes wrong on a line, on demand: noise, split, drop, duplicate, bad check, slow, garbled."""

import random
from collections.abc import Iterable

KINDS = ("noise", "split", "drop", "duplicate", "bad-check", "double-head", "slow", "garble")


class Faults:
    """Spoils every `every`-th write in each of the chosen ways; the same seed spoils alike.

    ``split``, ``slow`` and ``garble`` (like a wrong speed) hurt every write. ``double-head``
    sends the first byte twice.
    """

    def __init__(self, kinds: Iterable[str] = (), *, every: int = 3, seed: int = 1) -> None:
        self._kinds = frozenset(kinds)
        unknown = self._kinds - frozenset(KINDS)
        if unknown:
            raise ValueError(f"unknown fault {sorted(unknown)}; there are {', '.join(KINDS)}")
        self._every = every
        self._random = random.Random(seed)
        self._writes = 0

    def apply(self, content: bytes) -> list[tuple[bytes, float]]:
        """What goes on the line instead of `content`: pieces, each with a pause after it (s)."""
        kinds, rng = self._kinds, self._random
        if not kinds:
            return [(content, 0.0)]
        self._writes += 1
        if self._writes % self._every == 0:
            content = self._spoiled(content)
        if "garble" in kinds:
            content = bytes(((byte << 3 | byte >> 2) ^ 0xE5) & 0xFF for byte in content)
        if "split" in kinds:
            return [(content[at : at + 1], 0.001) for at in range(len(content))]
        if "slow" in kinds:
            half = rng.randrange(len(content)) + 1
            return [(content[:half], 0.05), (content[half:], 0.0)]
        return [(content, 0.0)]

    def _spoiled(self, content: bytes) -> bytes:
        kinds, rng = self._kinds, self._random
        if "bad-check" in kinds and len(content) > 3:
            place = rng.randrange(1, len(content) - 1)
            flipped = bytes((content[place] ^ 1 << rng.randrange(7),))
            content = content[:place] + flipped + content[place + 1 :]
        if "drop" in kinds and len(content) > 3:
            place = rng.randrange(len(content))
            content = content[:place] + content[place + 1 :]
        if "double-head" in kinds:
            content = content[:1] + content
        if "duplicate" in kinds:
            content += content
        if "noise" in kinds:
            content = rng.randbytes(rng.randrange(1, 12)) + content
        return content


NO_FAULTS = Faults()
