"""What can be said of cameras now, by region and in pages; meals and pictures beside them."""

import hashlib
from datetime import timedelta

import pytest
from ledger_town import AGENT, AT, after

from contracts.events import Evidence, Observation, Status
from contracts.sights import CANNOT_SEE
from contracts.topics import Identity
from contracts.words import DeviceState, Phase, PictureRole
from contracts.workdays import china_day
from edge_agent.cameras.honesty import Sight
from ledger import camera_meals, devices, evidence, kitchen_meals, kitchens, observations
from ledger.camera_meals import Meal
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection, Engine, reading, writing
from ledger.kitchens import Camera, CameraState, Sought

NOW = after(3600)
REGIONS = (AGENT.region,)
EYES = [AGENT.sibling(f"eye-{n}") for n in range(6)]


def test_kinds_are_those_of_the_edge() -> None:
    assert [one.value for one in Sight if one is not Sight.LIVE] == list(CANNOT_SEE)


def register(conn: Connection, *who: Identity) -> None:
    for one in who:
        devices.add(
            conn, Device(one.region, one.site, one.device, DeviceKind.CAMERA, one.device, AT)
        )


def says(conn: Connection, who: Identity, state: DeviceState, ago_s: float = 5) -> None:
    at = NOW - timedelta(seconds=ago_s)
    devices.set_status(conn, who, Status(state, at, detail="画面 / picture"), at)


def cannot(conn: Connection, who: Identity, kind: str, ago_s: float = 600) -> None:
    at = NOW - timedelta(seconds=ago_s)
    seen = Observation(f"{kind}-1", kind, Phase.OPEN, at, at, "因 / why")
    observations.put(conn, who, seen, at)


def of(conn: Connection, who: Identity) -> Camera:
    found = kitchens.one(conn, who, NOW)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "kind", "ago_s", "expected"),
    [
        (DeviceState.ONLINE, "", 5, CameraState.LIVE),
        (DeviceState.ONLINE, "", 151, CameraState.UNKNOWN),
        (DeviceState.DEGRADED, "", 5, CameraState.DOUBTFUL),
        (DeviceState.DEGRADED, "camera_blurred", 5, CameraState.DOUBTFUL),
        (DeviceState.DEGRADED, "camera_covered", 5, CameraState.BLIND),
        (DeviceState.DEGRADED, "camera_covered", 200, CameraState.UNKNOWN),
        (DeviceState.DEGRADED, "camera_lights_off", 5, CameraState.RESTING),
        (DeviceState.OFFLINE, "camera_offline", 5, CameraState.BLIND),
        (DeviceState.OFFLINE, "", 5000, CameraState.BLIND),
        (DeviceState.UNKNOWN, "camera_covered", 5, CameraState.UNKNOWN),
        (DeviceState.ONLINE, "camera_covered", 5, CameraState.BLIND),
    ],
)
def test_one_state(
    town: Engine, state: DeviceState, kind: str, ago_s: float, expected: CameraState
) -> None:
    who = EYES[0]
    with writing(town) as conn:
        register(conn, who)
        assert of(conn, who).state is CameraState.UNKNOWN
        assert not of(conn, who).heard
        says(conn, who, state, ago_s)
        if kind:
            cannot(conn, who, kind)
        found = of(conn, who)
    assert found.state is expected
    if expected is CameraState.LIVE:
        assert found.since == NOW - timedelta(seconds=ago_s)
    if expected in (CameraState.BLIND, CameraState.RESTING) and kind:
        assert (found.kind, found.since) == (kind, NOW - timedelta(seconds=600))
    if expected is CameraState.UNKNOWN:
        assert found.kind == ""  # what it said last no longer holds
        assert found.since == NOW - timedelta(seconds=ago_s)


def test_the_gravest_is_named_and_a_closed_one_is_over(town: Engine) -> None:
    who = EYES[0]
    with writing(town) as conn:
        register(conn, who)
        says(conn, who, DeviceState.DEGRADED)
        cannot(conn, who, "camera_clock_wrong", 900)
        cannot(conn, who, "camera_dark", 300)
        assert of(conn, who).kind == "camera_dark"
        at = NOW - timedelta(seconds=300)
        closed = Observation(
            "camera_dark-1", "camera_dark", Phase.CLOSED, at, NOW, "好 / well", ended_at=NOW
        )
        observations.put(conn, who, closed, NOW)
        assert of(conn, who).kind == "camera_clock_wrong"
        assert of(conn, who).state is CameraState.DOUBTFUL


def test_pages_counts_and_filters_agree(town: Engine) -> None:
    with writing(town) as conn:
        register(conn, *EYES)
        for who in EYES[:3]:
            says(conn, who, DeviceState.ONLINE)
        for n, who in enumerate(EYES[3:5]):
            says(conn, who, DeviceState.DEGRADED)
            cannot(conn, who, "camera_covered", 500 + 100 * n)
        at = NOW - timedelta(hours=2)
        meals = [Meal(who, at, 30 * n, 120, at) for n, who in enumerate(EYES)]
        camera_meals.add(conn, meals)
    everything = Sought(REGIONS)
    with reading(town) as conn:
        some, total = kitchens.page(conn, everything, NOW, 4)
        rest, again = kitchens.page(conn, everything, NOW, 4, 4)
        beyond, still = kitchens.page(conn, everything, NOW, 4, 40)
        counted = {row.state: row for row in kitchens.counts(conn, everything, NOW)}
        blind = Sought(REGIONS, states=(CameraState.BLIND,))
        longest, n_blind = kitchens.page(conn, blind, NOW, 9, longest_first=True)
        named, _ = kitchens.page(conn, Sought(REGIONS, words="EYE-4"), NOW, 9)
        low, _ = kitchens.page(conn, Sought(REGIONS, low_percent=80), NOW, 9)
        elsewhere = kitchens.counts(conn, Sought(REGIONS, sites=()), NOW)
    assert (total, again, still, beyond) == (7, 7, 7, [])  # the town has a camera of its own
    assert len({(one.site, one.device) for one in some + rest}) == 7
    assert counted[CameraState.LIVE].cameras == 3
    assert counted[CameraState.BLIND].cameras == n_blind == 2
    assert counted[CameraState.UNKNOWN].cameras == 2
    assert counted[CameraState.LIVE].live_today == 0 + 30 + 60
    assert counted[CameraState.LIVE].due_week == 360
    assert counted[CameraState.UNKNOWN].silent_week == 1
    assert [one.device for one in longest] == ["eye-4", "eye-3"]
    assert [one.device for one in named] == ["eye-4"]
    assert {one.device for one in low} == {"camera-1", "eye-0", "eye-1", "eye-2", "eye-3"}
    assert elsewhere == []


def test_days_are_those_of_china(town: Engine) -> None:
    who = EYES[0]
    late = AT.replace(hour=15, minute=30)  # 23:30 in China
    early = late + timedelta(hours=1)
    with writing(town) as conn:
        register(conn, who)
        camera_meals.add(
            conn, [Meal(who, at, live, 20, at) for at, live in ((late, 10), (early, 5))]
        )
        days = kitchen_meals.days(conn, [who.site], china_day(late))[who.site, who.device]
        newest = kitchen_meals.of_camera(conn, who, china_day(early))
    assert [day.live_minutes for day in days.values()] == [10, 5]
    assert china_day(early) - china_day(late) == timedelta(days=1)
    assert [one.ends_at for one in newest] == [early]


def test_what_shows_blindness_is_no_honest_frame(town: Engine) -> None:
    who = EYES[0]

    def picture(conn: Connection, key: str, at_s: float, role: PictureRole, of: str) -> None:
        content = key.encode()
        digest = hashlib.sha256(content).hexdigest()
        made = Evidence(
            key, "image/jpeg", content, digest, 4, 3, after(at_s), True,
            observation_id=of, role=role,
        )  # fmt: skip
        evidence.put(conn, who, made, after(at_s))

    with writing(town) as conn:
        register(conn, who)
        assert kitchens.newest_frames(conn, [who]) == {}
        cannot(conn, who, "camera_dark")
        picture(conn, "dark", 30, PictureRole.BEST, "camera_dark-1")
        assert kitchens.newest_frames(conn, [who]) == {}
        picture(conn, "before it", 20, PictureRole.BEFORE, "camera_dark-1")
        picture(conn, "a hat", 10, PictureRole.BEST, "no_hat-1")
        found = kitchens.newest_frames(conn, [who]).get((who.site, who.device))
    assert found is not None
    assert (found.evidence_id, found.captured_at) == ("before it", after(20))
