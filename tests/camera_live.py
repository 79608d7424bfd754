"""A camera that a test steers, and workers run as the agent runs them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from camera_parts import Person, Pixels, kitchen

from edge_agent.cameras.frames import Picture, SourceError
from edge_agent.ports import Worker


@contextmanager
def running(*workers: Worker) -> Iterator[None]:
    """Run workers as the agent does; they must stop within two seconds."""
    stop = threading.Event()
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(2.0)
        assert not any(thread.is_alive() for thread in threads)


class Live:
    """A camera that a test steers: who is in view, and whether it hangs, freezes or breaks."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self.light = 1.0
        self.frozen = False
        self.gone = False
        self.hangs = threading.Event()
        self.hangs.set()
        self.number = 0
        self.last: Pixels = kitchen()

    def __call__(self) -> "Live":
        if self.gone:
            raise SourceError("cam: unreachable")
        return self

    def grab(self, stop: threading.Event) -> None:
        self.hangs.wait(30)
        stop.wait(0.03)
        if self.gone:
            raise SourceError("cam: broken off")

    def retrieve(self) -> Picture:
        if not self.frozen:
            self.number += 1
            self.last = kitchen(self.people, seed=self.number, light=self.light)
        return self.last

    def close(self) -> None:
        pass
