"""An establishment's timeline on its pages and in the API, its whole file as JSON and PDF."""

import base64
import json
import re
import zlib
from collections.abc import Callable

import pytest
from console_app import NOW, Clock, TestClient
from console_places import CANTEEN
from sqlalchemy import event

from contracts.events import Status
from contracts.words import DeviceState
from ledger import alerts, audit, devices, place_dossier
from ledger.engine import Engine, reading, writing
from server.pdf import Document, Facts, Heading, Table, Text, broken, draw

Enter = Callable[[str], TestClient]
SCHOOL, MARKET = "/establishments/tangxia-school", "/establishments/baisha-market"


def shown(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_file_shows_what_happened_lately_and_the_way_to_all_of_it(as_officer: Enter) -> None:
    client = as_officer("tangxia")
    page = client.get(SCHOOL).text
    assert "最近动态" in page and f'href="{SCHOOL}/timeline"' in page
    whole = client.get(f"{SCHOOL}/timeline")
    text = shown(whole.text)
    for said in (
        "未戴厨师帽",
        "切配间",
        "越限",
        "冷库温度超限",
        "离线",
        "备餐专间摄像头",
        "仍在持续",
    ):
        assert said in text, said
    assert re.search(r'href="/alerts/[0-9a-f]{16}"', whole.text)
    market = client.get(f"{MARKET}/timeline")
    assert market.status_code == 404, "another town"


def test_lines_of_every_kind_open_their_records(as_officer: Enter) -> None:
    client = as_officer("shiju")
    lines = []
    before = ""
    while True:
        answer = client.get(f"/api/v1{MARKET}/timeline?limit=50{before}").json()
        lines += answer["items"]
        if answer["next"] is None:
            break
        before = f"&before={answer['next']}"
    kinds = {line["kind"] for line in lines}
    assert {"test", "alert", "case", "publication", "device"} <= kinds
    assert [line["at"] for line in lines] == sorted((one["at"] for one in lines), reverse=True)
    assert len({line["record"] for line in lines}) == len(lines)
    page = client.get(f"{MARKET}/timeline?kind=case&kind=publication").text
    places = set(re.findall(r'<a href="(/(?:cases|alerts|results)/[^"]+)"', page))
    places |= set(re.findall(r'<a href="(/results/[^"]+)"', client.get(f"{MARKET}/timeline").text))
    assert len(places) > 5
    for place in sorted(places)[:6]:
        assert client.get(place).status_code == 200, place


def test_pages_of_the_console_follow_each_other_without_a_gap(as_officer: Enter) -> None:
    client = as_officer("shiju")
    seen: list[str] = []
    address: str | None = f"{MARKET}/timeline?kind=test"
    pages = 0
    while address is not None:
        text = client.get(address).text
        seen += re.findall(r'href="/results/([0-9a-f]+)"', text)
        following = re.search(r'href="([^"]+before=[^"]+)"', text)
        address = following[1].replace("&amp;", "&") if following else None
        pages += 1
    assert pages == 2 and len(seen) == len(set(seen)) == 120


def test_kinds_and_days_narrow_it(as_officer: Enter) -> None:
    client = as_officer("shiju")

    def at(query: str) -> list[str]:
        items = client.get(f"/api/v1{MARKET}/timeline?limit=200&{query}").json()["items"]
        return [one["at"] for one in items]

    whole = at("kind=test")
    day = at("kind=test&since=2026-03-10&until=2026-03-10")
    assert len(whole) == 120 and 3 <= len(day) <= 6
    assert all("2026-03-09T16:00" <= one < "2026-03-10T16:00" for one in day), "days are China's"
    for wrong in (
        "since=tomorrow",
        "since=2026-03-10&until=2026-03-09",
        "kind=all",
        "since=1066-01-01",
    ):
        assert client.get(f"/api/v1{MARKET}/timeline?{wrong}").status_code == 422, wrong
        assert client.get(f"{MARKET}/timeline?{wrong}").status_code == 422, wrong
    for place in ("x", "WyJ0aW1lbGluZSJd"):
        assert client.get(f"/api/v1{MARKET}/timeline?before={place}").status_code == 422


def test_a_page_takes_the_same_number_of_statements_however_long_it_is(
    as_officer: Enter, engine: Engine
) -> None:
    client = as_officer("shiju")

    def statements(address: str) -> int:
        count = 0

        def one(_conn: object, _cursor: object, statement: str, *_: object) -> None:
            nonlocal count
            # What the live stream looks for meanwhile is not the page's.
            count += statement.startswith("SELECT") and not statement.startswith("SELECT journal.")

        event.listen(engine, "before_cursor_execute", one)
        assert client.get(address).status_code == 200
        event.remove(engine, "before_cursor_execute", one)
        return count

    listed = f"/api/v1{MARKET}/timeline?limit="
    client.get(f"{listed}2")
    assert statements(f"{listed}200") == statements(f"{listed}2")


def test_the_establishments_own_people_see_no_name_and_no_note(
    as_officer: Enter, engine: Engine, alert_ids: dict[str, str]
) -> None:
    note = "已下架同批次韭菜"
    town, own = as_officer("baisha"), as_officer("shichang")
    assert note in town.get(f"{MARKET}/timeline?kind=alert").text
    for address in (
        f"{MARKET}/timeline?kind=alert",
        f"/api/v1{MARKET}/timeline?limit=200",
        f"{MARKET}/file.json",
    ):
        answer = own.get(address)
        assert answer.status_code == 200, address
        for hidden in (note, "officer-", "陈志强", "黄嘉敏"):
            assert hidden not in answer.text, (address, hidden)
    assert own.get(f"{SCHOOL}/timeline").status_code == 404
    assert own.get(f"{SCHOOL}/file.pdf").status_code == 404


def test_the_json_file_is_whole_audited_and_holds_against_the_ledger(
    as_officer: Enter, engine: Engine, clock: Clock
) -> None:
    client = as_officer("pengjiang")
    answer = client.get(f"{MARKET}/file.json?since=2026-01-01")
    assert answer.headers["content-disposition"] == 'attachment; filename="baisha-market.json"'
    made = json.loads(answer.content)
    with reading(engine) as conn:
        entry = audit.entries(conn, 1)[0]
        checked = place_dossier.check(conn, made, NOW)
    assert checked.holds and checked.lines > 120
    assert entry.action == "establishment_file_exported"
    assert entry.subject == "establishment/baisha-market" and entry.region == "440703-baisha"
    assert made["sha256"] in entry.detail
    clock.forward(3600)
    again = client.get(f"/api/v1{MARKET}/file?since=2026-01-01&until=2026-03-12").json()
    assert again["sha256"] == made["sha256"], "the same time, the same ledger"
    test = next(line for line in made["content"]["lines"] if line["kind"] == "test")
    assert re.fullmatch(r"result/[0-9a-f]{20}", test["record"]) and len(test["proof"]) == 64
    assert client.get("/establishments/huicheng-market/file.json").status_code == 404


_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def texts_of(pdf: bytes) -> str:
    """What a reader sees: the strings of the pages, which the font's encoding has as UTF-16."""

    def plain(said: bytes) -> bytes:
        said = re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), said)
        escaped = re.compile(rb"\\(.)", re.DOTALL)
        return escaped.sub(lambda found: _ESCAPED.get(found[1], found[1]), said)

    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    pages = b"".join(
        zlib.decompress(base64.a85decode(b"<~" + one.strip(), adobe=True)) for one in streams
    )
    shown = re.findall(rb"\(((?:\\.|[^\\()])*)\)\s*Tj", pages, re.DOTALL)
    return "".join(plain(one).decode("utf-16-be") for one in shown)


def test_the_pdf_has_its_text_in_chinese_and_its_hash(as_officer: Enter, engine: Engine) -> None:
    note = "已下架同批次韭菜"
    client = as_officer("pengjiang")
    answer = client.get(f"{MARKET}/file.pdf?kind=alert&kind=case")
    assert answer.headers["content-type"] == "application/pdf"
    text = texts_of(answer.content)
    with reading(engine) as conn:
        detail = json.loads(audit.entries(conn, 1)[0].detail)
    assert detail["format"] == "pdf" and f"SHA-256 {detail['sha256']}" in text
    for said in ("白沙农贸市场", "JY24407030000000", "农残速测仪", "发出预警", note, "陈志强"):
        assert said in text, said
    own = texts_of(as_officer("shichang").get(f"{MARKET}/file.pdf?kind=alert").content)
    assert "发出预警" in own and note not in own and "陈志强" not in own


def test_what_is_too_long_for_one_file_says_so(
    as_officer: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.routes.history.MOST_OF_PDF", 5)
    answer = as_officer("pengjiang").get(f"{MARKET}/file.pdf")
    assert answer.status_code == 422


def test_a_pdf_is_the_same_bytes_and_minds_no_markup() -> None:
    parts = [
        Heading("档案 <b>&", 1), Text("一\x00二\n三"), Facts([("名称", "<i>")]),
        Table(["甲", "乙"], [["1", "&amp;" * 40], ["2", "长" * 300]] * 60, [0.2, 0.8]),
    ]  # fmt: skip
    first, again = (draw(Document("题", parts, "foot")) for _ in range(2))
    assert broken("mot très-long", 40, 8).count("\n") >= 1
    assert all(len(one) <= 12 for one in broken("长" * 30, 100, 8.5).split("\n"))
    assert first == again and first.count(b"/Type /Page\n") > 5


def test_silence_of_a_device_ends_on_the_page(as_officer: Enter, engine: Engine) -> None:
    with writing(engine) as conn:
        status = Status(state=DeviceState.ONLINE, at=NOW)
        devices.set_status(conn, CANTEEN.sibling("cam-2"), status, NOW)
        alerts.resolve(conn, "none", NOW, "x")
    text = shown(as_officer("tangxia").get(f"{SCHOOL}/timeline?kind=device").text)
    assert re.search(r"离线 备餐专间摄像头|离线 cam-2", text) and "持续" in text
