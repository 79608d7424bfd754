"""Hundreds of open consoles on plain sockets, in processes of their own: who saw what, and when.

`python -m foodsentry.bench.console_streams` reads one line of JSON (`Wanted`), opens its streams,
writes ``open``, and at the end of its input writes what each stream was told of, as JSON.
"""

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import msgspec

from foodsentry.bench.servers import BenchFailed
from foodsentry.demo.sse import ServerSentEvents

PROCESSES = 2
SPARE_FILES = 64


class Wanted(msgspec.Struct, frozen=True):
    """The streams of one process."""

    port: int
    streams: list[tuple[str, str]]
    """Address and cookie of each."""


class Seen(msgspec.Struct, frozen=True):
    """An alert on one stream, at a moment of this machine's monotonic clock."""

    alert_id: str
    at_s: float


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


async def _follow(wanted: Wanted) -> list[list[Seen]]:
    told: list[list[Seen]] = [[] for _ in wanted.streams]
    opened = [asyncio.Event() for _ in wanted.streams]
    tasks = [
        asyncio.create_task(_stream(wanted.port, path, cookie, told[n], opened[n]))
        for n, (path, cookie) in enumerate(wanted.streams)
    ]
    ready = asyncio.create_task(_all(opened))
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
    return told


async def _all(opened: Sequence[asyncio.Event]) -> None:
    for one in opened:
        await one.wait()


async def _stream(
    port: int, path: str, cookie: str, told: list[Seen], opened: asyncio.Event
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
    writer.write(head.encode())
    parser = ServerSentEvents()
    try:
        answer = await reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in answer.partition(b"\r\n")[0]:
            raise BenchFailed(f"{path} was answered with {answer[:80]!r}")
        # Chunked: a chunk is one event or several, and the parser takes no lengths.
        while length := int((await reader.readline()).strip() or b"0", 16):
            piece = await reader.readexactly(length)
            await reader.readline()
            now_s = time.monotonic()
            opened.set()
            for event in parser.receive(piece):
                if event.name == "alert":
                    told.append(Seen(json.loads(event.data)["alert_id"], now_s))
    finally:
        writer.close()


class Consoles:
    """The processes with their streams; `close` tells what every stream saw."""

    def __init__(self, processes: Sequence[subprocess.Popen[bytes]]) -> None:
        self._processes = processes

    def close(self) -> list[list[Seen]]:
        """End them all; one list for each stream."""
        told: list[list[Seen]] = []
        for process in self._processes:
            _pipe(process.stdin).close()
        for process in self._processes:
            said = _pipe(process.stdout).read()
            told += msgspec.json.decode(said, type=list[list[Seen]])
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
