"""Other libraries on the same bytes as ours: python-astm's server side and pymodbus' RTU framer.

They are development dependencies, loaded only here and only when asked for. Each is given what its
own transport would give it, and is forgiven what is not the protocol's business: an exception costs
it the read, not the connection.
"""

import importlib
import logging
from collections.abc import Sequence
from typing import Any


class RivalMissing(Exception):
    """A library to compare with is not installed; the text says which, and how to get it."""


def load(module: str, distribution: str) -> Any:
    """Import a library. Raises RivalMissing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise RivalMissing(
            f"{distribution} is not installed, nothing to compare with; "
            "it comes with the `dev` dependencies (make setup)"
        ) from error


class AstmServer:
    """python-astm's request handler without its socket: handshake, frames, records."""

    def __init__(self, encoding: str = "gb18030") -> None:
        server = load("astm.server", "astm-2025")
        logging.getLogger("astm").setLevel(logging.CRITICAL)
        self.records: list[list[Any]] = []
        self.sent: list[bytes] = []
        dispatcher = server.BaseRecordsDispatcher(encoding)
        dispatcher.dispatch = dict.fromkeys("HCPORSML", self.records.append)
        dispatcher.on_unknown = self.records.append
        self._handler = server.RequestHandler(None, dispatcher)
        self._handler.push = self.sent.append
        self._reading = b""
        self._handler.recv = lambda _size: self._reading

    def read(self, content: bytes) -> None:
        """One read from the line."""
        self._reading = content
        handler = self._handler
        try:
            handler.handle_read()
        except Exception:  # noqa: BLE001  # whatever it raises on bytes, it has lost them
            handler.discard_input_buffers()
        if not handler._input_buffer:
            handler._input_buffer = b""  # it leaves text there, which its next read can't extend

    def results(self) -> list[tuple[str, str]]:
        """Item and value of every R record."""
        return [
            (str(record[2]), str(record[3]))
            for record in self.records
            if record and record[0] == "R" and len(record) > 3
        ]


class PymodbusClient:
    """pymodbus' RTU framer as its client uses it: one reply for one request."""

    def __init__(self) -> None:
        framer = load("pymodbus.framer.rtu", "pymodbus")
        pdu = load("pymodbus.pdu", "pymodbus")
        load("pymodbus", "pymodbus").pymodbus_apply_logging_config(logging.CRITICAL)
        self._framer = framer.FramerRTU(pdu.DecodePDU(False))
        self._request = load("pymodbus.pdu.register_message", "pymodbus").ReadInputRegistersRequest

    def exchange(self, unit: int, start: int, count: int, reads: Sequence[bytes]) -> object:
        """Build the request, as it goes on the line, and find its reply."""
        request = self._request(address=start, count=count, dev_id=unit)
        return self._framer.buildFrame(request) and self.ask(unit, reads)

    def ask(self, unit: int, reads: Sequence[bytes]) -> list[int] | None:
        """Registers of the reply that is found in the reads, or None."""
        buffer = b""
        for content in reads:
            buffer += content
            try:
                used, reply = self._framer.handleFrame(buffer, unit, 0)
            except Exception:  # noqa: BLE001  # whatever it raises on bytes, it has lost them
                return None
            buffer = buffer[used:]
            if reply is not None:
                return None if reply.isError() else list(reply.registers)
        return None
