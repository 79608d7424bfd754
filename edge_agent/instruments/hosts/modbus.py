"""The host of a Modbus unit: reads its registers in turn, every round."""

from collections.abc import Iterable
from datetime import datetime

from contracts.profile import Modbus
from edge_agent.instruments.decoder import decode_registers
from edge_agent.instruments.fields import DecodeError
from edge_agent.instruments.hosts.actions import (
    Actions,
    Answered,
    NoAnswer,
    Noise,
    Send,
    SetAside,
    Take,
)
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.protocols.events import Discarded
from edge_agent.protocols.modbus import (
    ECHO,
    AsciiReplyReader,
    ModbusEvent,
    Refusal,
    Request,
    RtuReplyReader,
)

BACK_OFF_S = 30.0
REST_S = 0.15
"""A reply that has begun may take this long after its last byte."""


class ModbusHost:
    """One unit. A dead one costs the bus one time-out a round, and is asked ever more seldom."""

    def __init__(
        self,
        profile: LoadedProfile,
        dialogue: Modbus,
        *,
        address: int | None = None,
        every_s: float | None = None,
    ) -> None:
        self._profile = profile
        self._dialogue = dialogue
        self._unit = dialogue.unit if address is None else address
        self._every_s = every_s or dialogue.every_s
        self._gap_s = max(0.002, 38.5 / profile.spec.link.baud)  # 3.5 characters of silence
        self._reader: RtuReplyReader | AsciiReplyReader | None = None
        self._read = 0
        self._at = 0.0
        self._deadline = 0.0
        self._failures = 0
        self._stray = 0

    @property
    def busy(self) -> bool:
        return self._reader is not None

    def due(self) -> float:
        return self._deadline if self._reader is not None else self._at

    def open(self, now: float) -> Actions:
        self._reader, self._read = None, 0
        self._at = now + self._profile.spec.link.settle_s
        yield from ()

    def wake(self, now: float, at: datetime) -> Actions:
        if self._reader is None:
            read = self._dialogue.reads[self._read]
            request = Request(self._unit, read.function, read.start, read.count)
            kind = RtuReplyReader if self._dialogue.transport == "rtu" else AsciiReplyReader
            self._reader = kind(request)
            self._deadline = now + self._dialogue.reply_timeout_s
            yield Send(self._reader.sent)
            return
        reader, answered = self._reader, False
        for event in reader.flush():
            answered = answered or not isinstance(event, Discarded)
            yield from self._told(event, now)
        if not answered and self._reader is reader:
            self._failures += 1
            wait_s = self._every_s * 2 ** min(self._failures - 1, 10)
            self._end_round(now, max(self._every_s, min(wait_s, BACK_OFF_S)))
            yield NoAnswer(f"no answer from unit {self._unit}")

    def receive(self, data: bytes, now: float, at: datetime) -> Actions:
        if self._reader is None:
            yield Noise(Discarded(self._stray, data, "unasked"))
            self._stray += len(data)
            return
        self._deadline = max(self._deadline, now + REST_S)
        yield from self._all(self._reader.receive(data), now)

    def refused(self, now: float) -> Actions:
        self._end_round(now, BACK_OFF_S)
        yield from ()

    def finish(self) -> Actions:
        if self._reader is not None:
            yield from self._all(self._reader.flush(), 0.0)

    def _all(self, events: Iterable[ModbusEvent], now: float) -> Actions:
        for event in events:
            yield from self._told(event, now)

    def _told(self, event: ModbusEvent, now: float) -> Actions:
        if isinstance(event, Discarded):
            yield Noise(event, harmless=event.reason == ECHO)
            return
        read = self._dialogue.reads[self._read]
        self._failures = 0
        self._reader = None
        self._read = (self._read + 1) % len(self._dialogue.reads)
        self._at = now + (self._gap_s if self._read else self._every_s)
        if isinstance(event, Refusal):
            yield Answered(f"{read.name}: {event.text}")
            return
        try:
            rows = decode_registers(self._profile, read.name, event.data, event.raw)
        except DecodeError as error:
            yield SetAside(event.raw, str(error), event.offset)
            return
        yield Answered()
        yield Take(rows)

    def _end_round(self, now: float, wait_s: float) -> None:
        self._reader, self._read = None, 0
        self._at = now + wait_s
