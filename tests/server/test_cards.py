"""Tests of taking a card back, on the page and by the API."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from console_app import NOW, TestClient

from ledger import alerts, audit, cards
from ledger.engine import Engine, reading, writing

FILE = "/establishments/tangxia-school"


@pytest.fixture
def card(engine: Engine, alert_ids: dict[str, str]) -> str:
    """A yellow card of the school."""
    with writing(engine) as conn:
        row = alerts.get(conn, alert_ids["hat"])
        assert row is not None
        given = cards.give(conn, row, "逾期未处置 / late", NOW, lasts=timedelta(days=90))
    assert given is not None
    return given.id


def test_an_officer_takes_a_card_back_and_it_stays_in_the_file(
    engine: Engine, as_officer: Callable[[str], TestClient], card: str
) -> None:
    client = as_officer("tangxia")
    csrf = client.get("/api/v1/me").json()["csrf"]
    assert f"/cards/{card}/annul" in client.get(FILE).text
    url = f"{FILE}/cards/{card}/annul"
    answer = client.post(url, data={"csrf": csrf, "note": "当时停电"}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{FILE}#cards")
    page = client.get(FILE).text
    assert "当时停电" in page and "/annul" not in page
    with reading(engine) as conn:
        kept = cards.get(conn, card)
        entry = audit.entries(conn, 1)[0]
    assert kept is not None and kept.annulled_by == "officer-tangxia"
    assert (entry.action, entry.subject) == ("card_annulled", f"card/{card}")
    again = client.post(f"/api/v1{url}", json={"note": "又一次"}, headers={"x-csrf-token": csrf})
    assert again.status_code == 200 and again.json()["annul_reason"] == "当时停电"


def test_a_card_is_taken_back_with_a_reason_and_where_it_belongs_only(
    as_officer: Callable[[str], TestClient], card: str
) -> None:
    client = as_officer("shiju")
    headers = {"x-csrf-token": client.get("/api/v1/me").json()["csrf"]}
    url = f"/api/v1{FILE}/cards/{card}/annul"
    for note in ("", "   "):
        assert client.post(url, json={"note": note}, headers=headers).status_code == 422
    other = url.replace("tangxia-school", "baisha-market")
    assert client.post(other, json={"note": "错"}, headers=headers).status_code == 404
    looker = as_officer("shenji")
    assert f"/cards/{card}/annul" not in looker.get(FILE).text
