"""Instruments that speak only when they are asked: what their far ends have in common."""

from abc import ABC, abstractmethod

from edge_agent.protocols.events import Frame
from edge_agent.protocols.framing import FrameReader


class AskedFarEnd:
    """Has nothing to say by itself."""

    def due(self) -> float:
        """Never."""
        return float("inf")

    def wake(self, now: float) -> bytes:
        """Nothing."""
        return b""


class FramedFarEnd(AskedFarEnd, ABC):
    """Answers each request that its framer finds."""

    def __init__(self, framer: FrameReader) -> None:
        self._framer = framer

    def receive(self, data: bytes, now: float) -> bytes:
        """The answers to the requests that `data` completes."""
        out = b""
        for event in self._framer.receive(data):
            if isinstance(event, Frame):
                out += self._reply(event.content)
        return out

    @abstractmethod
    def _reply(self, request: bytes) -> bytes:
        """The answer to one request."""
