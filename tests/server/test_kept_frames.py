"""Keeping a picture of a look: who may, what is written down, what its page and the file say."""

import hashlib
from collections.abc import Callable

import pytest
from api_client import make_token, system
from case_steps import of_alert
from console_app import NOW, Clock, TestClient, csrf_of, sign_in
from console_facts import key_of
from fastapi import FastAPI
from look_steps import CAMERA, trail
from upload_files import photo

from contracts.events import Evidence, Look, Observation
from contracts.looks import HELD_S, KEPT_KIND, kept_evidence, kept_observation
from contracts.words import OPEN_STATES, LookState, Phase
from edge_agent.custody.device_key import DeviceKey
from ledger import alerts, attachments, evidence, kept_frames, looks, observations
from ledger.engine import Engine, reading, writing

ASK = f"/kitchens/cameras/{CAMERA.site}/{CAMERA.device}/look"
KEY = key_of(CAMERA)
FOREIGN = DeviceKey("agent", bytes([9]) * 32, NOW)
JPEG = photo()
SHA256 = hashlib.sha256(JPEG).hexdigest()


def picture(clock: Clock, **changes: object) -> Evidence:
    told: dict[str, object] = {
        "evidence_id": "p", "media_type": "image/jpeg", "content": JPEG, "sha256": SHA256,
        "width": 80, "height": 60, "captured_at": clock(), "blurred": True,
    }  # fmt: skip
    return Evidence(**(told | changes))  # type: ignore[arg-type]


def show(engine: Engine, look_id: str, shown: Evidence, clock: Clock) -> None:
    told = Look(look_id, 1, LookState.LIVE, clock(), picture=shown)
    with writing(engine) as conn:
        assert looks.answered(conn, CAMERA, "agent", told, clock())


def looking(client: TestClient, engine: Engine, clock: Clock) -> str:
    """A look that shows a signed picture; its address."""
    body = {"csrf": csrf_of(client), "reason": "抽查一下"}
    where = client.post(ASK, data=body, follow_redirects=False).headers["location"]
    show(engine, where.rpartition("/")[2], KEY.sign(CAMERA, picture(clock)), clock)
    return str(where)


def keep(client: TestClient, where: str, reason: str = "地面积水", sha256: str = SHA256) -> int:
    body = {"csrf": csrf_of(client), "reason": reason, "sha256": sha256}
    return client.post(f"{where}/keep", data=body, follow_redirects=False).status_code


def arrive(engine: Engine, kept_id: str, clock: Clock) -> None:
    """The evidence comes over the outbox."""
    name, about = kept_evidence(CAMERA, kept_id), kept_observation(kept_id)
    made = picture(clock, evidence_id=name, observation_id=about, original_sha256="a" * 64)
    seen = Observation(
        observation_id=about, kind=KEPT_KIND, phase=Phase.CLOSED, started_at=clock(),
        ended_at=clock(), captured_at=clock(), reason="", evidence=(name,),
    )  # fmt: skip
    with writing(engine) as conn:
        observations.put(conn, CAMERA, seen, clock())
        evidence.put(conn, CAMERA, KEY.sign(CAMERA, made), clock(), agent="agent")


def kept_of(engine: Engine, where: str) -> kept_frames.KeptRow:
    with reading(engine) as conn:
        (row,) = kept_frames.of_look(conn, where.rpartition("/")[2])
    return row


def test_from_the_button_to_the_file_and_a_case(
    stranger: TestClient, engine: Engine, clock: Clock
) -> None:
    sign_in(stranger, "tangxia")
    where = looking(stranger, engine, clock)
    page = stranger.get(where).text
    assert f'value="{SHA256}"' in page and "签名有效" in page
    assert keep(stranger, where) == 303
    row = kept_of(engine, where)
    kept = f"/kitchens/kept/{row.kept_id}"
    assert ("look_kept", "officer-tangxia") in trail(engine)
    assert "等待现场" in stranger.get(where).text
    with writing(engine) as conn:
        answer = Look(row.kept_id, 1, LookState.KEPT, clock())
        assert kept_frames.answered(conn, CAMERA, answer, clock())
        assert not kept_frames.answered(conn, CAMERA, answer, clock()), "one answer"
    assert "现场已保存" in stranger.get(where).text
    arrive(engine, row.kept_id, clock)
    shown = stranger.get(kept).text
    for said in ("已入库", "签名有效", SHA256, "a" * 64, "地面积水"):
        assert said in shown, said
    assert stranger.get(f"/evidence/{CAMERA.site}/{row.evidence_id}").content == JPEG
    with reading(engine) as conn:
        seen = observations.get(conn, CAMERA, row.observation_id)
        assert seen is not None and seen.establishment_id is not None
        owner = seen.establishment_id
        found = alerts.list_in(conn, None, OPEN_STATES, 20, establishment_id=owner)
    assert kept in stranger.get(f"/establishments/{owner}/timeline?kind=observation").text
    assert kept in stranger.get(f"/establishments/{owner}").text
    with writing(engine) as conn:
        case = of_alert(conn, found[0].alert_id, "officer-tangxia", clock())
    body = {"csrf": csrf_of(stranger), "case_id": case.case_id}
    for _ in range(2):  # the second time it is there already
        added = stranger.post(f"{kept}/case", data=body, follow_redirects=False)
        assert added.status_code == 303, added.text
    with reading(engine) as conn:
        (file,) = attachments.of_case(conn, case.case_id)
    assert (file.sha256, file.kind) == (SHA256, "photo")
    assert f"/cases/{case.case_id}" in stranger.get(kept).text
    assert stranger.get(f"/cases/{case.case_id}").text.count(file.name) >= 1


def test_what_cannot_be_kept_says_why(stranger: TestClient, engine: Engine, clock: Clock) -> None:
    sign_in(stranger, "tangxia")
    where = looking(stranger, engine, clock)
    assert keep(stranger, where, reason="x") == 422
    assert keep(stranger, where, sha256="") == 422
    body = {"csrf": csrf_of(stranger), "reason": "写好的原因", "sha256": "z"}
    refused = stranger.post(f"{where}/keep", data=body)
    assert "没有指明" in refused.text and "写好的原因" in refused.text, "nothing is typed twice"
    assert [keep(stranger, where) for _ in range(6)] == [303] * 5 + [409]
    with reading(engine) as conn:
        first, second, *_ = kept_frames.of_look(conn, where.rpartition("/")[2])
    why = "现场已没有这一画面 / the site has this picture no more"
    with writing(engine) as conn:
        gone = Look(first.kept_id, 1, LookState.NOT_KEPT, clock(), why)
        assert kept_frames.answered(conn, CAMERA, gone, clock())
    assert "现场已没有这一画面" in stranger.get(f"/kitchens/kept/{first.kept_id}").text
    clock.forward(HELD_S + 1)
    assert "现场没有回应" in stranger.get(f"/kitchens/kept/{second.kept_id}").text
    late = stranger.post(f"{where}/keep", data=body | {"sha256": SHA256})
    assert (late.status_code, "不再留有" in late.text) == (409, True)


@pytest.mark.parametrize(("login", "status"), [("shiju", 303), ("xinhui", 404), ("shichang", 404)])
def test_only_within_sight(
    as_officer: Callable[[str], TestClient], engine: Engine, clock: Clock, login: str, status: int
) -> None:
    where = looking(as_officer("tangxia"), engine, clock)
    other = as_officer(login)
    if login == "shichang":  # the establishment's own people keep nothing
        status = 403
    assert keep(other, where) == status


@pytest.mark.parametrize(
    ("key", "changes", "says"),
    [
        (KEY, {}, "签名有效"),
        (FOREIGN, {}, "设备密钥未知"),
        (KEY, {"content": JPEG + b"x"}, "签名无效"),
        (KEY, {"captured_at": NOW}, "签名无效"),
        (KEY, {"signature": None}, "未签名"),
    ],
)
def test_a_look_says_what_its_signature_says(
    stranger: TestClient,
    engine: Engine,
    clock: Clock,
    key: DeviceKey,
    changes: dict[str, object],
    says: str,
) -> None:
    sign_in(stranger, "tangxia")
    clock.forward(60)
    body = {"csrf": csrf_of(stranger), "reason": "抽查一下"}
    where = stranger.post(ASK, data=body, follow_redirects=False).headers["location"]
    whole = key.sign(CAMERA, picture(clock))
    told = {name: getattr(whole, name) for name in whole.__struct_fields__} | changes
    show(engine, where.rpartition("/")[2], Evidence(**told), clock)
    assert says in stranger.get(where).text


def test_by_api_it_is_the_same(app: FastAPI, engine: Engine, clock: Clock) -> None:
    token, secret = make_token(engine, "shiju", ("kitchens:read", "kitchens:look"))
    client = system(app, secret)
    root = "/api/v1/kitchens"
    made = client.post(f"{root}/cameras/{CAMERA.site}/cam-1/looks", json={"reason": "联动抽查"})
    look_id = made.json()["id"]
    body = {"reason": "地面积水", "sha256": SHA256}
    early = client.post(f"{root}/looks/{look_id}/kept", json=body)
    assert (early.status_code, early.json()["type"]) == (409, "urn:foodsentry:problem:not-keepable")
    show(engine, look_id, KEY.sign(CAMERA, picture(clock)), clock)
    assert client.get(f"{root}/looks/{look_id}").json()["signature"] == "valid"
    kept = client.post(f"{root}/looks/{look_id}/kept", json=body)
    assert (kept.status_code, kept.json()["state"]) == (201, "waiting")
    kept_id = kept.json()["kept_id"]
    arrive(engine, kept_id, clock)
    told = client.get(f"{root}/kept/{kept_id}").json()
    assert (told["state"], told["signature"]) == ("stored", "valid")
    with reading(engine) as conn:
        row = kept_frames.get(conn, kept_id)
    assert row is not None and row.via == token.name
