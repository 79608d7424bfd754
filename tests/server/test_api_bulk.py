"""Many alerts taken on by one request of the API: each answered by itself, as on the desk."""

from collections.abc import Callable

import pytest
from console_app import TestClient, csrf_of

from ledger import alerts, audit
from ledger.engine import Engine, reading

pytestmark = pytest.mark.slow
PATH = "/api/v1/alerts/bulk/acknowledge"


def test_each_alert_has_its_answer(
    as_officer: Callable[[str], TestClient], engine: Engine, alert_ids: dict[str, str]
) -> None:
    town = as_officer("tangxia")
    head = {"x-csrf-token": csrf_of(town)}
    asked = [alert_ids["cold"], alert_ids["positive"], "nothing", alert_ids["cold"]]

    def post(client: TestClient, ids: list[str]) -> list[tuple[str, str]]:
        answer = client.post(PATH, json={"alert_ids": ids}, headers=head)
        assert answer.status_code == 200
        return [(one["alert_id"], one["outcome"]) for one in answer.json()["answers"]]

    # The positive is another town's: to this officer it does not exist.
    gone = [(alert_ids["positive"], "gone"), ("nothing", "gone")]
    assert post(town, asked) == [(alert_ids["cold"], "done"), *gone]
    assert post(town, asked) == [(alert_ids["cold"], "already"), *gone]
    county = as_officer("pengjiang")
    head = {"x-csrf-token": csrf_of(county)}
    (one,) = county.post(
        PATH, json={"alert_ids": [alert_ids["older"]]}, headers=head
    ).json()["answers"]  # fmt: skip
    assert one["outcome"] in ("refused", "already") and one["alert"]["state"] == "closed"
    with reading(engine) as conn:
        row = alerts.get(conn, alert_ids["cold"])
        booked = [
            each for each in audit.entries(conn, limit=100)
            if each.action == "alert_acknowledged" and each.subject.endswith(alert_ids["cold"])
        ]  # fmt: skip
    assert row is not None and row.acknowledged_by == "officer-tangxia"
    assert len(booked) == 1
    assert county.post(PATH, json={"alert_ids": []}, headers=head).status_code == 422
    many = [f"a{n}" for n in range(201)]
    assert county.post(PATH, json={"alert_ids": many}, headers=head).status_code == 422


def test_an_operator_takes_nothing_on(
    as_officer: Callable[[str], TestClient], alert_ids: dict[str, str]
) -> None:
    stall = as_officer("shichang")
    head = {"x-csrf-token": csrf_of(stall)}
    asked = {"alert_ids": [alert_ids["positive"]]}
    assert stall.post(PATH, json=asked, headers=head).status_code == 403
