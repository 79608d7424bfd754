"""Puts the console together: `create_app` makes the ASGI application from settings and stores."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from contracts.casework_clocks import Casework
from contracts.casework_file import FOLDER, read_casework
from contracts.causes import FILE as CAUSES
from contracts.causes import Cause, load_causes
from contracts.clock import Clock, utc_now
from contracts.indicators import FOLDER as INDICATORS
from contracts.products import Products
from contracts.workdays import Calendar
from ledger.engine import Engine
from ledger.indicator_data import TERMS, IndicatorData, read_data
from server import problems
from server.api_bodies import ApiBodies
from server.api_document import document, operation_id, takes_form
from server.bodies import BodyLimit, most_bytes
from server.languages import load_words
from server.limit_lines import LIMITS, RULES, LimitLines, read_limit_lines
from server.live import Hub
from server.metrics import Measured, Metrics
from server.oidc import Provider
from server.pages import load_assets, make_environment
from server.passwords import Passwords
from server.public_kept import Kept
from server.rates import Rates
from server.routes import (
    admin,
    admin_files,
    admin_rules,
    alert_moves,
    alerts,
    answers,
    api,
    api_admin,
    api_bulk,
    api_cases,
    api_indicators,
    api_kitchens,
    api_moves,
    api_push,
    api_tasks,
    api_webhooks,
    api_worth,
    audit,
    cards,
    case_files,
    cases,
    connect,
    crossings,
    desk,
    devices,
    doors,
    establishments,
    evidence,
    health,
    history,
    indicators,
    kept_frames,
    kitchens,
    looks,
    notifications,
    own,
    people,
    public,
    public_codes,
    pwa,
    results,
    rooms,
    silences,
    single_sign_on,
    tasks,
    trace,
    welcome,
    worth,
)
from server.rule_files import Packs, read_packs
from server.security import SecurityHeaders
from server.settings import ServerSettings
from server.state import State
from server.streams import Rows
from timeseries.port import SeriesStore

CALENDARS = FOLDER.parent / "calendars"
PUBLIC_KEPT = 2000
"""Places whose public page a process remembers for when the ledger is away."""
STATIC = Path(__file__).parent / "static"
ROUTES = (
    doors,
    single_sign_on,
    desk,
    alerts,
    alert_moves,
    answers,
    cases,
    case_files,
    results,
    establishments,
    cards,
    kitchens,
    looks,
    kept_frames,
    history,
    crossings,
    public_codes,
    devices,
    tasks,
    rooms,
    trace,
    notifications,
    silences,
    worth,
    indicators,
    admin_rules,
    admin_files,
    admin,
    evidence,
    own,
    people,
    audit,
    welcome,
    public,
    pwa,
    health,
    api,
    api_bulk,
    api_cases,
    api_moves,
    api_push,
    api_tasks,
    api_worth,
    api_indicators,
    api_kitchens,
    api_webhooks,
    connect,
    api_admin,
)
TAGS = [
    {"name": "session", "description": "Who is signed in."},
    {"name": "alerts", "description": "预警: leads that people review, acknowledge and close."},
    {"name": "cases", "description": "处置单: from the lead to the publication."},
    {"name": "establishments", "description": "经营主体."},
    {"name": "results", "description": "快检结果, each with the bytes it was read from."},
    {"name": "tasks", "description": "快检任务: who tests what, where, how many, by when."},
    {"name": "kitchens", "description": "明厨亮灶: cameras, what was proven live, looks."},
    {"name": "devices", "description": "Devices and their health."},
    {"name": "notifications", "description": "Who was told of what, and by which channel."},
    {"name": "silences", "description": "What hides messages (never alerts), and until when."},
    {"name": "webhooks", "description": "Other systems that are told of what happens."},
    {"name": "worth", "description": "What alerts were worth, and what is proposed for it."},
    {"name": "indicators", "description": "指标: numbers of a region, and their records."},
    {"name": "administration", "description": "Places, devices, rosters and contacts, kept."},
]
_DESCRIPTION = (
    "Everything is limited to the signed-in officer's region and what lies below it; whatever lies "
    "outside is answered as not found. Errors are problem details (RFC 9457). Times are UTC."
)


def routes() -> list[APIRoute]:
    """Every route of the console."""
    found = (route for module in ROUTES for route in module.router.routes)
    return [route for route in found if isinstance(route, APIRoute)]


class HashedFiles(StaticFiles):
    """Static files; the built ones carry a hash in their name and are kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        built = path.startswith("vendor/") and answer.status_code in (200, 304)
        age = "public, max-age=31536000, immutable" if built else "public, max-age=3600"
        answer.headers["cache-control"] = age
        return answer


def create_app(
    settings: ServerSettings,
    engine: Engine,
    series: SeriesStore,
    *,
    clock: Clock = utc_now,
    passwords: Passwords | None = None,
    limit_lines: LimitLines | None = None,
    causes: dict[str, Cause] | None = None,
    oidc_secret: str = "",
    casework: Casework | None = None,
    packs: Packs | None = None,
    indicators: IndicatorData | None = None,
) -> FastAPI:
    """The console over an open ledger and time-series store, which stay the caller's to close.

    Raises SettingsError if the rule, limit or cause files cannot be read.
    """
    metrics = Metrics()
    hub = Hub(engine, settings.live, metrics)
    state = State(
        settings=settings,
        engine=engine,
        series=series,
        clock=clock,
        words=load_words(),
        environment=make_environment(),
        assets=load_assets(),
        passwords=passwords or Passwords(),
        limit_lines=limit_lines or read_limit_lines(),
        causes=causes or load_causes(),
        casework=casework or casework_of(settings, Path()),
        indicators=indicators or indicators_of(settings, Path()),
        packs=packs or read_packs(),
        products=Products(),
        hub=hub,
        metrics=metrics,
        rates=Rates(settings.api.per_minute, settings.api.burst),
        oidc=Provider(settings.oidc, oidc_secret) if settings.oidc.issuer else None,
        change_rates=Rates(settings.rates.changes_per_minute, settings.rates.changes_at_once),
        public_files=Kept(PUBLIC_KEPT),
        public_misses=Rates(settings.rates.public_misses_per_minute, settings.rates.public_misses),
        costly_rates=Rates(settings.rates.costly_per_minute, settings.rates.costly_at_once),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(hub.follow(), name="journal follower")
        try:
            yield
        finally:
            hub.close()
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    every = routes()
    app = FastAPI(
        title="FoodSentry 邑食无忧",
        version="1",
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        openapi_tags=TAGS,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
        lifespan=lifespan,
    )
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    app.state.console = state
    app.state.rows = Rows(state)
    problems.install(app, every)
    for module in ROUTES:
        app.include_router(module.router)
    app.mount("/static", HashedFiles(directory=STATIC), name="static")
    app.add_middleware(
        ApiBodies, most_bytes=settings.api.body_kb * 1024, takes_form=takes_form(every)
    )
    app.add_middleware(BodyLimit, most=lambda path: most_bytes(settings, path))
    app.add_middleware(SecurityHeaders, secure=settings.secure)
    app.add_middleware(Measured, metrics=metrics)
    return app


def lines_of(settings: ServerSettings, base: Path) -> LimitLines:
    """The limit lines of the files that the settings name. Raises SettingsError."""
    rules = base / settings.rules if settings.rules else RULES
    limits = base / settings.limits if settings.limits else LIMITS
    return read_limit_lines(rules, limits)


def casework_of(settings: ServerSettings, base: Path) -> Casework:
    """Casework's data and the working calendar that the settings name. Raises SettingsError."""
    casework = base / settings.casework if settings.casework else FOLDER
    calendars = base / settings.calendars if settings.calendars else CALENDARS
    return Casework(read_casework(casework), Calendar.read(calendars))


def indicators_of(settings: ServerSettings, base: Path) -> IndicatorData:
    """Definitions of indicators as the settings name them. Raises SettingsError."""
    folder = base / settings.indicators if settings.indicators else INDICATORS
    calendars = base / settings.calendars if settings.calendars else CALENDARS
    terms = (base / settings.limits).parent / TERMS.name if settings.limits else TERMS
    return read_data(folder, calendars, terms if terms.exists() else TERMS)


def causes_of(settings: ServerSettings, base: Path) -> dict[str, Cause]:
    """The causes of the file that the settings name. Raises SettingsError."""
    return load_causes(base / settings.causes if settings.causes else CAUSES)
