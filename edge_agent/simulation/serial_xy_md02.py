"""Virtual Modbus units on one RS-485 bus; as XY-MD02, a probe in a cold store that warms up."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from edge_agent.protocols.checks import crc16_modbus
from edge_agent.protocols.modbus import rtu
from edge_agent.simulation.serial_asked import AskedFarEnd
from edge_agent.simulation.serial_faults import NO_FAULTS, Faults
from edge_agent.simulation.serial_line import VirtualLine

Registers = Callable[[int], int | None]
"""Value of an input register by number (signed), or None: there is no such register."""


class ModbusFarEnd(AskedFarEnd):
    """Units on a bus without its line; answers functions 3 and 4. Units in `dead` say nothing."""

    def __init__(self, units: Mapping[int, Registers], *, echo: bool = False) -> None:
        self.units = dict(units)
        self.dead: set[int] = set()
        self.answered = 0
        self._echo = echo
        self._buffer = b""

    def receive(self, data: bytes, now: float) -> bytes:
        self._buffer += data
        out = data if self._echo else b""
        while len(self._buffer) >= 8:
            request = self._buffer[:8]
            if crc16_modbus(request) != 0:
                self._buffer = self._buffer[1:]
                continue
            self._buffer = self._buffer[8:]
            out += self._reply(request)
        return out

    def _reply(self, request: bytes) -> bytes:
        unit, function = request[0], request[1]
        start = int.from_bytes(request[2:4], "big")
        count = int.from_bytes(request[4:6], "big")
        registers = self.units.get(unit)
        if registers is None or unit in self.dead:
            return b""
        if function not in (3, 4):
            return rtu(bytes((unit, function | 0x80, 1)))
        values = [registers(number) for number in range(start, start + count)]
        if not 1 <= count <= 125 or None in values:
            return rtu(bytes((unit, function | 0x80, 2)))
        self.answered += 1
        data = b"".join((value or 0).to_bytes(2, "big", signed=True) for value in values)
        return rtu(bytes((unit, function, len(data))) + data)


class Climate:
    """Temperature (°C) and humidity (%) of a room; drifts toward a target when told to."""

    def __init__(self, temperature: float = 3.0, humidity: float = 78.0) -> None:
        self._from = self._target = temperature
        self._rate = 0.0
        self._since = time.monotonic()
        self.humidity = humidity

    @property
    def temperature(self) -> float:
        """Now."""
        gone = (time.monotonic() - self._since) * self._rate
        step = max(-gone, min(gone, self._target - self._from))
        return self._from + step

    def drift(self, target: float, per_s: float) -> None:
        """Go from where it is toward `target`, `per_s` degrees a second."""
        self._from, self._target = self.temperature, target
        self._rate, self._since = abs(per_s), time.monotonic()

    def register(self, number: int) -> int | None:
        """XY-MD02's input registers."""
        return {1: round(self.temperature * 10), 2: round(self.humidity * 10)}.get(number)


class VirtualXyMd02(VirtualLine):
    """One or several probes behind one pseudo-terminal."""

    def __init__(
        self,
        link: Path | None = None,
        *,
        units: Mapping[int, Climate] | None = None,
        faults: Faults = NO_FAULTS,
        echo: bool = False,
    ) -> None:
        self.climates = dict(units) if units is not None else {1: Climate()}
        self._bus = ModbusFarEnd(
            {unit: climate.register for unit, climate in self.climates.items()}, echo=echo
        )
        super().__init__(self._bus, link, faults)

    @property
    def climate(self) -> Climate:
        """The room of the first unit."""
        return next(iter(self.climates.values()))

    @property
    def answered(self) -> int:
        """Requests that were answered with values."""
        with self.lock:
            return self._bus.answered

    def warm_up(self, target: float, per_s: float) -> None:
        """The first unit's room drifts toward `target` °C."""
        with self.lock:
            self.climate.drift(target, per_s)

    def set_dead(self, unit: int, dead: bool = True) -> None:
        """A unit that no longer answers."""
        with self.lock:
            (self._bus.dead.add if dead else self._bus.dead.discard)(unit)
