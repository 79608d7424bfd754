"""The demo's virtual instruments, each on a pseudo-terminal at a stable path."""

from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

from contracts.topics import Identity
from edge_agent.simulation.serial_lis2 import Lis2Result, VirtualLis2
from edge_agent.simulation.serial_lz4000t import VirtualLz4000t
from edge_agent.simulation.serial_xy_md02 import VirtualXyMd02
from foodsentry.demo.files import Layout
from foodsentry.demo.operator import DemoOperator
from foodsentry.demo.town import CANTEEN, MARKET, VAN, DemoSite


def _identity(site: DemoSite, device: str) -> Identity:
    return Identity(site.region, site.site, device)


class Stage:
    """Two pesticide readers, a strip reader and a cold store's probe. Use in a `with` statement."""

    def __init__(self, layout: Layout) -> None:
        self.market = VirtualLz4000t(layout.line(MARKET, "lz4000t-1"))
        self.van = VirtualLz4000t(layout.line(VAN, "lz4000t-1"))
        self.strips = VirtualLis2(layout.line(MARKET, "reader-1"))
        self.cold_store = VirtualXyMd02(layout.line(CANTEEN, "coldstore-1"))
        self.operator = DemoOperator(layout.ports.room)
        self._strip_results = 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            for line in (self.market, self.van, self.strips, self.cold_store):
                opened.enter_context(line)
            self._open = opened.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def strip(self, sample: str, item: str, value: str, at: datetime | None = None) -> None:
        """The strip reader has finished one sample."""
        self.strips.send_results(sample, [Lis2Result(item, value)], at, operator="梁晓彤")
        self._strip_results += 1

    def records(self) -> dict[Identity, int]:
        """How many test records each instrument has given."""
        return {
            _identity(MARKET, "lz4000t-1"): len(self.market.records),
            _identity(VAN, "lz4000t-1"): len(self.van.records),
            _identity(MARKET, "reader-1"): self._strip_results,
        }

    def silence(self) -> None:
        """Pull every probe's cable, so that what was measured can be counted."""
        self.cold_store.unplug()
