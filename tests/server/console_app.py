"""What the console's tests share: a clock to turn, settings, signing in as a browser does."""

import re
import warnings
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from console_places import PASSWORD

from ledger.settings import LedgerSettings
from server.passwords import Passwords
from server.settings import LiveSettings, ServerSettings
from timeseries.settings import SeriesSettings

with warnings.catch_warnings():
    # Starlette would rather have httpx2; the project is locked to httpx.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient

NOW = datetime(2026, 3, 12, 2, 45, tzinfo=UTC)
CHEAP = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


class Clock:
    """A clock that tests turn."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def settings(**changes: object) -> ServerSettings:
    told: dict[str, object] = {
        "ledger": LedgerSettings(url="sqlite:///ledger.sqlite"),
        "series": SeriesSettings(path="series.sqlite"),
        "public_base_url": "http://testserver",
        "live": LiveSettings(poll_s=0.02, heartbeat_s=0.3),
    }
    return ServerSettings(**(told | changes))  # type: ignore[arg-type]


def sign_in(client: TestClient, login: str, password: str = PASSWORD) -> int:
    """Go through the form as a browser does; returns the answer's status."""
    page = client.get("/signin")
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form is not None
    body = {"login": login, "password": password, "form": form[1], "next": "/alerts"}
    return client.post("/signin", data=body, follow_redirects=False).status_code


def csrf_of(client: TestClient) -> str:
    """The signed-in browser's CSRF token."""
    token: str = client.get("/api/v1/me").json()["csrf"]
    return token
