"""The live stream: nothing missed, nothing twice, bounded, filtered; on a real uvicorn."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from conftest import CHEAP, NOW, Clock, settings
from console_town import CANTEEN, MARKET, VAN, simple_alert

from contracts.events import Status
from contracts.topics import Identity
from contracts.words import DeviceState, Severity
from ledger import alerts, devices, journal
from ledger.engine import Engine, LedgerDown, reading, writing
from server.app import create_app
from server.live import Hub, TooFarBehind, TooSlow
from server.metrics import Metrics
from server.run import serve
from server.settings import LiveSettings
from server.signing import sign_in
from timeseries.port import SeriesStore


def raise_some(engine: Engine, *names: str, who: Identity = MARKET) -> list[str]:
    """Raise alerts, each in a transaction of its own; returns their ids."""
    made = []
    for name in names:
        new = simple_alert(
            f"test|{name}", who, Severity.AT_ONCE, NOW, f"测试 {name}", f"Test {name}", "说明"
        )
        with writing(engine) as conn:
            made.append(alerts.raise_alert(conn, new)[0])
    return made


def last_id(engine: Engine) -> int:
    with reading(engine) as conn:
        return journal.last_id(conn)


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
        first = asyncio.create_task(anext(lazy))
        quick = asyncio.create_task(take(hub, start, 30))
        await asyncio.sleep(0)
        await asyncio.to_thread(raise_some, engine, "first")
        seen = list((await first).rows)
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


class Served:
    """The console on a real port."""

    def __init__(self, port: int, tokens: dict[str, str]) -> None:
        self.port = port
        self.tokens = tokens

    def open(self, login: str, path: str, last: int | None = None) -> "LiveStream":
        return LiveStream(self.port, path, self.tokens[login], last)


class LiveStream:
    """A stream of server-sent events, read by hand."""

    def __init__(self, port: int, path: str, token: str, last: int | None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"cookie": f"fs_session={token}", "accept": "text/event-stream"}
        if last is not None:
            headers["last-event-id"] = str(last)
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.getheader("content-type", "").startswith("text/event-stream")
        self.last: int | None = last

    def next(self, *wanted: str) -> tuple[str, dict[str, Any]]:
        """The next event whose name is wanted."""
        told: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode()
            if not line:
                raise EOFError
            if line != "\n":
                name, _, text = line.rstrip("\n").partition(": ")
                told[name] = text
            elif "event" in told:
                if "id" in told:
                    self.last = int(told["id"])
                if told["event"] in wanted:
                    return told["event"], json.loads(told["data"])
                told = {}

    def close(self) -> None:
        self.connection.close()


@contextmanager
def served(engine: Engine, series: SeriesStore, clock: Clock, **changes: Any) -> Iterator[Served]:
    app = create_app(settings(**changes), engine, series, clock=clock, passwords=CHEAP)
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="on"))
    thread = threading.Thread(
        target=lambda: asyncio.run(serve(server, listening, app.state.console, stop))
    )
    thread.start()
    try:
        state = app.state.console
        password = "jiangmen-2026-shian"
        logins = ("shiju", "baisha", "tangxia", "xinhui", "shichang")
        tokens = {login: sign_in(state, login, password, "test")[0] for login in logins}
        yield Served(listening.getsockname()[1], tokens)
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive(), "open streams held the shutdown up"
        listening.close()


@pytest.fixture
def live(engine: Engine, series: SeriesStore, clock: Clock) -> Iterator[Served]:
    with served(engine, series, clock) as console:
        yield console


def test_a_new_alert_comes_as_a_line_with_counts(live: Served, engine: Engine) -> None:
    stream = live.open("shiju", f"/alerts/live?after={last_id(engine)}")
    (alert_id,) = raise_some(engine, "one")
    _, told = stream.next("alert")
    assert told["alert_id"] == alert_id and told["raised"] is True
    assert f'id="alert-{alert_id}"' in told["html"] and "白沙农贸市场" in told["html"]
    assert told["counts"]["firing"] == 6 and told["counts"]["class1"] == 2
    with writing(engine) as conn:
        alerts.acknowledge(conn, alert_id, "officer-baisha", NOW)
    _, told = stream.next("alert")
    assert "黄嘉敏" in told["html"] and told["raised"] is False
    assert told["counts"]["firing"] == 5 and told["counts"]["acknowledged"] == 2
    stream.close()


def test_filters_of_the_address_hold_for_the_stream(live: Served, engine: Engine) -> None:
    after = last_id(engine)
    waiting = live.open("shiju", f"/alerts/live?after={after}&state=firing")
    third = live.open("shiju", f"/alerts/live?after={after}&class=3")
    (alert_id,) = raise_some(engine, "one")
    assert waiting.next("alert")[1]["html"]
    assert third.next("alert")[1]["html"] is None
    with writing(engine) as conn:
        alerts.acknowledge(conn, alert_id, "officer-baisha", NOW)
    assert waiting.next("alert")[1]["html"] is None, "it leaves the list of those that wait"
    waiting.close()
    third.close()


@pytest.mark.parametrize(
    ("login", "sees"),
    [
        ("shiju", "market canteen van"),
        ("baisha", "market"),
        ("tangxia", "canteen"),
        ("xinhui", "van"),
        ("shichang", "market"),
    ],
)
def test_streams_tell_the_subtree_and_nothing_else(
    live: Served, engine: Engine, login: str, sees: str
) -> None:
    stream = live.open(login, f"/alerts/live?after={last_id(engine)}")
    made = {}
    for name, who in (("van", VAN), ("market", MARKET), ("canteen", CANTEEN)):
        (made[name],) = raise_some(engine, name, who=who)
    expected = {made[name] for name in sees.split()}
    got = {stream.next("alert")[1]["alert_id"] for _ in expected}
    assert got == expected
    assert stream.next("alert", "tick")[0] == "tick", "and then nothing more"
    stream.close()


def test_coming_back_misses_nothing_and_repeats_nothing(live: Served, engine: Engine) -> None:
    start = last_id(engine)
    told: list[str] = []
    made: list[str] = []
    last = start
    for round_number in range(5):
        stream = live.open("shiju", f"/alerts/live?after={start}", None if last == start else last)
        made += raise_some(engine, *(f"r{round_number}-{n}" for n in range(3)))
        told += [stream.next("alert")[1]["alert_id"] for _ in range(2)]
        assert stream.last is not None
        last = stream.last
        stream.close()
        made += raise_some(engine, f"r{round_number}-gone")
    stream = live.open("shiju", "/alerts/live", last)
    while len(told) < len(made):
        told.append(stream.next("alert")[1]["alert_id"])
    assert told == made
    stream.close()


def test_one_alerts_page_hears_of_that_alert_only(
    live: Served, engine: Engine, alert_ids: dict[str, str]
) -> None:
    path = f"/alerts/{alert_ids['cold']}/live?after={last_id(engine)}"
    mine, sideways = live.open("tangxia", path), live.open("xinhui", path)
    raise_some(engine, "other", who=CANTEEN)
    with writing(engine) as conn:
        alerts.acknowledge(conn, alert_ids["cold"], "officer-tangxia", NOW)
    assert mine.next("change")[1] == {"ref": alert_ids["cold"]}
    assert sideways.next("change", "tick")[0] == "tick"
    assert sideways.next("change", "tick")[0] == "tick"
    mine.close()
    sideways.close()


def test_the_devices_page_hears_of_devices(live: Served, engine: Engine) -> None:
    stream = live.open("tangxia", f"/devices/live?after={last_id(engine)}")
    with writing(engine) as conn:
        for who in (VAN, CANTEEN.sibling("cam-1")):
            devices.set_status(conn, who, Status(state=DeviceState.OFFLINE, at=NOW), NOW)
    assert stream.next("change")[1] == {"ref": "/440703-tangxia/tangxia-kitchen/cam-1"}
    stream.close()


def test_a_stream_ends_with_its_session_and_keeps_none_alive(
    live: Served, engine: Engine, clock: Clock
) -> None:
    stream = live.open("baisha", f"/alerts/live?after={last_id(engine)}")
    stream.next("tick")
    clock.forward(timedelta(hours=5).total_seconds())
    assert stream.next("reload") == ("reload", {})
    with pytest.raises(EOFError):
        stream.next("tick")
    stream.close()


def test_the_end_of_the_process_tells_streams_to_come_back(
    engine: Engine, series: SeriesStore, clock: Clock
) -> None:
    with served(engine, series, clock) as console:
        streams = [console.open("shiju", "/alerts/live?after=0") for _ in range(3)]
        for stream in streams:
            stream.next("tick", "alert")
    for stream in streams:
        assert stream.next("reconnect") == ("reconnect", {})
        stream.close()
