"""Reads server-sent events from bytes, however they were cut: no I/O. Source: WHATWG HTML, 9.2."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One dispatched event."""

    name: str
    data: str
    id: str


class ServerSentEvents:
    """Bytes in, events out."""

    def __init__(self) -> None:
        self._rest = b""
        self._fields: dict[str, list[str]] = {}
        self.retry_s: float | None = None
        """How long the server asks to wait before coming back, if it has said so."""

    def receive(self, piece: bytes) -> list[ServerSentEvent]:
        """The events that `piece` completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        told = []
        for line in lines:
            text = line.decode("utf-8", "replace").removesuffix("\r")
            if text:
                name, _, value = text.partition(":")
                if name == "retry" and value.strip().isdecimal():
                    self.retry_s = int(value) / 1000
                self._fields.setdefault(name, []).append(value.removeprefix(" "))
            elif self._fields:
                fields, self._fields = self._fields, {}
                if "data" in fields:
                    told.append(
                        ServerSentEvent(
                            fields.get("event", ["message"])[-1],
                            "\n".join(fields["data"]),
                            fields.get("id", [""])[-1],
                        )
                    )
        return told
