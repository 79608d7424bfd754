"""Asking the API as another city system does: a token for tests, and a client that sends it."""

from console_app import NOW, TestClient
from fastapi import FastAPI

from ledger import officers
from ledger.api_tokens import ApiToken
from ledger.engine import Engine, writing
from server import tokens
from server.scopes import SCOPES
from server.tokens import TokenWish


def make_token(
    engine: Engine,
    login: str = "shiju",
    scopes: tuple[str, ...] = tuple(SCOPES),
    region: str = "",
    days: int = 30,
) -> tuple[ApiToken, str]:
    """A token of this officer's, as of NOW."""
    with writing(engine) as conn:
        maker = officers.by_login(conn, login)
        assert maker is not None
        wish = TokenWish(f"系统 {login}", scopes, region or maker.region, days)
        return tokens.make(conn, maker, wish, NOW, longest_days=366)


def system(app: FastAPI, secret: str) -> TestClient:
    """A client of another system, with that token."""
    return TestClient(app, headers={"authorization": f"Bearer {secret}"})
