"""Runs the console as a process: opens its stores, serves, and ends gracefully when told to."""

import asyncio
import contextlib
import logging
import socket
import threading
from pathlib import Path

import uvicorn

from contracts.clock import Clock, utc_now
from contracts.settings import read_secret
from ledger import migrate
from ledger.engine import Engine, LedgerDown
from server.app import casework_of, causes_of, create_app, indicators_of, lines_of
from server.rule_files import packs_of
from server.settings import ServerSettings
from server.state import State
from timeseries.settings import open_store

log = logging.getLogger(__name__)
GRACE_S = 5
"""Requests under way get so long to end; live streams are told to reconnect at once."""
LEDGER_RETRY_S = 2.0
_LOOK_S = 0.2


def run_server(
    settings: ServerSettings, settings_file: Path, stop: threading.Event, clock: Clock = utc_now
) -> int:
    """Serve until `stop` is set; returns the exit status.

    Raises SettingsError for settings that cannot be used, LedgerOutdated for a ledger whose tables
    are of another version. A ledger that is away at the start is waited for.
    """
    lines = lines_of(settings, settings_file.parent)
    causes = causes_of(settings, settings_file.parent)
    casework = casework_of(settings, settings_file.parent)
    indicators = indicators_of(settings, settings_file.parent)
    packs = packs_of(settings, settings_file.parent)
    secret = read_secret(
        settings.oidc.client_secret_file,
        "FOODSENTRY_OIDC_SECRET",
        f"{settings_file}: oidc.client_secret_file",
        base=settings_file.parent,
    )
    engine = settings.ledger.open(settings_file)
    series = open_store(settings.series, settings_file.parent)
    try:
        if not _await_ledger(engine, stop):
            return 0
        app = create_app(
            settings,
            engine,
            series,
            clock=clock,
            limit_lines=lines,
            causes=causes,
            casework=casework,
            packs=packs,
            indicators=indicators,
            oidc_secret=secret or "",
        )
        if not app.state.console.assets:
            log.warning("the console's assets are not built: run `python -m server.assets`")
        listening = _listen(settings)
        if listening is None:
            return 1
        host, port = listening.getsockname()[:2]
        log.info("console on http://%s:%s", host, port)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
            timeout_graceful_shutdown=GRACE_S,
            ws="none",
            lifespan="on",
        )
        with contextlib.closing(listening):
            asyncio.run(serve(uvicorn.Server(config), listening, app.state.console, stop))
    finally:
        series.close()
        engine.dispose()
    return 0


async def serve(
    server: uvicorn.Server, listening: socket.socket, state: State, stop: threading.Event
) -> None:
    """Serve on an open socket until `stop` is set; signals stay the caller's."""
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="uvicorn")
    while not (stop.is_set() or serving.done()):
        await asyncio.wait([serving], timeout=_LOOK_S)
    # Streams would otherwise hold the shutdown up until the grace is over.
    state.hub.close()
    server.should_exit = True
    await serving


def _listen(settings: ServerSettings) -> socket.socket | None:
    try:
        return socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=1024,
        )
    except OSError as error:
        log.error("cannot listen on %s:%s: %s", settings.host, settings.port, error.strerror)
        return None


def _await_ledger(engine: Engine, stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            migrate.check(engine)
        except LedgerDown as error:
            log.warning("the ledger cannot be reached, trying again: %s", error)
            stop.wait(LEDGER_RETRY_S)
        else:
            return True
    return False
