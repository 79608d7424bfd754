"""Hundreds of open consoles on plain sockets, in processes of their own: who saw what, and when.

`python -m foodsentry.bench.console_streams` reads one line of JSON (`Wanted`), opens its streams,
writes ``open``, and at the end of its input writes what each stream was told of, as JSON.

A stream that ends comes back as the page's script and its EventSource do: after the time that the
server asked for, with the id of the last event; told to load anew, it asks for the page first.
"""

import asyncio
import json
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import IO

import msgspec

from foodsentry.bench.servers import BenchFailed
from foodsentry.demo.sse import ServerSentEvents

PROCESSES = 2
SPARE_FILES = 64
RETRY_S = 3.0
"""As browsers wait if the server has not said how long."""
MOST_WAIT_S = 15.0


class Wanted(msgspec.Struct, frozen=True):
    """The streams of one process."""

    port: int
    streams: list[tuple[str, str]]
    """Address and cookie of each."""


class Seen(msgspec.Struct, frozen=True):
    """An alert on one stream, at a moment of this machine's monotonic clock."""

    alert_id: str
    at_s: float


class Told(msgspec.Struct):
    """What one stream was told of."""

    seen: list[Seen] = []
    returns: int = 0
    """How often it had ended and came back."""


def main() -> int:
    """Follow until the input ends."""
    wanted = msgspec.json.decode(sys.stdin.readline(), type=Wanted)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = len(wanted.streams) + SPARE_FILES
    if soft < needed <= hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    told = asyncio.run(_follow(wanted))
    sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    return 0


async def _follow(wanted: Wanted) -> list[Told]:
    streams = [Stream(wanted.port, path, cookie) for path, cookie in wanted.streams]
    tasks = [asyncio.create_task(one.follow()) for one in streams]
    ready = asyncio.create_task(_all([one.opened for one in streams]))
    await asyncio.wait([ready, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        if task.done():
            task.result()  # one that has ended already could not be opened
    sys.stdout.write("open\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return [one.told for one in streams]


async def _all(opened: Sequence[asyncio.Event]) -> None:
    for one in opened:
        await one.wait()


class Refused(Exception):
    """The server answered with something else than what was asked for."""


class Stream:
    """One console: `follow` until it is cancelled."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self.port = port
        self.path = path
        self.cookie = cookie
        self.told = Told()
        self.opened = asyncio.Event()
        """Set once the first sign of life has come."""
        self._last = ""
        self._retry_s = RETRY_S
        self._failures = 0

    async def follow(self) -> None:
        """Open the stream, and again whenever it ends. Raises Refused if it never opens."""
        while True:
            try:
                ended = await self._once()
            except (OSError, EOFError, Refused):
                if not self.opened.is_set():
                    raise
                ended = ""
            self.told.returns += 1
            if ended == "reload":
                await self._load()
            elif ended == "reconnect":
                await asyncio.sleep(random.uniform(0.2, 1.0))
            else:
                self._failures += 1
                await asyncio.sleep(min(MOST_WAIT_S, self._retry_s * 2 ** (self._failures - 1)))

    async def _once(self) -> str:
        """One connection, to its end: the event that ended it, or nothing."""
        parser = ServerSentEvents()
        sent = {"Last-Event-ID": self._last} if self._last else {}
        async with self._ask(self.path, **sent) as reader:
            # Chunked: a chunk is one event or several, and the parser takes no lengths.
            while length := int((await reader.readline()).strip() or b"0", 16):
                piece = await reader.readexactly(length)
                await reader.readline()
                now_s = time.monotonic()
                self.opened.set()
                self._failures = 0
                for event in parser.receive(piece):
                    self._last = event.id or self._last
                    if event.name == "alert":
                        self.told.seen.append(Seen(json.loads(event.data)["alert_id"], now_s))
                    elif event.name in ("reload", "reconnect"):
                        return event.name
                self._retry_s = parser.retry_s or self._retry_s
        return ""

    async def _load(self) -> None:
        """Load the page: what stands on it is seen, and from there on the stream goes on."""
        live, _, query = self.path.partition("?")
        page = live.removesuffix("/live")
        async with self._ask(f"{page}?{_without_after(query)}", connection="close") as reader:
            text = (await reader.read()).decode("utf-8", "replace")
        now_s = time.monotonic()
        self.told.seen += [Seen(one, now_s) for one in re.findall(r'id="alert-(\w+)"', text)]
        found = re.search(r'data-after="(\d+)"', text)
        self._last = found[1] if found else self._last

    @asynccontextmanager
    async def _ask(self, path: str, **headers: str) -> AsyncIterator[asyncio.StreamReader]:
        """A request; the reader stands behind the answer's head."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        told = {"Host": f"127.0.0.1:{self.port}", "Cookie": self.cookie, **headers}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in answer.partition(b"\r\n")[0]:
                raise Refused(f"{path} was answered with {answer[:80]!r}")
            yield reader
        finally:
            writer.close()


def _without_after(query: str) -> str:
    return "&".join(one for one in query.split("&") if one and not one.startswith("after="))


class Consoles:
    """The processes with their streams; `close` tells what every stream saw."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def close(self) -> list[Told]:
        """End them all; what each stream was told."""
        told: list[Told] = []
        for process in self._processes:
            _pipe(process.stdin).close()
        for process in self._processes:
            said = _pipe(process.stdout).read()
            told += msgspec.json.decode(said, type=list[Told])
        return told


@contextmanager
def consoles(port: int, streams: Sequence[tuple[str, str]]) -> Iterator[Consoles]:
    """Open these streams; each has had its first sign of life. Raises BenchFailed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < len(streams) + SPARE_FILES:
        raise BenchFailed(f"{len(streams)} streams need more open files than {hard} (ulimit -Hn)")
    command = [sys.executable, "-m", "foodsentry.bench.console_streams"]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(PROCESSES)
    ]
    try:
        for number, process in enumerate(processes):
            wanted = Wanted(port, list(streams[number::PROCESSES]))
            _pipe(process.stdin).write(msgspec.json.encode(wanted) + b"\n")
            _pipe(process.stdin).flush()
        for process in processes:
            if _pipe(process.stdout).readline() != b"open\n":
                raise BenchFailed("the streams could not be opened")
        yield Consoles(processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()
            _pipe(process.stdin).close()
            _pipe(process.stdout).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


if __name__ == "__main__":
    sys.exit(main())
