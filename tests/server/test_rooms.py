"""Tasks, day sheets, the public notice and traces in the console: given, counted, posted, found."""

from collections.abc import Callable
from datetime import date, timedelta

import msgspec
import pytest
from console_app import NOW, TestClient, csrf_of
from console_places import MARKET, VAN

from contracts.room import Attached, SampleRecord
from contracts.words import AttachedHow, Verdict
from ledger import audit, room_days, samples, sites, tasks
from ledger.engine import Engine, reading, writing
from ledger.ids import fact_id
from ledger.samples import RegisteredSample, ToldSample
from ledger.task_progress import Tested
from server.languages import load_words
from server.pdf import Table, draw
from server.room_sheets import day_sheet, notice_sheet, read_room

pytestmark = pytest.mark.slow
Enter = Callable[[str], TestClient]
WORDS = load_words()
READER = MARKET.sibling("lz4000t")
SITE = f"/rooms/{MARKET.site}"
ROW = {
    "title": "叶菜农残专项", "region": "440703-baisha", "site": MARKET.site, "wanted": "2",
    "items": "pesticide_inhibition", "due_at": "2026-03-20T18:00", "starts_at": "2026-02-01T00:00",
}  # fmt: skip


def post(client: TestClient, path: str, **data: str) -> tuple[int, str]:
    answer = client.post(path, data=data | {"csrf": csrf_of(client)}, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", "") or answer.text


def register(engine: Engine, task_id: str, *numbers: int, **changes: object) -> None:
    """Samples of the market's room for these of its results."""
    told = []
    for number in numbers:
        at = NOW - timedelta(days=1)
        one = Attached(READER.device, fact_id(READER, "e1", number), AttachedHow.NUMBER, at)
        said = {
            "number": f"S-{number}", "product": "菜心", "stall": "A03",
            "supplier": "新会三江蔬菜合作社", "operator": "伍国权", "task_id": task_id,
            "registered_at": at,
        }  # fmt: skip
        record = SampleRecord(f"s-{number}", 1, **(said | changes), attached=(one,))  # type: ignore[arg-type]
        told.append(ToldSample(MARKET, "agent", record, NOW))
    with writing(engine) as conn:
        samples.take_in(conn, told)


def test_a_task_from_its_giving_to_its_end(as_officer: Enter, engine: Engine) -> None:
    town = as_officer("baisha")
    status, there = post(town, "/tasks/new", **ROW)
    assert status == 303 and there.endswith("?done=given")
    task_id = there.split("/")[2].partition("?")[0]
    assert post(town, "/tasks/new", **ROW) == (303, "/tasks")  # just so already
    assert "已下达" in post(town, "/tasks/new", **(ROW | {"wanted": "9"}))[1]
    register(engine, task_id, 116, 117)
    register(engine, task_id, 115, voided=True, void_reason="取样错误")
    page = town.get(f"/tasks/{task_id}").text
    assert 'value="2"' in page and "取样错误" in page and "已作废" in page
    assert "叶菜农残专项" in as_officer("shichang").get("/tasks?state=all").text
    assert "叶菜农残专项" not in as_officer("tangxia").get("/tasks?state=all").text
    assert post(town, f"/tasks/{task_id}/withdraw", reason=" ")[0] == 422
    assert post(town, f"/tasks/{task_id}/withdraw", reason="与市级专项重复")[0] == 303
    assert post(town, f"/tasks/{task_id}/withdraw", reason="again")[0] == 409
    assert "与市级专项重复" in town.get(f"/tasks/{task_id}").text
    with reading(engine) as conn:
        kept = tasks.get(conn, task_id)
        told = [one.action for one in audit.entries(conn, 9)]
    assert kept is not None and kept.created_by and kept.withdrawn_at is not None
    assert {"task_withdrawn", "tasks.new"} <= set(told)


def test_tasks_of_a_file_are_looked_at_and_given_once(as_officer: Enter, engine: Engine) -> None:
    town = as_officer("baisha")
    text = "任务名称,行政区划,批次数,截止时间\n甲,440703-baisha,5,2026-03-20\n"
    text += "乙,440703-baisha,0,2026-03-20\n"
    assert "不是 1 到" in post(town, "/tasks/import", text=text)[1]
    good = text.replace("乙,440703-baisha,0", "乙,440703-baisha,3")
    looked = town.post("/tasks/import", data={"text": good, "csrf": csrf_of(town)}).text
    token = looked.partition('name="token" value="')[2].partition('"')[0]
    assert post(town, "/tasks/import/apply", token=token)[0] == 200
    assert post(town, "/tasks/import/apply", token=token)[0] == 409
    with reading(engine) as conn:
        found = tasks.find(conn, tasks.Sight(["440703-baisha"]), "open", NOW, 9)
    assert sorted(one.title for one in found) == ["乙", "甲"]


def test_a_program_gives_and_reads_tasks(as_officer: Enter, engine: Engine) -> None:
    county = as_officer("pengjiang")
    headers = {"x-csrf-token": csrf_of(county)}
    body = {
        "title": "专项", "region": "440703", "wanted": 3, "item_codes": ["pesticide_inhibition"],
        "due_at": "2026-03-20T10:00:00Z", "starts_at": "2026-02-01T00:00:00Z",
    }  # fmt: skip
    made = county.post("/api/v1/tasks", json=body, headers=headers)
    again = county.post("/api/v1/tasks", json=body, headers=headers)
    assert (made.status_code, again.status_code) == (201, 200)
    assert again.json()["id"] == made.json()["id"]
    task_id = made.json()["id"]
    register(engine, task_id, 116)
    whole = county.get(f"/api/v1/tasks/{task_id}").json()
    assert (whole["done"], whole["state"], len(whole["samples"])) == (1, "open", 1)
    assert [one["id"] for one in county.get("/api/v1/tasks").json()["items"]] == [task_id]
    town = as_officer("baisha")  # sees what reaches it from above, and may not end it
    assert town.get(f"/api/v1/tasks/{task_id}").json()["done"] == 1
    refused = town.post(
        f"/api/v1/tasks/{task_id}/withdraw", json={"reason": "x"},
        headers={"x-csrf-token": csrf_of(town)},
    )  # fmt: skip
    assert refused.status_code == 403
    bad = county.post("/api/v1/tasks", json=body | {"site": "nowhere"}, headers=headers)
    assert bad.status_code == 422 and "site" in bad.json()["detail"]


def test_a_day_adds_up_and_the_notice_names_nobody(as_officer: Enter, engine: Engine) -> None:
    register(engine, "", 118, number="S-118")
    with reading(engine) as conn:
        site = sites.get(conn, MARKET.site)
        assert site is not None
        day = next(
            day
            for day in (date(2026, 3, 12) - timedelta(days=n) for n in range(9))
            if room_days.read(conn, site.region, site.id, day).count(Verdict.POSITIVE)
        )
        file = read_room(conn, site, day)
    told = file.day.figures
    assert told["results"] == sum(told[one.value] for one in Verdict) + told["voided"]
    for _, part in file.day.items:
        assert part["results"] == sum(n for name, n in part.items() if name != "results")
    assert sum(part["results"] for _, part in file.day.items) == told["results"]
    keeper = as_officer("shichang")
    sheet = keeper.get(f"{SITE}?day={day}").text
    assert "伍国权" in sheet and "合作社" in sheet
    posted = keeper.get(f"{SITE}/notice?day={day}").text
    article = posted[posted.index("<article") : posted.index("</article>")]
    assert "可疑／待确证" in article and "阳性" not in article
    assert "伍国权" not in article and "合作社" not in article
    paper = notice_sheet(file, WORDS["zh_CN"], NOW)
    table = next(part for part in paper.parts if isinstance(part, Table))
    assert not [cell for row in table.rows for cell in row if "伍国权" in cell or "合作社" in cell]
    assert len(table.marked) == 1 and table.rows[0][4] == "可疑／待确证"
    for name in ("day", "notice"):
        answer = keeper.get(f"{SITE}/{name}.pdf?day={day}")
        assert answer.status_code == 200 and answer.content.startswith(b"%PDF-")
    assert draw(paper) == draw(paper)
    sheet = day_sheet(file, WORDS["en"], NOW)
    assert next(part.rows for part in sheet.parts if isinstance(part, Table))
    assert keeper.get(f"/rooms/{VAN.site}").status_code == 404
    assert keeper.get(f"{SITE}?day=tomorrow").status_code == 422
    assert as_officer("baisha").get(f"/rooms?day={day}").text.count("data-site") == 1


def test_a_rerun_takes_no_doubt_from_the_notice() -> None:
    sample = RegisteredSample("r", "S-1", "菜心", NOW, stall="A03")

    def line(n: int, verdict: Verdict, item: str = "农药残留", **changes: object) -> room_days.Line:
        test = Tested(f"r{n}", sample.id, item, "", "1", "%", verdict, NOW, NOW)
        given = {"sample": sample, "stall": "A03"} | changes
        return room_days.Line(
            "S-1", "菜心", supplier="", origin="", lot="", operator="", test=test, **given
        )  # type: ignore[arg-type]

    invalid, voided = Verdict.INVALID, msgspec.structs.replace(sample, voided=True)
    lines = (
        line(1, Verdict.POSITIVE), line(2, Verdict.PASS), line(3, Verdict.PASS, "甲醛"),
        line(4, invalid, "双氧水"), line(5, Verdict.POSITIVE, "硼砂", sample=voided),
    )  # fmt: skip
    day = room_days.RoomDay(NOW.date(), lines)
    assert [(one.item, one.raised) for one in day.notices] == [("农药残留", True), ("甲醛", False)]
    assert day.figures == {
        "pass": 2, "positive": 1, "suspect": 0, "invalid": 1, "none": 0, "voided": 1, "results": 5,
    }  # fmt: skip


def test_a_trace_finds_the_others_and_asks_for_tests_there(
    as_officer: Enter, engine: Engine
) -> None:
    positive = fact_id(READER, "e1", 118)
    town = as_officer("baisha")
    page = town.get(f"/trace?result={positive}&days=60&match=supplier").text
    assert 'data-place="baisha-market"' in page and "同供应商" in page
    wide = as_officer("shiju").get(f"/trace?result={positive}&days=60&match=supplier").text
    outside = 'data-place="xh-van"' in wide or wide.count("data-place") > 1
    assert ("请询问" in page) == outside
    form = {"result": positive, "days": "60", "match": "supplier", "due": "2026-03-15T18:00"}
    status, there = post(town, "/trace/tasks", **form)
    assert status == 303 and "done=tasks&n=1" in there
    assert "done=tasks&n=0" in post(town, "/trace/tasks", **form)[1]  # asked for already
    status, there = post(town, "/trace/cases", **form)
    assert status == 303 and "done=cases" in there
    assert "done=cases&n=0" in post(town, "/trace/cases", **form)[1]
    assert "辖区内没有找到" in town.get("/trace?supplier=nobody&match=supplier").text
    assert "需要写明" in town.get("/trace?lot=7&match=lot").text
    with reading(engine) as conn:
        assert "traced" in {one.action for one in audit.entries(conn, 20)}
    assert as_officer("shichang").get("/trace").status_code == 403
