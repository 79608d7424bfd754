"""The benchmark's consoles come back as a browser does, and say what they have seen."""

import asyncio

import msgspec

from foodsentry.bench.console_streams import Stream

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PAGE = b'<ul data-after="40"><li id="alert-aa40"></ul>'


def chunk(*events: str) -> bytes:
    text = "".join(events).encode()
    return b"%x\r\n%s\r\n" % (len(text), text)


def alert(number: int) -> str:
    body = msgspec.json.encode({"alert_id": f"aa{number}"}).decode()
    return f"id: {number}\nevent: alert\ndata: {body}\n\n"


class Server:
    """Answers each request with the next of its answers, and notes what was asked for."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []
        self.done = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        last = [line for line in head.split("\r\n") if line.startswith("Last-Event-ID: ")]
        self.asked.append((path, last[0].partition(": ")[2] if last else ""))
        writer.write(self.answers.pop(0))
        if not self.answers:
            self.done.set()
        writer.close()


async def follow(server: Server) -> Stream:
    async with await asyncio.start_server(server, "127.0.0.1", 0) as listening:
        port = listening.sockets[0].getsockname()[1]
        stream = Stream(port, "/alerts/live?after=5&class=1", "fs_session=x")
        task = asyncio.create_task(stream.follow())
        async with asyncio.timeout(30):
            await server.done.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return stream


def test_a_stream_that_ends_goes_on_behind_the_last_event() -> None:
    server = Server(
        HEAD + chunk("retry: 10\n\n", "event: tick\ndata: {}\n\n") + chunk(alert(6), alert(7)),
        b"HTTP/1.1 503 Down\r\n\r\n",
        HEAD + chunk(alert(8)) + chunk("event: reload\ndata: {}\n\n"),
        b"HTTP/1.1 200 OK\r\n\r\n" + PAGE,
        HEAD + chunk("event: tick\ndata: {}\n\n"),
    )
    stream = asyncio.run(follow(server))
    assert server.asked == [
        ("/alerts/live?after=5&class=1", ""),
        ("/alerts/live?after=5&class=1", "7"),
        ("/alerts/live?after=5&class=1", "7"),
        ("/alerts?class=1", ""),
        ("/alerts/live?after=5&class=1", "40"),
    ]
    assert [one.alert_id for one in stream.told.seen] == ["aa6", "aa7", "aa8", "aa40"]
    assert stream.told.returns >= 3
