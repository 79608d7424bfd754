"""Charts by week and by hour: what was not seen or not judged is never drawn as clean or passed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from console_app import NOW, TestClient
from hypothesis import given
from hypothesis import strategies as st

from contracts.words import Phase, Verdict
from ledger.devices import Device, DeviceKind, DeviceState
from ledger.observations import ObservationRow
from server.languages import load_words
from server.place_charts import by_hour, hygiene, joined, pass_rate

Enter = Callable[[str], TestClient]
CHINA = ZoneInfo("Asia/Shanghai")
WORDS = load_words()["en"]
HERE = datetime(2026, 3, 12, 12, 0, tzinfo=CHINA)
AGO = HERE - timedelta(days=2)


def camera(name: str = "cam", **more: object) -> Device:
    given = {"state": DeviceState.ONLINE, "last_seen_at": HERE} | more
    return Device("r", "s", name, DeviceKind.CAMERA, name, AGO, **given)  # type: ignore[arg-type]


def seen(kind: str, at: datetime, until: datetime | None = None, **more: object) -> ObservationRow:
    row = {
        "number": 1, "region": "r", "site": "s", "device": "cam", "observation_id": "o",
        "establishment_id": "e", "kind": kind, "phase": Phase.OPEN, "started_at": at,
        "ended_at": until, "captured_at": at, "received_at": at, "reason": "", "zone": "",
        "zone_kind": "", "people": 0, "peak_at": None, "tracks": 0, "stretches": 0,
        "retracted": False, "confidence": 1.0, "boxes": (), "models": (), "evidence": (),
    }  # fmt: skip
    return ObservationRow(**(row | more))  # type: ignore[arg-type]


def drawn(cameras: list[Device], told: object, rows: list[ObservationRow]) -> dict[str, list[int]]:
    made = hygiene(cameras, told, rows, WORDS, HERE)  # type: ignore[arg-type]
    return {one["name"]: one["points"] for one in made["series"]}


def test_hours_that_a_camera_did_not_see_are_unknown() -> None:
    always = {("s", "cam"): [(AGO, "online")]}
    lines = drawn([camera()], always, [])
    assert lines["Seen, nothing"] == [2] * 24 and not any(lines["Could not see"])
    # Nobody has ever said that it sees.
    lines = drawn([camera()], {}, [])
    assert lines["Could not see"] == [2] * 24
    # Off from 08:10 to 08:50, and for four minutes at 09.
    off = HERE.replace(hour=8, minute=10)
    nine = HERE.replace(hour=9)
    told = {
        ("s", "cam"): [
            (AGO, "online"), (off, "offline"), (off + timedelta(minutes=40), "online"),
            (nine, "degraded"), (nine + timedelta(minutes=4), "online"),
        ]
    }  # fmt: skip
    lines = drawn([camera()], told, [])
    assert lines["Could not see"][8] == 1 and sum(lines["Could not see"]) == 1
    # One camera of two is enough.
    two = told | {("s", "two"): [(AGO, "online")]}
    assert drawn([camera(), camera("two")], two, [])["Could not see"][8] == 1
    # Silence now reaches back to the last word.
    mute = camera(last_seen_at=HERE - timedelta(hours=3), silent_after_s=120.0)
    assert sum(drawn([mute], always, [])["Could not see"]) == 3


def test_what_was_observed_counts_and_blindness_is_no_hygiene() -> None:
    told = {("s", "cam"): [(AGO, "online")]}
    at = HERE - timedelta(hours=2)
    covered = seen("camera_covered", at - timedelta(hours=5), at - timedelta(hours=3))
    taken_back = seen("no_mask", at - timedelta(hours=1), retracted=True)
    lines = drawn([camera()], told, [seen("no_hat", at), covered, taken_back])
    assert lines["Observed"][at.hour] == 1 and sum(lines["Observed"]) == 1
    assert sum(lines["Could not see"]) == 2 and lines["Could not see"][5] == 1
    assert sum(map(sum, lines.values())) == 48


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 300)), max_size=8))
def test_no_minute_is_counted_twice(spans: list[tuple[int, int]]) -> None:
    made = [
        (AGO + timedelta(minutes=begin), AGO + timedelta(minutes=begin + long))
        for begin, long in spans
    ]
    covered = by_hour(joined(made))
    minutes = {begin + one for begin, long in spans for one in range(long)}
    assert sum(covered.values(), timedelta()) == timedelta(minutes=len(minutes))
    assert all(length <= timedelta(hours=1) for length in covered.values())


def test_a_week_without_a_judged_test_is_a_gap() -> None:
    tests = [
        (HERE, Verdict.PASS), (HERE, Verdict.POSITIVE), (HERE, Verdict.INVALID),
        (HERE - timedelta(days=7), Verdict.NONE), (HERE - timedelta(days=14), Verdict.PASS),
        (HERE - timedelta(days=400), Verdict.POSITIVE),
    ]  # fmt: skip
    made = pass_rate(tests, WORDS, HERE)
    assert made["series"][0]["points"][-3:] == [100.0, None, 50.0]
    assert made["counts"][-3:] == [1, 0, 2] and made["weeks"][-1] == "03-09"
    assert not pass_rate([(HERE, Verdict.INVALID)], WORDS, HERE)["filled"]


def test_the_file_draws_them(as_officer: Enter) -> None:
    client = as_officer("shiju")
    page = client.get("/establishments/tangxia-school").text
    assert "/charts/hygiene" in page and "/charts/passrate" not in page
    made = client.get("/establishments/tangxia-school/charts/hygiene").json()
    unknown = next(one for one in made["series"] if one["name"] == "看不见")
    # One of its two cameras has said nothing but that it is offline.
    assert sum(unknown["points"]) > 24 * 25
    assert made["series"][0]["points"][NOW.astimezone(CHINA).hour] >= 1
    rate = client.get("/establishments/baisha-market/charts/passrate").json()
    assert rate["filled"] and rate["counts"][-2] > 10
