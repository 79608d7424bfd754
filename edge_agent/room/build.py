"""Puts a testing room together from the agent's settings."""

import time
from collections.abc import Callable
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

from contracts.clock import Clock
from contracts.foods import load_foods
from contracts.products import read_notes
from contracts.topics import Identity
from edge_agent.room.desk import Desk
from edge_agent.room.guidance import NextSteps, load_next_steps
from edge_agent.room.operators import Gate, read_operators, session_key
from edge_agent.room.server import Front, room_page
from edge_agent.room.settings import RoomSettings
from edge_agent.room.store import RoomStore
from edge_agent.room.worker import Exchange, Holding, RoomWorker

FILE = "room.sqlite"
KEY = "room.key"


class Room:
    """What the agent holds of its testing room; close it after its worker has ended."""

    def __init__(
        self,
        worker: RoomWorker,
        exchange: Exchange,
        store: RoomStore,
        desk: Desk,
        port: Callable[[], int],
    ) -> None:
        self.worker, self.exchange, self.store, self.desk = worker, exchange, store, desk
        self.port = port
        """The page's port, once the worker is ready."""

    def trouble(self) -> str:
        """What cannot be written, for the agent's status; empty if all can."""
        return self.store.failing or self.worker.trouble


def check_room(settings: RoomSettings, base: Path, configs: Path) -> NextSteps:
    """Read all that the settings name. Raises SettingsError."""
    operators = settings.checked(base)
    if operators is not None:
        read_operators(operators)
    file = base / settings.next_steps if settings.next_steps else configs / "rooms/next_steps.toml"
    return load_next_steps(file)


def build_room(
    settings: RoomSettings,
    agent: Identity,
    outbox: Holding,
    *,
    base: Path,
    state: Path,
    configs: Path,
    foods: Path,
    clock: Clock,
    connection: Callable[[], dict[str, Any]],
    wake_uplink: Callable[[], None],
) -> Room:
    """The room, not running yet. Raises SettingsError, OutboxError."""
    rules = check_room(settings, base, configs)
    notes = read_notes(configs / "rooms" / "matrix_notes.csv")
    zone = timezone(timedelta(hours=settings.utc_offset_h))
    store = RoomStore(state / FILE, clock().astimezone(zone))
    desk = Desk(store, settings, rules, notes, load_foods(foods), clock)
    gate = Gate(settings.checked(base), session_key(state / KEY), clock, time.monotonic)
    exchange = Exchange(desk, outbox, agent, clock)
    made: list[RoomWorker] = []
    front = Front(
        desk,
        gate,
        settings,
        clock,
        connection,
        wake=lambda: made[0].wake(),
        out_of_step=lambda: made[0].trouble,
    )
    page = room_page(front)
    worker = RoomWorker(exchange, page, wake_uplink)
    made.append(worker)
    return Room(worker, exchange, store, desk, lambda: page.port)
