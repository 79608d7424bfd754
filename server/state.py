"""What one console process has: settings, stores, words, clock, live hub; see `state_of`."""

from dataclasses import dataclass
from typing import Any, cast

from jinja2 import Environment
from starlette.requests import HTTPConnection

from contracts.casework_clocks import Casework
from contracts.causes import Cause
from contracts.clock import Clock
from contracts.products import Products
from ledger.engine import Engine
from ledger.indicator_data import IndicatorData
from server.languages import Words
from server.limit_lines import LimitLines
from server.live import Hub
from server.metrics import Metrics
from server.oidc import Provider
from server.passwords import Passwords
from server.public_kept import Kept
from server.rates import Rates
from server.rule_files import Packs
from server.settings import ServerSettings
from timeseries.port import SeriesStore


@dataclass(frozen=True, slots=True)
class State:
    """Put together by `create_app`, never changed after."""

    settings: ServerSettings
    engine: Engine
    series: SeriesStore
    clock: Clock
    words: dict[str, Words]
    environment: Environment
    assets: dict[str, str]
    """Logical name of a built file → its address."""
    passwords: Passwords
    limit_lines: LimitLines
    causes: dict[str, Cause]
    """What a verdict may name, by id."""
    casework: Casework
    """What cases go by: states, moves, clocks, legal bases, working calendar."""
    indicators: IndicatorData
    """Definitions of indicators, with the calendars that they rest on."""
    packs: Packs
    """The files that the city's judgement rests on, as they were when the process began."""
    products: Products
    """What a product's name means."""
    hub: Hub
    metrics: Metrics
    rates: Rates
    """How often each token may ask."""
    oidc: Provider | None
    """The identity provider, if single sign-on is set up."""
    change_rates: Rates
    """How often each session may change something."""
    public_files: Kept[Any]
    """The public files (`PublicFile`) of the places that were asked for last, by code."""
    public_misses: Rates
    """How often each address may ask for public pages that are none."""
    costly_rates: Rates
    """How often each session may ask for what costs much."""


def state_of(connection: HTTPConnection) -> State:
    """The state of the app that serves this request."""
    return cast(State, connection.app.state.console)
