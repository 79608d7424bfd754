"""The registered devices as the gateway last read them: who may speak, not how they are."""

import time
from collections.abc import Mapping

from contracts.topics import Identity
from ledger import devices
from ledger.devices import Device
from ledger.engine import Engine, reading

ANEW_S = 60.0
"""So often the list is read anew in any case …"""
ASK_AGAIN_S = 1.0
"""… and when an unknown device speaks, but not more often than this, …"""
ASK_AGAIN_SHARE = 20
"""… nor for more than this part of the time: 100,000 devices take half a second to read."""


class Devices:
    """A copy of the registry; replaced whole, so that readers in other threads see one state.

    Its devices are as they were registered: nothing is said of their state.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: Mapping[Identity, Device] | None = None
        self._read_at = 0.0
        self._took_s = 0.0

    def known(self) -> Mapping[Identity, Device]:
        """The copy; read at the first call. Raises LedgerDown."""
        return self._known if self._known is not None else self.refresh()

    def refresh(self) -> Mapping[Identity, Device]:
        """Read it anew. Raises LedgerDown."""
        began = time.monotonic()
        with reading(self._engine) as conn:
            known = devices.registered(conn)
        self._known = known
        self._read_at = time.monotonic()
        self._took_s = self._read_at - began
        return known

    def keep_fresh(self) -> None:
        """Read it anew if that was not done for ANEW_S. Raises LedgerDown."""
        if self._known is None or time.monotonic() - self._read_at > ANEW_S:
            self.refresh()

    def may_be_old(self) -> bool:
        """Whether it is worth looking again for a device that is not there."""
        pause_s = max(ASK_AGAIN_S, ASK_AGAIN_SHARE * self._took_s)
        return time.monotonic() - self._read_at > pause_s
