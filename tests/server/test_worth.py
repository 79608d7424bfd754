"""Notifications, silences, scorecards and proposals: what pages and API say, and what they do."""

import base64
import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from console_app import NOW, TestClient, csrf_of
from console_places import CANTEEN
from test_pages import shown

from contracts.words import Severity
from ledger import alerts, audit, proposals, rule_modes, silences
from ledger.engine import Engine, reading
from ledger.proposals import ProposalState

pytestmark = pytest.mark.slow

Enter = Callable[[str], TestClient]
WHEN = {"ends": "2026-03-12T18:45", "reason": "冷库检修"}


@pytest.fixture
def town(built_weeks: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """A copy for one test, in place of the town without."""
    folder = tmp_path / "town"
    shutil.copytree(built_weeks[0], folder)
    return folder


@pytest.fixture
def ids(built_weeks: tuple[Path, dict[str, str]]) -> dict[str, str]:
    return built_weeks[1]


def send(client: TestClient, path: str, **body: object) -> int:
    """Press a button without script."""
    told = {"csrf": csrf_of(client)} | body
    return client.post(path, data=told, follow_redirects=False).status_code


def test_a_scorecard_is_counted_and_each_number_opens_its_alerts(
    as_officer: Enter, ids: dict[str, str]
) -> None:
    client = as_officer("tangxia")
    page = client.get("/worth").text
    assert "疑似鼠类活动" in page and "2–43 %" in page
    cards = {one["rule"]: one for one in client.get("/api/v1/scorecards").json()["items"]}
    rats = cards["rodent"]
    assert (rats["raised"], rats["judged"], rats["true"], rats["false"]) == (9, 9, 1, 8)
    assert rats["causes"] == {"cat": 6, "steam": 2}
    assert rats["precision"]["high"] == pytest.approx(0.435, abs=0.001)
    for said in ("true", "false", "unsure", "judged", ""):
        counted = rats["raised"] if not said else rats[said]
        found = client.get(f"/api/v1/scorecards/alerts?rule=rodent&said={said}&limit=200").json()
        assert len(found["items"]) == counted
        listed = client.get(f"/worth/alerts?days=30&rule=rodent&said={said}").text
        assert listed.count('<article class="alert"') == counted
    (own,) = client.get("/api/v1/scorecards?rule=rodent").json()["items"]
    assert (own["site"], own["model"]) == (CANTEEN.site, "pests 1")
    assert own["camera_days"] == pytest.approx(80.0), "two cameras for 30 days, one for 20"


def test_every_link_of_the_page_leads_somewhere(as_officer: Enter) -> None:
    client = as_officer("tangxia")
    links = set(re.findall(r'href="(/worth[^"]*)"', client.get("/worth?days=90").text))
    assert len(links) > 12
    for link in links:
        assert client.get(link.replace("&amp;", "&")).status_code == 200, link
    assert client.get("/worth?days=31").status_code == 422


def test_scorecards_keep_to_the_scope(as_officer: Enter, ids: dict[str, str]) -> None:
    assert "rodent" not in as_officer("xinhui").get("/worth").text
    assert as_officer("baisha").get("/api/v1/scorecards?rule=rodent").json()["items"] == []
    assert as_officer("baisha").get("/api/v1/proposals").json()["items"] == []
    assert as_officer("shichang").get("/worth").status_code == 200


def test_a_proposal_shows_its_effect_and_only_a_person_makes_it_so(
    as_officer: Enter, ids: dict[str, str], engine: Engine
) -> None:
    client, key = as_officer("tangxia"), ids["proposal"]
    page = shown(client.get(f"/worth/proposals/{key}").text)
    assert "会隐藏 9 条的通知：属实 1，误报 8，未核实 0" in page
    first = re.search(r"(属实|误报) 棠下中学食堂", page)
    assert first is not None and first[1] == "属实", "right ones first"
    with reading(engine) as conn:
        assert all(one.id != key and one.author for one in silences.active(conn, NOW))
        before = len(silences.active(conn, NOW))
    for days in (0, 31):
        assert send(client, f"/worth/proposals/{key}/accept", days=days) == 422
    assert send(client, f"/worth/proposals/{key}/accept", days=7, note="调整机位前") == 303
    assert send(client, f"/worth/proposals/{key}/accept", days=7) == 409
    with reading(engine) as conn:
        now_active = silences.active(conn, NOW)
        (made,) = [one for one in now_active if one.matchers.rule == "rodent"]
        told = proposals.get(conn, key)
        rat = alerts.get(conn, ids["rat"])
        newest = audit.entries(conn, 1)[0]
        assert rule_modes.active(conn, NOW) == []
    assert len(now_active) == before + 1
    assert told is not None and told.state is ProposalState.ACCEPTED and told.made == made.id
    assert (made.author, made.ends_at) == ("officer-tangxia", NOW + timedelta(days=7))
    assert rat is not None and made.hides(rat, NOW)
    assert newest.action == "proposal_accepted"
    assert "已采纳" in client.get("/worth").text


def test_a_declined_proposal_is_gone(as_officer: Enter, ids: dict[str, str]) -> None:
    client = as_officer("tangxia")
    head = {"x-csrf-token": csrf_of(client)}
    path = f"/api/v1/proposals/{ids['proposal']}"
    told = client.post(f"{path}/decline", headers=head, json={"note": "先看看"}).json()
    assert (told["state"], told["decided_by"]) == ("declined", "officer-tangxia")
    assert client.post(f"{path}/accept", headers=head, json={"days": 3}).status_code == 409
    assert client.get("/api/v1/proposals").json()["items"] == []
    assert as_officer("shenji").get("/worth").text.count("先看看") == 1
    assert send(as_officer("shenji"), f"/worth/proposals/{ids['proposal']}/decline") == 403


def test_a_silence_says_before_what_it_would_hide(as_officer: Enter, ids: dict[str, str]) -> None:
    client = as_officer("tangxia")
    told = shown(client.get("/silences/preview?rule=rodent").text)
    assert "会隐藏 9 条" in told and "属实 1 条，误报 8 条，未核实 0 条" in told
    assert told.index("属实 疑似鼠类") < told.index("误报 疑似鼠类")
    # Class 1 is told all the same, and said so.
    told = shown(as_officer("baisha").get("/silences/preview?rule=pesticide_*").text)
    assert "会隐藏 1 条" in told and "另有一级预警 2 条照常通知" in told
    # What lies elsewhere is neither counted nor shown.
    assert "会隐藏 0 条" in as_officer("baisha").get("/silences/preview?rule=rodent").text
    assert client.get("/silences/preview?region=440703-baisha").status_code == 404
    assert client.get("/silences/preview?site=baisha-room").status_code == 404


def test_a_silence_begins_within_ones_region_and_ends_early(
    as_officer: Enter, ids: dict[str, str], engine: Engine
) -> None:
    client = as_officer("tangxia")
    assert send(client, "/silences", rule="cold_store_warm", site=CANTEEN.site, **WHEN) == 303
    with reading(engine) as conn:
        (made,) = [one for one in silences.active(conn, NOW) if one.reason == "冷库检修"]
        entry = audit.entries(conn, 1)[0]
    assert made.matchers.region == "440703-tangxia", "never wider than the officer's region"
    assert (made.ends_at, made.author) == (NOW + timedelta(hours=8), "officer-tangxia")
    assert entry.action == "silence_made" and "cold_store_warm" in entry.detail
    assert "冷库检修" in client.get("/silences").text
    assert "冷库检修" not in as_officer("baisha").get("/silences").text
    assert send(as_officer("baisha"), f"/silences/{made.id}/end") == 404
    assert send(as_officer("pengjiang"), f"/silences/{made.id}/end") == 303
    with reading(engine) as conn:
        assert made.id not in [one.id for one in silences.active(conn, NOW)]
        assert audit.entries(conn, 1)[0].action == "silence_ended"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"region": "440703-baisha"}, 404),
        ({"site": "xh-van-1"}, 404),
        ({"ends": "2026-03-12T10:45"}, 422),
        ({"ends": "2026-04-20T10:45"}, 422),
        ({"ends": "soon"}, 422),
        ({"reason": "  "}, 422),
        ({"class_1": "yes"}, 422),
        ({"kind": "maintenance", "class_1": "yes"}, 303),
    ],
)
def test_what_may_not_be_silenced(
    as_officer: Enter, ids: dict[str, str], engine: Engine, body: dict[str, str], status: int
) -> None:
    client = as_officer("tangxia")
    assert send(client, "/silences", **({"rule": "no_hat"} | WHEN | body)) == status
    with reading(engine) as conn:
        made = [one for one in silences.active(conn, NOW) if one.reason == "冷库检修"]
    assert len(made) == (status == 303)
    assert all(one.includes_class_1 and one.kind == "maintenance" for one in made)


def test_a_silence_from_above_is_seen_and_not_ended(as_officer: Enter, ids: dict[str, str]) -> None:
    town = as_officer("tangxia")
    text = shown(town.get("/silences").text)
    assert "全市网络割接" in text and "上级设置" in text and "演练" in text
    assert "演练" not in as_officer("xinhui").get("/silences").text
    assert send(town, "/silences/city/end") == 404
    assert send(as_officer("shiju"), "/silences/city/end") == 303
    auditor = as_officer("shenji")
    assert "演练" in auditor.get("/silences").text
    assert "<form" not in auditor.get("/silences").text.partition("<main")[2]
    assert send(auditor, "/silences", rule="no_hat", **WHEN) == 403


def test_the_api_silences_likewise(as_officer: Enter, ids: dict[str, str]) -> None:
    client = as_officer("tangxia")
    head = {"x-csrf-token": csrf_of(client)}
    body = {"rule": "rodent", "ends_at": "2026-03-13T02:45:00Z", "reason": "调整机位"}
    told = client.post("/api/v1/silences/preview", headers=head, json=body).json()
    assert (told["hidden"], told["true"], len(told["alert_ids"])) == (9, 1, 9)
    made = client.post("/api/v1/silences", headers=head, json=body).json()
    assert made["region"] == "440703-tangxia" and made["ends_at"].startswith("2026-03-13T02:45")
    listed = client.get("/api/v1/silences").json()["items"]
    assert {"defrost", "city", made["id"]} == {one["id"] for one in listed}
    path = f"/api/v1/silences/{made['id']}/end"
    assert client.post(path, headers=head).status_code == 200
    assert client.post(path, headers=head).status_code == 409
    refused = client.post("/api/v1/silences", headers=head, json=body | {"severity": [1]})
    assert refused.json()["type"] == "urn:foodsentry:problem:silence-refused"
    bare = client.post(
        "/api/v1/silences", headers=head, json=body | {"ends_at": "2026-03-13T02:45"}
    )
    assert bare.status_code == 422
    over = client.get("/api/v1/silences?ended=true").json()["items"]
    assert {one["id"] for one in over} == {"over", made["id"]}


def test_the_journal_says_who_was_told_and_what_was_held(
    as_officer: Enter, ids: dict[str, str]
) -> None:
    client = as_officer("pengjiang")
    text = shown(client.get("/notifications").text)
    assert "企业微信应答 HTTP 500" in text and "超出当日额度" in text
    held = client.get("/api/v1/notifications?state=held").json()["items"]
    assert {one["recipient"] for one in held} == {"officer-pengjiang", "officer-tangxia"}
    own = client.get("/notifications?officer=officer-baisha&state=sent").text
    assert "农药残留快检阳性" in own and "转入汇总</span>" not in own.partition("<table")[2]
    assert "这一天没有通知" in client.get("/notifications?day=2026-01-01").text
    assert client.get("/notifications?day=never").status_code == 422
    # The establishment's people see what they themselves were told: nothing of this.
    operator = as_officer("shichang").get("/notifications").text
    assert "农药残留快检阳性" not in operator and "黄嘉敏" not in operator
    first = client.get("/api/v1/notifications?limit=2").json()
    rest = client.get(f"/api/v1/notifications?limit=200&before={first['next']}").json()["items"]
    whole = client.get("/api/v1/notifications?limit=200").json()["items"]
    assert [*first["items"], *rest] == whole


def test_weeks_are_counted_and_drawn(as_officer: Enter, ids: dict[str, str]) -> None:
    client = as_officer("shiju")
    told = client.get("/api/v1/alert-times").json()["items"]
    assert len(told) == 12 and told[-1]["week"].startswith("2026-03-0")
    for figure in ("notify", "acknowledge", "dispose"):
        drawn = client.get(f"/worth/chart?figure={figure}").json()
        assert drawn["filled"] and len(drawn["weeks"]) == 12 and len(drawn["series"]) == 2
        pairs = zip(*(one["points"] for one in drawn["series"]), strict=True)
        assert all(middle <= nine for middle, nine in pairs if middle is not None)
        assert sum(drawn["counts"]) > 20
    drawn = client.get("/worth/chart?figure=channels").json()
    names = {one["name"] for one in drawn["series"]}
    assert {"企业微信", "短信", "转入汇总", "未送达"} <= names
    assert client.get("/worth/chart?figure=weather").status_code == 422
    empty = as_officer("xinhui").get("/worth/chart?figure=notify").json()
    assert sum(empty["counts"]) <= 1


def _key(size: int) -> str:
    return base64.urlsafe_b64encode(b"\4" + bytes(size - 1)).rstrip(b"=").decode()


def test_a_browser_takes_push_for_its_own_officer(as_officer: Enter, ids: dict[str, str]) -> None:
    client, other = as_officer("shichang"), as_officer("baisha")
    body = {
        "endpoint": "https://push.example/one",
        "keys": {"p256dh": _key(65), "auth": _key(16)},
        "browser": "Chrome, Android",
    }
    path = "/api/v1/push-subscriptions"
    assert client.post(path, json=body).status_code == 403, "no CSRF token"
    head = {"x-csrf-token": csrf_of(client)}
    made = client.post(path, headers=head, json=body).json()
    assert [one["id"] for one in client.get(path).json()["items"]] == [made["id"]]
    assert "Chrome, Android" in client.get("/notifications").text
    assert "push.example" not in client.get("/notifications").text
    for wrong in ({"endpoint": "http://push.example/x"}, {"keys": {"p256dh": "AA", "auth": "AA"}}):
        assert client.post(path, headers=head, json=body | wrong).status_code == 422
    head_of_other = {"x-csrf-token": csrf_of(other)}
    gone = other.request("DELETE", f"{path}/{made['id']}", headers=head_of_other)
    assert gone.status_code == 404, "somebody else's"
    left = client.request("DELETE", f"{path}/{made['id']}", headers=head)
    assert left.json()["items"] == []


def test_the_worker_is_served_at_the_root_if_it_was_built(
    stranger: TestClient, app_assets: dict[str, str]
) -> None:
    answer = stranger.get("/push-worker.js")
    if "worker.js" in app_assets:
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "no-cache"
        assert "showNotification" in answer.text
    else:
        assert answer.status_code == 404


@pytest.fixture
def app_assets(app: object) -> dict[str, str]:
    assets: dict[str, str] = app.state.console.assets  # type: ignore[attr-defined]
    return assets


def test_class_1_is_in_no_proposal_and_no_silence_hides_it(
    as_officer: Enter, ids: dict[str, str], engine: Engine
) -> None:
    client, key = as_officer("baisha"), ids["positive"]
    for number in range(8):
        said = "false:instrument_fault" if number % 2 else "unsure"
        assert send(client, f"/alerts/{key}/verdict", said=said) == 303
    assert client.get("/api/v1/proposals").json()["items"] == []
    assert send(client, "/silences", rule="pesticide_*", **WHEN) == 303
    with reading(engine) as conn:
        row = alerts.get(conn, key)
        assert row is not None and row.severity is Severity.AT_ONCE
        assert silences.hidden_by(silences.active(conn, NOW), row, NOW, ["440703-baisha"]) is None
