"""Which refused messages are kept already: what comes again and again is kept once.

An edge sends an unreadable event until it is receipted, and an event without a readable number
never is; a device that nobody registered tells its status every half minute. Both would fill the
dead letters with copies. This memory is bounded and dies with the process: a copy more does no
harm.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Iterable

from contracts.topics import Channel
from gateway.unpack import Refused

REMEMBERED = 10_000
_STATUS = f"/{Channel.STATUS.value}"


class Memory:
    """The last keys that were kept, so many at most."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, None] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept

    def keep(self, keys: Iterable[Hashable]) -> None:
        """Remember these; the oldest make room."""
        for key in keys:
            self._kept[key] = None
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)


class Repeats:
    """The last refused messages that carry no number (those with one are told by their claim)."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._kept = Memory(most)

    def known(self, refused: Refused) -> bool:
        """Whether the same was kept before."""
        return refused.numbered is None and _key(refused) in self._kept

    def keep(self, letters: Iterable[Refused]) -> None:
        """These are in the dead letters now."""
        self._kept.keep(_key(letter) for letter in letters if letter.numbered is None)


def _key(refused: Refused) -> tuple[str, str]:
    message = refused.message
    if message.topic.endswith(_STATUS):
        return message.topic, refused.reason
    return message.topic, hashlib.sha256(message.payload).hexdigest()
