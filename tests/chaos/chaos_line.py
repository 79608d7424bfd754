"""A network line of the chaos city: a TCP relay that can be cut, fall silent and become slow."""

import asyncio
import threading
from contextlib import suppress
from typing import Self


class Line:
    """Relays 127.0.0.1:`port` to 127.0.0.1:`target` until the `with` block ends."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)
        self._ready = threading.Event()
        self._open: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._is_cut = False
        self._bytes_per_s = 0.0
        self._delay_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def cut(self) -> None:
        """Break every connection; new ones are broken at once."""
        self._do(self._cut)

    def mend(self) -> None:
        """As new."""
        self._do(self._mend)

    def silence(self) -> None:
        """Nothing comes through any more, and nobody is told: a dead modem."""
        self._do(self._passes.clear)

    def slow(self, bytes_per_s: float, delay_s: float = 0.0) -> None:
        """So many bytes in a second, for each connection and direction, each piece delayed."""
        self._bytes_per_s, self._delay_s = bytes_per_s, delay_s

    def _do(self, work: object) -> None:
        done = threading.Event()

        def run() -> None:
            work()  # type: ignore[operator]
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(10)

    def _cut(self) -> None:
        self._is_cut = True
        self._passes.set()
        for writer in list(self._open):
            writer.transport.abort()

    def _mend(self) -> None:
        self._is_cut = False
        self._bytes_per_s = self._delay_s = 0.0
        self._passes.set()

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._passes, self._end = asyncio.Event(), asyncio.Event()
        self._passes.set()
        server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._end.wait()
        server.close()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _relay(self, up: asyncio.StreamReader, down: asyncio.StreamWriter) -> None:
        if self._is_cut:
            down.transport.abort()
            return
        self.connections += 1
        try:
            far, to_far = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            down.transport.abort()
            return
        ends = {down, to_far}
        self._open |= ends
        for reader, writer in ((up, to_far), (far, down)):
            pump = asyncio.ensure_future(self._pump(reader, writer, ends))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        ends: set[asyncio.StreamWriter],
    ) -> None:
        with suppress(OSError, asyncio.CancelledError):
            while content := await reader.read(65536):
                await self._passes.wait()
                if self._delay_s:
                    await asyncio.sleep(self._delay_s)
                if self._bytes_per_s:
                    await asyncio.sleep(len(content) / self._bytes_per_s)
                writer.write(content)
                await writer.drain()
        await asyncio.sleep(0)
        for end in ends:
            end.transport.abort() if self._is_cut else end.close()
        self._open -= ends
