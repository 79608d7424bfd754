"""A camera's way to the vault: what cannot be kept is counted and said, and stops nothing."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from contracts.clock import Clock
from edge_agent.cameras.frames import Ticks
from edge_agent.custody.custody import Custody, Original
from edge_agent.custody.sealing import SealError
from edge_agent.custody.vault import VaultError

_log = logging.getLogger(__name__)

SWEEP_S = 60.0


@dataclass(slots=True)
class VaultDoor:
    """Used by one camera's thread."""

    device: str
    custody: Custody
    clock: Clock
    ticks: Ticks
    failed: int = field(default=0, init=False)
    _swept_s: float = field(default=float("-inf"), init=False)
    _problem: str = field(default="", init=False)

    @property
    def trouble(self) -> str:
        """Why originals or signatures are missing; empty if nothing is wrong."""
        return self.custody.trouble or self._problem

    def keep(self, originals: Sequence[Original]) -> None:
        """Seal the originals; now and then, delete what is too old."""
        vault = self.custody.vault
        if vault is None:
            return
        for original in originals:
            try:
                vault.keep(original.picture, original.about, self.clock())
                self._problem = ""
            except (VaultError, SealError) as error:
                self.failed += 1
                self._say(f"an original is not kept: {error}")
        if self.ticks() - self._swept_s >= SWEEP_S:
            self._swept_s = self.ticks()
            try:
                vault.sweep(self.clock())
            except VaultError as error:
                self._say(f"old originals are not deleted: {error}")

    def _say(self, problem: str) -> None:
        if not self._problem:
            _log.error("camera %s: %s", self.device, problem)
        self._problem = problem

    def figures(self) -> dict[str, float]:
        """Numbers for the camera's status; those of the vault are of the whole site."""
        if self.custody.vault is None:
            return {}
        return {**self.custody.vault.figures(), "originals_failed": float(self.failed)}
