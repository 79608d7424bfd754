"""Testing rooms of the made-up district: stalls, samples of their last tests, tasks for them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.room import Attached, SampleRecord
from contracts.topics import Identity
from contracts.words import AttachedHow
from foodsentry.district import facts
from foodsentry.district.kinds import ORIGINS
from foodsentry.district.places import People, Place
from ledger import results, samples, tasks
from ledger.bulk import pour
from ledger.engine import Connection
from ledger.samples import ToldSample
from ledger.sheets.lists import list_rows
from ledger.sheets.plan import apply_plan, plan_of_rows
from ledger.sheets.retire import retire
from ledger.sheets.sheet import EVERYWHERE

ROOMS = 3
SAMPLES = 24
STALLS = 18
KEEPERS = ("梁少芬", "何志明", "区桂兰", "麦永强", "冯婉仪", "谭国辉", "司徒凤")
WARES = ("菜档", "鲜蔬", "豆腐", "水产", "冰鲜", "果栏")


def put_rooms(conn: Connection, places: Sequence[Place], people: People, now: datetime) -> None:
    """A few rooms with a task each; a task of the district; one that is over and one withdrawn."""
    rooms = [one for one in places if one.kind in ("market", "supermarket")][:ROOMS]
    day = timedelta(days=1)

    def task(key: str, title: str, place: Place, **changes: object) -> None:
        said = {
            "id": key, "title": title, "region": place.region, "site": place.site, "wanted": 30,
            "starts_at": now - 40 * day, "due_at": now + 5 * day, "created_at": now - 3 * day,
            "food_group": "vegetable", "items": ("pesticide_inhibition",),
            "created_by": people.over(place.region)[0], "note": "",
        }  # fmt: skip
        tasks.add(conn, tasks.Task(**(said | changes)))  # type: ignore[arg-type]

    for place in rooms:
        pour(conn, "results", facts.RESULT_COLUMNS, facts.results_of_today(place, now))
    for number, place in enumerate(rooms):
        task(f"task-{number}", "叶菜农药残留专项", place)
        tested = results.for_establishment(conn, place.establishment_id, SAMPLES)
        who = Identity(place.region, place.site, "agent")
        told = [
            ToldSample(who, "agent", _record(one, f"task-{number}", number, row), one.received_at)
            for row, one in enumerate(tested)
        ]
        samples.take_in(conn, told)
    if rooms:
        county = rooms[0].region.partition("-")[0]
        task("task-county", "节前蔬菜抽检", rooms[0], region=county, site=None, wanted=400)
        over = {"due_at": now - day, "wanted": 12}
        task("task-over", "豆制品专项", rooms[0], food_group="bean", items=(), **over)
        task("task-back", "水产专项", rooms[-1], food_group="fish", items=())
        officer = people.over(rooms[-1].region)[0]
        tasks.withdraw(conn, "task-back", officer, "与市级专项重复", now - day)


def put_stalls(conn: Connection, places: Sequence[Place], now: datetime) -> None:
    """The stalls of a few rooms, one of which was renamed, and one closed."""
    rooms = [one for one in places if one.kind in ("market", "supermarket")][:ROOMS]
    rows = [
        {
            "site": place.site, "code": f"A{number:02d}",
            "name": f"{KEEPERS[number % len(KEEPERS)][0]}记{WARES[number % len(WARES)]}",
            "keeper": KEEPERS[number % len(KEEPERS)],
            "supplier": f"{ORIGINS[number % len(ORIGINS)]}蔬菜合作社",
        }
        for place in rooms
        for number in range(1, STALLS + 1)
    ]  # fmt: skip
    for at, given in ((now - timedelta(days=60), rows), (now - timedelta(days=9), rows[:1])):
        said = given if given is rows else [given[0] | {"name": "和记时蔬", "keeper": "冯婉仪"}]
        apply_plan(conn, plan_of_rows(conn, "stalls", said), "system", at)
    for listed in list_rows(conn, "stalls", EVERYWHERE, search="A07").rows[:1]:
        retire(conn, "stalls", listed.standing.id, "system", now - timedelta(days=2))


def _record(one: results.ResultRow, task_id: str, room: int, row: int) -> SampleRecord:
    at = one.captured_at - timedelta(minutes=9)
    return SampleRecord(
        sample_id=f"sample-{room}-{row}",
        revision=1,
        number=one.sample_number,
        registered_at=at,
        product=one.sample_name,
        stall=one.stall,
        lot=one.lot,
        supplier=one.supplier,
        origin=one.origin,
        task_id=task_id,
        operator="伍国权",
        voided=row % 11 == 7,
        void_reason="取样重量不足" if row % 11 == 7 else "",
        attached=(Attached(one.device, one.result_id, AttachedHow.NUMBER, at),),
    )
