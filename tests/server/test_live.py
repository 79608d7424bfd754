"""The hub: nothing missed, nothing twice, bounded; a slow stream ends, the others go on."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest
from console_served import last_id, raise_some

from ledger import journal
from ledger.engine import Engine, LedgerDown
from ledger.journal import JournalRow
from server.live import Hub, News, TooFarBehind, TooSlow
from server.metrics import Metrics
from server.settings import LiveSettings


def run_with_hub(
    engine: Engine, use: Callable[[Hub], Coroutine[Any, Any, None]], **changes: Any
) -> None:
    told = {"poll_s": 0.01, "heartbeat_s": 0.2} | changes

    async def main() -> None:
        hub = Hub(engine, LiveSettings(**told), Metrics())
        following = asyncio.create_task(hub.follow())
        try:
            async with asyncio.timeout(20):
                await use(hub)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    asyncio.run(main())


async def take(hub: Hub, cursor: int, count: int) -> list[int]:
    seen: list[int] = []
    async with aclosing(hub.news(cursor)) as told:
        async for news in told:
            seen += [row.id for row in news.rows]
            if len(seen) >= count:
                break
    return seen


async def some(told: AsyncGenerator[News, None]) -> list[JournalRow]:
    """The next rows of a stream; a busy machine may have a heartbeat or more come before them."""
    rows: list[JournalRow] = []
    while not rows:
        rows += (await anext(told)).rows
    return rows


def test_what_happens_while_a_stream_starts_comes_once(engine: Engine) -> None:
    """Rows before, during and after joining: every id once, in order, whatever the moment."""
    start = last_id(engine)
    stop = threading.Event()

    def busy() -> None:
        number = 0
        while not stop.is_set() and number < 400:
            raise_some(engine, f"busy-{number}")
            number += 1

    async def use(hub: Hub) -> None:
        writer = threading.Thread(target=busy)
        writer.start()
        try:
            streams = []
            for _ in range(12):
                streams.append(asyncio.create_task(take(hub, start, 60)))
                await asyncio.sleep(0.02)
            for seen in await asyncio.gather(*streams):
                assert seen[:60] == list(range(start + 1, start + 61))
        finally:
            stop.set()
            await asyncio.to_thread(writer.join)

    run_with_hub(engine, use)


def test_silence_is_a_heartbeat_that_moves_the_position(engine: Engine) -> None:
    start = last_id(engine)

    async def use(hub: Hub) -> None:
        async with aclosing(hub.news(start)) as told:
            news = await anext(told)
        assert (list(news.rows), news.position) == ([], start)

    run_with_hub(engine, use)


def test_a_stream_that_does_not_take_is_ended_and_others_go_on(engine: Engine) -> None:
    start = last_id(engine)

    async def use(hub: Hub) -> None:
        await hub.started.wait()
        lazy = hub.news(start)
        first = asyncio.create_task(some(lazy))
        quick = asyncio.create_task(take(hub, start, 30))
        await asyncio.sleep(0)
        await asyncio.to_thread(raise_some, engine, "first")
        seen = await first
        for number in range(29):
            await asyncio.to_thread(raise_some, engine, f"more-{number}")
        assert await quick == list(range(start + 1, start + 31))
        with pytest.raises(TooSlow):
            while True:
                seen += (await anext(lazy)).rows
        assert hub.metrics.streams_dropped._value.get() == 1
        assert not hub.streams
        # It comes back with the last id that it has seen, and misses nothing.
        rest = await take(hub, seen[-1].id, 30 - len(seen))
        assert [row.id for row in seen] + rest == list(range(start + 1, start + 31))

    run_with_hub(engine, use, queue=8)


def test_too_much_to_tell_and_a_foreign_cursor_ask_for_a_reload(engine: Engine) -> None:
    start = last_id(engine)
    raise_some(engine, *(f"n{number}" for number in range(12)))

    async def use(hub: Hub) -> None:
        for cursor in (start, start + 1000):
            with pytest.raises(TooFarBehind):
                await take(hub, cursor, 1000)
        assert len(await take(hub, start + 3, 9)) == 9

    run_with_hub(engine, use, backlog=10)


def test_a_ledger_that_is_away_is_outlived(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    start = last_id(engine)
    real, calls = journal.after, []

    def shaky(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) % 3 == 1:
            raise LedgerDown("away")
        return real(*arguments)

    monkeypatch.setattr(journal, "after", shaky)

    async def use(hub: Hub) -> None:
        await hub.started.wait()
        stream = asyncio.create_task(take(hub, start, 3))
        await asyncio.sleep(0)
        await asyncio.to_thread(raise_some, engine, "a", "b", "c")
        assert await stream == [start + 1, start + 2, start + 3]
        assert hub.metrics.journal_failures._value.get() > 0

    run_with_hub(engine, use)
