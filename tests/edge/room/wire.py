"""A network line between an agent and its broker that is cut, or loses what goes one way."""

import socket
import threading

from relay import Direction, Relay


class Wire(Relay):
    """`lose` names a direction: what goes there is swallowed, and both ends believe the line to be
    whole. `cut` ends all connections and lets none come; `mend` makes it whole."""

    def __init__(self, target: int) -> None:
        super().__init__(target)
        self.loses = ""
        self.lost = threading.Event()
        """Something was swallowed since the last `lose`."""
        self._whole = True

    def lose(self, direction: str) -> None:
        """Swallow what goes "up" or "down" from now on."""
        self.lost.clear()
        self.loses = direction

    def cut(self) -> None:
        """No network: nothing goes either way until it is mended."""
        with self._lock:
            self._whole = False
        self.hang_up()

    def mend(self) -> None:
        """The network is back."""
        with self._lock:
            self.loses = ""
            self._whole = True

    def admits(self) -> bool:
        return self._whole

    def forward(self, direction: Direction, source: socket.socket, target: socket.socket) -> None:
        while content := source.recv(65536):
            if self.loses == direction:
                self.lost.set()
            else:
                target.sendall(content)
