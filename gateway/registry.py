"""The registered devices as the gateway last read them."""

import time
from collections.abc import Mapping

from contracts.topics import Identity
from ledger import devices
from ledger.devices import Device
from ledger.engine import Engine, reading

ASK_AGAIN_S = 1.0
"""An unknown device makes us look again, but not more often than this."""


class Devices:
    """A copy of the registry; replaced whole, so that readers in other threads see one state."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: Mapping[Identity, Device] | None = None
        self._read_at = 0.0

    def known(self) -> Mapping[Identity, Device]:
        """The copy; read at the first call. Raises LedgerDown."""
        return self._known if self._known is not None else self.refresh()

    def refresh(self) -> Mapping[Identity, Device]:
        """Read it anew. Raises LedgerDown."""
        with reading(self._engine) as conn:
            known = devices.registry(conn)
        self._known = known
        self._read_at = time.monotonic()
        return known

    def may_be_old(self) -> bool:
        """Whether it is worth looking again for a device that is not there."""
        return time.monotonic() - self._read_at > ASK_AGAIN_S
