"""The book's road: ledger, gateway, the city's mosquitto with its access rules, an agent's disk.

Also what is retained there once a site has moved, or is a room no more.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest
from broker_parts import DEPLOY, Client, plain_settings
from gateway_process import GatewayProcess, until
from gateway_town import MARKET, REGION
from servers import Mosquitto, free_port
from sqlalchemy import update

from contracts.clock import utc_now
from contracts.envelope import decode
from contracts.room import RoomBook
from edge_agent.agent import run_agent
from edge_agent.room.build import FILE
from edge_agent.settings import load_edge_settings
from ledger import regions
from ledger import schema as tables
from ledger.engine import Engine, writing
from ledger.sheets.plan import apply_plan, plan_of_rows
from ledger.sheets.retire import bring_back, retire

pytestmark = [pytest.mark.real, pytest.mark.slow]

ELSEWHERE = "440704"
USERS = ("gateway", f"{REGION}/{MARKET}", "looker")
LOOKER = "\nuser looker\ntopic read #\n"
HOME, AWAY = (f"fs/v1/{region}/{MARKET}/agent/room" for region in (REGION, ELSEWHERE))
LAST = f"fs/v1/{REGION}/{MARKET}/alerts/last"
"""Retained, and asked for last: what comes before it is all there is."""
EDGE = """
[agent]
region = "{region}"
site = "{site}"
device = "agent"
[mqtt]
host = "127.0.0.1"
port = {port}
username = "{region}/{site}"
password_file = "password"
[room]
port = {page}
"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """The city's mosquitto with the committed access rules, and one more who may see what lies."""
    folder = tmp_path / "broker"
    folder.mkdir(mode=0o755)
    access = folder / "access"
    access.write_text((DEPLOY / "foodsentry.acl").read_text("utf-8") + LOOKER, "utf-8")
    access.chmod(0o644)
    with Mosquitto(folder, plain_settings(folder, USERS, access)) as server:
        yield server


class Agent:
    """A real agent with its testing room, that can be away."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir()
        (folder / "password").write_text("secret\n", "utf-8")
        (folder / "password").chmod(0o600)
        self.file = folder / "edge.toml"
        text = EDGE.format(region=REGION, site=MARKET, port=port, page=free_port())
        self.file.write_text(text, "utf-8")
        self.folder = folder

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(
            target=run_agent, args=(load_edge_settings(self.file), self.file, stop)
        )
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(20)
        assert not thread.is_alive()

    def book(self) -> RoomBook | None:
        """What lies on its disk."""
        found = list(self.folder.rglob(FILE))
        if not found:
            return None
        with closing(sqlite3.connect(f"file:{found[0]}?mode=ro", uri=True)) as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'notes'").fetchone():
                return None  # it is only just being made
            row = db.execute("SELECT value FROM notes WHERE name = 'book'").fetchone()
        return row and msgspec.json.decode(row[0], type=RoomBook)

    def codes(self) -> list[str]:
        found = self.book()
        return [one.code for one in found.stalls] if found else []


def put_stall(ledger: Engine, code: str) -> None:
    with writing(ledger) as conn:
        rows = [{"site": MARKET, "code": code}]
        apply_plan(conn, plan_of_rows(conn, "stalls", rows), "wang", utc_now())


def retained(broker: Mosquitto) -> dict[str, RoomBook]:
    """By topic, as somebody finds it who comes now."""
    teller, client = (Client(broker.port, None, name, "secret") for name in ("gateway", "looker"))
    try:
        assert teller.may_publish(LAST, retain=True)
        client.listen("fs/v1/+/+/+/room")
        client.listen(LAST)
        until(lambda: LAST in client.topics, 10)
        found = {topic: decode(payload).data for topic, payload in client.got if topic != LAST}
        return {topic: data for topic, data in found.items() if isinstance(data, RoomBook)}
    finally:
        teller.close()
        client.close()


def gateway(folder: Path, broker: Mosquitto, ledger_file: Path) -> GatewayProcess:
    folder.mkdir()
    (folder / "password").write_text("secret\n", "utf-8")
    (folder / "password").chmod(0o600)
    mqtt = 'username = "gateway"\npassword_file = "password"'
    return GatewayProcess(folder, broker.port, f"sqlite:///{ledger_file}", mqtt=mqtt)


def test_a_book_lies_on_the_agents_disk_and_follows_though_it_was_away(
    broker: Mosquitto, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    put_stall(ledger, "A1")
    agent = Agent(tmp_path / "edge", broker.port)
    with gateway(tmp_path / "gateway", broker, ledger_file):
        with agent.running():
            until(lambda: agent.codes() == ["A1"], 60)
            put_stall(ledger, "A2")
            until(lambda: agent.codes() == ["A1", "A2"], 30)
        before = agent.book()
        assert before is not None
        put_stall(ledger, "A3")  # while the agent is away
        until(lambda: len(retained(broker)[HOME].stalls) == 3, 30)
        assert agent.book() == before
        with agent.running():
            until(lambda: agent.codes() == ["A1", "A2", "A3"], 60)
    found = agent.book()
    assert found is not None and found.revision > before.revision


def test_what_is_retained_goes_when_a_site_moves_or_is_a_room_no_more(
    broker: Mosquitto, ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    def look(number: int, topics: set[str]) -> dict[str, RoomBook]:
        # Whoever takes the lease looks at all rooms.
        with gateway(tmp_path / f"gateway{number}", broker, ledger_file):
            until(lambda: set(retained(broker)) == topics, 60)
        return retained(broker)

    put_stall(ledger, "A1")
    first = look(1, {HOME})[HOME]
    with writing(ledger) as conn:
        regions.add(conn, regions.Region(ELSEWHERE, "江海区", "Jianghai"))
        of = tables.sites.c.id == MARKET
        conn.execute(update(tables.sites).where(of).values(region=ELSEWHERE))
    moved = look(2, {AWAY})[AWAY]
    assert moved.revision > first.revision and moved.stalls == first.stalls
    with writing(ledger) as conn:
        retire(conn, "sites", MARKET, "wang", utc_now())
    assert look(3, set()) == {}
    with writing(ledger) as conn:
        bring_back(conn, "sites", MARKET, "wang", utc_now())
        bring_back(conn, "devices", f"{MARKET}/agent", "wang", utc_now())
    assert look(4, {AWAY})[AWAY].revision > moved.revision
