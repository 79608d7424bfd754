"""A testing room on a folder: its outbox, its desk, results as an instrument gives them."""

import http.client
import json
import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from contracts.events import ProfileRef, RawFrame, Sample, TestResult, Value
from contracts.topics import Identity
from contracts.words import Verdict
from edge_agent.outbox.store import Outbox
from edge_agent.ports import Fact
from edge_agent.room.build import Room, build_room
from edge_agent.room.settings import RoomSettings
from edge_agent.room.store import RoomStore

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "firmware_configs"
AGENT = Identity("440703", "market1", "agent")
READER = AGENT.sibling("lz")
MORNING = datetime(2026, 11, 26, 0, 30, tzinfo=UTC)
"""8:30 at the market."""
INHIBITION = "pesticide_inhibition"


def result(
    at: datetime,
    *,
    number: str = "",
    name: str = "",
    cut: bool = False,
    value: float = 12.0,
    record: int | None = None,
    measured_at: datetime | None = None,
) -> TestResult:
    """A result of the enzyme method."""
    verdict = Verdict.POSITIVE if value >= 50 else Verdict.SUSPECT if value >= 40 else Verdict.PASS
    raw = f"{record} {number} {name} {value}".encode()
    return TestResult(
        sample=Sample(number=number, name=name, name_cut=cut),
        item="抑制率",
        item_code=INHIBITION,
        value=Value(f"{value:.2f}", value, unit="%"),
        verdict=verdict,
        captured_at=at,
        measured_at=measured_at,
        measured_text="" if record is None else f"{at:%H:%M:%S}",
        record_number=record,
        profile=ProfileRef("lz4000t", "1"),
        raw=RawFrame(raw, sha256(raw).hexdigest()),
    )


class Place:
    """A folder with a room since yesterday; `open` again is what a restart of the agent does."""

    def __init__(self, folder: Path, settings: RoomSettings | None = None) -> None:
        self.folder = folder
        self.settings = settings or RoomSettings(port=0)
        self.now = MORNING
        self.connected = True
        (folder / "state").mkdir(parents=True, exist_ok=True)
        RoomStore(folder / "state/room.sqlite", self.now - timedelta(days=1)).close()

    def clock(self) -> datetime:
        """The test's time."""
        return self.now

    def later(self, **parts: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**parts)
        return self.now

    def open(self) -> "Opened":
        """The room as after a start of the agent."""
        outbox = Outbox(
            self.folder / "outbox.sqlite",
            AGENT,
            self.clock,
            reserve_bytes=1 << 16,
            overheard_kinds=frozenset({"tests"}),
        )
        room = build_room(
            self.settings,
            AGENT,
            outbox,
            base=self.folder,
            state=self.folder / "state",
            configs=CONFIGS,
            foods=CONFIGS / "foods",
            clock=self.clock,
            connection=lambda: {"connected": self.connected},
            wake_uplink=lambda: None,
        )
        return Opened(outbox, room)


class Opened:
    """A room between a start and an end."""

    def __init__(self, outbox: Outbox, room: Room) -> None:
        self.outbox, self.room, self.desk = outbox, room, room.desk
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def tell(self, told: TestResult, who: Identity = READER) -> None:
        """The instrument has a result: durable in the outbox."""
        self.outbox.put([Fact(who, "tests", told, told.captured_at)])

    def serve(self) -> int:
        """Run the worker; returns the page's port."""
        self._thread = threading.Thread(target=self.room.worker.run, args=(self._stop,))
        self._thread.start()
        assert self.room.worker.ready.wait(10)
        return self.room.port()

    def close(self) -> None:
        """End it, in order or as a kill would: nothing is written at the end."""
        self._stop.set()
        if self._thread is not None:
            self.room.worker.wake()
            self._thread.join(10)
            assert not self._thread.is_alive()
        self.room.store.close()
        self.outbox.close()


def ask(
    port: int,
    path: str,
    body: dict[str, Any] | None = None,
    method: str = "",
    **headers: str,
) -> tuple[int, dict[str, str], Any]:
    """One request of a page: status, headers, JSON (or bytes)."""
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        named = {"X-Room": "1", **named}
    payload = None if body is None else json.dumps(body)
    asking.request(method or ("GET" if body is None else "POST"), path, payload, named)
    reply = asking.getresponse()
    content: Any = reply.read()
    if reply.headers.get_content_type() == "application/json":
        content = json.loads(content)
    told = (reply.status, dict(reply.getheaders()), content)
    asking.close()
    return told
