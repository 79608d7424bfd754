"""Cases by the API: list, open, move, files, second officers; each refusal by its kind."""

from collections.abc import Callable
from typing import Any

import pytest
from console_app import TestClient, csrf_of
from upload_files import pdf, photo

from ledger.engine import Engine, reading
from ledger.schema import attachments

pytestmark = pytest.mark.slow

Enter = Callable[[str], TestClient]
URN = "urn:foodsentry:problem:"


@pytest.fixture
def baisha(as_officer: Enter) -> TestClient:
    return as_officer("baisha")


@pytest.fixture
def pengjiang(as_officer: Enter) -> TestClient:
    return as_officer("pengjiang")


def send(client: TestClient, path: str, body: Any = None, **more: Any) -> Any:
    head = {"x-csrf-token": csrf_of(client)}
    return client.post(f"/api/v1{path}", headers=head, json=body, **more)


def get(client: TestClient, path: str) -> Any:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code == 200
    return answer.json()


@pytest.mark.parametrize("size", [1, 3, 200])
def test_pages_join_to_the_whole_what_is_due_first(
    as_officer: Enter, case_ids: dict[str, str], size: int
) -> None:
    client, found, following = as_officer("shiju"), [], ""
    while True:
        page = get(client, f"/cases?limit={size}{following}")
        found += page["items"]
        if page["next"] is None:
            break
        following = f"&before={page['next']}"
    assert [one["case_id"] for one in found][:2] == [case_ids["inhand"], case_ids["lead"]]
    assert {one["case_id"] for one in found} == set(case_ids.values())
    assert get(client, "/cases?state=published")["items"][0]["outcome"] == "minor"
    wrong = client.get("/api/v1/cases?before=xyz")
    assert (wrong.status_code, wrong.json()["type"]) == (422, URN + "invalid-cursor")


def test_a_case_is_opened_moved_and_confirmed_by_another(
    baisha: TestClient, pengjiang: TestClient, alert_ids: dict[str, str]
) -> None:
    for body in ({}, {"alert_id": "a", "result_id": "b"}):
        assert send(baisha, "/cases", body).status_code == 422
    made = send(baisha, "/cases", {"alert_id": alert_ids["positive"]})
    assert made.status_code == 201
    assert send(baisha, "/cases", {"alert_id": alert_ids["positive"]}).status_code == 200
    key = made.json()["case_id"]
    whole = get(baisha, f"/cases/{key}")
    offers = {one["id"]: one for one in whole["moves"]}
    assert offers["verify"]["possible"] and offers["verify"]["needs"] == ["note", "second"]
    assert not offers["publish"]["possible"] and "state" in {
        one["code"] for one in offers["publish"]["why"]
    }
    clock = whole["clocks"][0]
    assert clock["state"] == "running" and clock["basis"][0]["zh"]
    asked = send(
        baisha, f"/cases/{key}/moves/verify",
        {"version": 1, "note": "核实", "second": "officer-pengjiang"},
    )  # fmt: skip
    assert asked.status_code == 202
    waiting = asked.json()["waiting"]
    assert waiting["move"] == "verify" and asked.json()["case"]["version"] == 1
    assert get(pengjiang, "/case-confirmations")["items"] == [waiting]
    assert get(baisha, "/case-confirmations")["items"] == []
    path = f"/cases/{key}/confirmations/{waiting['id']}"
    assert send(baisha, f"{path}/confirm").status_code == 404
    confirmed = send(pengjiang, f"{path}/confirm")
    assert confirmed.status_code == 200 and confirmed.json()["state"] == "filed"
    again = send(pengjiang, f"{path}/decline", {"note": "不"})
    assert (again.status_code, again.json()["type"]) == (409, URN + "confirmation-over")
    steps = get(baisha, f"/cases/{key}")["steps"]
    assert [one["move"] for one in steps] == ["opened", "verify"]
    assert steps[1]["second"] == "officer-pengjiang"


def test_each_refusal_has_its_kind_and_says_how_the_case_stands_now(
    baisha: TestClient, case_ids: dict[str, str]
) -> None:
    key = case_ids["inhand"]
    version = get(baisha, f"/cases/{key}")["version"]
    path = f"/cases/{key}/moves"
    told = send(baisha, f"{path}/stop_sale", {"version": version - 1, "note": "停"})
    assert (told.status_code, told.json()["type"]) == (409, URN + "case-changed")
    assert (told.json()["state"], told.json()["version"]) == ("disposing", version)
    told = send(baisha, f"{path}/publish", {"version": version})
    assert (told.status_code, told.json()["type"]) == (409, URN + "case-unready")
    assert len(told.json()["errors"]) > 1, "every reason"
    told = send(baisha, f"{path}/order_rectification", {"version": version, "note": "改正"})
    assert (told.status_code, told.json()["type"]) == (422, URN + "case-incomplete")
    assert "missing: a document, a deadline" in told.json()["detail"]
    body = {"version": version, "lab": "市检验所", "method": "rapid"}
    told = send(baisha, f"{path}/order_confirmation", body)
    assert told.status_code == 422 and "rapid method is barred" in told.json()["detail"]
    told = send(baisha, f"{path}/stop_sale", {"version": version, "note": "停", "files": ["none"]})
    assert told.status_code == 422 and "no such file" in told.json()["detail"]
    told = send(baisha, f"{path}/no_such_move", {"version": version})
    assert told.json()["type"] == URN + "case-unready"


def test_files_are_uploaded_used_and_fetched(
    baisha: TestClient, case_ids: dict[str, str], engine: Engine
) -> None:
    key = case_ids["inhand"]
    head = {"x-csrf-token": csrf_of(baisha)}

    def upload(*files: tuple[str, tuple[str, bytes]]) -> Any:
        return baisha.post(f"/api/v1/cases/{key}/files", headers=head, files=files)

    kept = upload(("photo", ("a.png", photo())), ("report", ("检验报告.pdf", pdf())))
    assert kept.status_code == 201
    shot, report = kept.json()["items"]
    assert (shot["kind"], shot["name"]) == ("photo", "a.png.jpg"), "named as what it is"
    assert (report["kind"], report["media_type"]) == ("report", "application/pdf")
    with reading(engine) as conn:
        before = len(conn.execute(attachments.select()).all())
    wrong = upload(("photo", ("b.jpg", photo()[:99])), ("report", ("c.pdf", b"<html>")))
    assert (wrong.status_code, wrong.json()["type"]) == (422, URN + "file-refused")
    assert ["“b.jpg”" in one["detail"] for one in wrong.json()["errors"]] == [True, False]
    assert upload(("other", ("d.jpg", photo()))).status_code == 422
    with reading(engine) as conn:
        assert len(conn.execute(attachments.select()).all()) == before
    version = get(baisha, f"/cases/{key}")["version"]
    moved = send(
        baisha, f"/cases/{key}/moves/stop_sale",
        {"version": version, "note": "停", "files": [shot["id"]]},
    )  # fmt: skip
    assert moved.status_code == 200 and moved.json()["waiting"] is None
    fetched = baisha.get(f"/api/v1/cases/{key}/files/{report['id']}")
    assert fetched.content == pdf() and fetched.headers["content-type"] == "application/pdf"
    assert fetched.headers["content-disposition"].startswith("attachment; ")
    whole = get(baisha, f"/cases/{key}")
    assert whole["steps"][-1]["files"] == [shot["id"]]
    assert report["id"] in {one["id"] for one in whole["files"]}
