"""The edge agent: joins outbox, uplink, instruments and cameras, and tells how they do."""

import logging
import queue
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from contracts.clock import Clock, utc_now
from contracts.events import Status
from contracts.topics import Channel
from contracts.words import DeviceState
from edge_agent.cameras.settings import located
from edge_agent.cameras.shadow.witness import Witness
from edge_agent.cameras.workers import camera_workers
from edge_agent.custody.custody import NO_CUSTODY, open_custody
from edge_agent.health import agent_status
from edge_agent.instruments.workers import instrument_workers
from edge_agent.looks.views import Views
from edge_agent.looks.worker import LookPost, Looks
from edge_agent.outbox.state import OutboxState
from edge_agent.outbox.store import Outbox
from edge_agent.ports import OutboxError, Sink, Worker
from edge_agent.preview.board import Board
from edge_agent.preview.server import Preview
from edge_agent.room.build import Room, build_room
from edge_agent.settings import CONFIGS, EdgeSettings, Places, endpoint, places
from edge_agent.sink import AgentSink
from edge_agent.supervisor import Supervisor
from edge_agent.uplink.clock_offset import ClockOffset
from edge_agent.uplink.courier import Courier
from edge_agent.uplink.state import UplinkState
from edge_agent.uplink.statuses import StatusBoard

logger = logging.getLogger(__name__)

JOIN_LIMIT_S = 2.5
_LOOK_S = 0.5


def software_version() -> str:
    """Name and version of this software."""
    try:
        return f"foodsentry {version('foodsentry')}"
    except PackageNotFoundError:
        return "foodsentry"


def device_workers(
    settings: EdgeSettings,
    where: Places,
    sink: Sink,
    clock: Clock,
    post: LookPost | None = None,
) -> list[Worker]:
    """A worker for each serial line and each camera; what is broken is left out and reported.

    With a `post`, the city may ask for looks.
    """
    who = settings.identity
    where.state.mkdir(parents=True, exist_ok=True)
    custody = (
        open_custody(settings.vault, who.device, base=where.base, state=where.state, clock=clock)
        if settings.cameras
        else NO_CUSTODY
    )
    board, views = Board(), Views()
    witnesses: list[Witness] = [board] if settings.preview.port else []
    looks = None
    if post is not None and settings.cameras:
        witnesses.append(views)
        devices = [one.device for one in settings.cameras]
        looks = Looks(settings.looks, who, devices, views, custody, where.state, post, clock=clock)
    workers = [
        *instrument_workers(
            settings.instruments,
            who,
            sink,
            profiles_dir=where.profiles,
            limits_dir=where.limits,
            foods_dir=where.foods,
            state_dir=where.state,
            clock=clock,
        ),
        *camera_workers(
            [located(camera, where.base) for camera in settings.cameras],
            who,
            sink,
            models_dir=where.models,
            scenes_dir=where.scenes,
            state_dir=where.state,
            custody=custody,
            clock=clock,
            witnesses=witnesses,
        ),
    ]
    if settings.preview.port:
        scenes = {one.device: where.scenes / f"{one.scene}.toml" for one in settings.cameras}
        password = settings.preview.password(where.base)
        looked = looks.newest if looks else None
        workers.append(Preview(settings.preview, password, board, scenes, clock, looked=looked))
    if looks is not None:
        workers.append(looks)
    return workers


def _room(
    settings: EdgeSettings,
    where: Places,
    outbox: Outbox,
    uplink: Callable[[], UplinkState],
    wake: Callable[[], None],
    clock: Clock,
) -> Room:
    def connection() -> dict[str, Any]:
        now = uplink()
        return {"connected": now.connected, "since": now.since, "unheard": now.unheard}

    return build_room(
        settings.room,
        settings.identity,
        outbox,
        base=where.base,
        state=where.state,
        configs=CONFIGS,
        foods=where.foods,
        clock=clock,
        connection=connection,
        wake_uplink=wake,
    )


MakeWorkers = Callable[[EdgeSettings, Places, Sink, Clock], list[Worker]]


def run_agent(
    settings: EdgeSettings,
    settings_file: Path,
    stop: threading.Event,
    clock: Clock = utc_now,
    make_workers: MakeWorkers | None = None,
) -> None:
    """Run until `stop` is set; ends within three seconds of that.

    Raises SettingsError for files that the settings name wrongly, OutboxError if there is no
    outbox: without one, nothing that an instrument says could be acknowledged.
    """
    where = places(settings, settings_file)
    who = settings.identity
    software = software_version()
    target = endpoint(settings, settings_file)
    offset = ClockOffset(clock, time.monotonic)
    max_bytes = settings.outbox.max_mb << 20
    with Outbox(
        where.outbox,
        who,
        clock,
        max_bytes=max_bytes,
        quarantine_bytes=settings.outbox.quarantine_mb << 20,
        clock_offset_ms=lambda: round((offset.seconds() or 0.0) * 1000),
        overheard_kinds=frozenset({Channel.TESTS.value} if settings.room.port else ()),
    ) as outbox:
        statuses = StatusBoard(time.monotonic)
        woken: list[Callable[[], None]] = []

        def wake() -> None:
            for one in woken:
                one()

        room = None
        if settings.room.port:
            room = _room(settings, where, outbox, lambda: courier.state, wake, clock)
        orders: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        courier = Courier(
            who,
            target,
            settings.uplink,
            outbox,
            statuses,
            clock,
            offset,
            software,
            on_room=room.exchange.take_room_message if room else None,
            on_order=orders.put,
        )
        woken += [courier.wake, *([room.worker.wake] if room else [])]
        sink = AgentSink(outbox, statuses, wake)
        devices = {one.device for one in settings.instruments}
        devices |= {one.device for one in settings.cameras}

        def failed(name: str, problem: str) -> None:
            if name in devices:
                detail = f"its worker failed: {problem}"
                sink.report(who.sibling(name), Status(DeviceState.UNKNOWN, clock(), detail))

        post = LookPost(
            orders,
            courier.asides.put,
            lambda: clock() - timedelta(seconds=offset.seconds() or 0.0),
            sink.put,
        )
        if make_workers is None:
            workers = device_workers(settings, where, sink, clock, post)
        else:
            workers = make_workers(settings, where, sink, clock)
        pages = [room.worker] if room else []
        supervisor = Supervisor([courier, *pages, *workers], failed)

        def health() -> Status:
            found: OutboxState | str
            try:
                found = outbox.state()
            except OutboxError as error:
                found = str(error)
            return agent_status(
                clock(),
                found,
                courier.state,
                supervisor.states(),
                max_bytes=max_bytes,
                clock_offset_s=offset.seconds(),
                room=room.trouble() if room else "",
                software=software,
            )

        logger.info("agent %s: %d workers, outbox %s", who.source, len(workers), where.outbox)
        statuses.report(who, health(), always=True)
        supervisor.start(stop)
        said, said_at = "", time.monotonic()
        while not stop.wait(_LOOK_S):
            status = health()
            words = f"{status.state} {status.detail}"
            if words != said or time.monotonic() - said_at >= settings.health.every_s:
                said, said_at = words, time.monotonic()
                statuses.report(who, status, always=True)
                courier.wake()
        courier.wake()
        late = supervisor.join(JOIN_LIMIT_S)
        if late:
            logger.error("agent %s: did not end in time: %s", who.source, ", ".join(late))
        if room and not late:
            room.store.close()
    logger.info("agent %s: stopped", who.source)
