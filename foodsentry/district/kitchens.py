"""Cameras of the made-up district: which see and which do not, and their minutes at meals."""

import hashlib
import random
from collections.abc import Sequence
from datetime import datetime, time, timedelta

import msgspec

from contracts.events import Evidence, Look, Observation
from contracts.looks import KEPT_KIND
from contracts.topics import Identity
from contracts.words import LookState, Phase
from contracts.workdays import CHINA
from edge_agent.cameras.schedule import MEALS
from edge_agent.custody.device_key import DeviceKey
from foodsentry.district.facts import SEEN_COLUMNS
from foodsentry.district.lives import Life, picture_hash
from foodsentry.district.places import Place
from ledger import evidence, kept_frames, looks, observations
from ledger.bulk import pour, to_json
from ledger.camera_meals import Meal
from ledger.camera_meals import add as add_meals
from ledger.engine import Connection
from ledger.schema import devices

DAYS = 8
FRESH_FOR = timedelta(hours=12)
"""Nobody speaks in a made-up district: for so long its cameras count as heard of."""
_BLIND = ("camera_covered", "camera_dark", "camera_frozen", "camera_offline", "camera_moved")
_SAID = {
    "camera_covered": "镜头被遮挡 / the lens is covered",
    "camera_dark": "画面全黑 / the picture is dark",
    "camera_frozen": "画面冻结 / the picture is frozen",
    "camera_offline": "摄像头离线 / no picture",
    "camera_moved": "摄像头被移动 / the camera was moved",
    "camera_blurred": "画面模糊 / the picture is blurred",
    "camera_clock_wrong": "摄像头时钟不准 / the camera's clock is wrong",
    "camera_lights_off": "非工作时间关灯 / the lights are off outside working hours",
}


def put_kitchens(
    conn: Connection,
    places: Sequence[Place],
    lives: Sequence[Life],
    officer: str,
    picture: tuple[bytes, tuple[int, int]],
    now: datetime,
) -> None:
    """Say how every camera does, and what it was proven live in the last days; `officer` has looked
    at a few, and saw `picture`."""
    content, sides = picture
    dice = random.Random(41)
    raised = {
        life.who: life
        for life in lives
        if life.kind.rule == "camera_cannot_see" and life.state in ("firing", "acknowledged")
    }
    seen, meals = [], []
    for place in places:
        for device, kind, _ in place.devices:
            if kind != "camera":
                continue
            who = Identity(place.region, place.site, device)
            sight, since = _sight(raised.get(who), dice, now)
            _say(conn, who, sight, dice, now)
            if sight and sight != "unknown":
                seen.append(_observation(place, who, sight, since))
            meals += _meals(who, sight, since, dice, now)
    _looks(conn, places, officer, content, sides, now)
    pour(conn, "observations", SEEN_COLUMNS, seen)
    add_meals(conn, meals)


def _looks(
    conn: Connection,
    places: Sequence[Place],
    officer: str,
    content: bytes,
    sides: tuple[int, int],
    now: datetime,
) -> None:
    """Some looks of today, that are over: at one kitchen in fifty."""
    kitchens = [place for place in places if any(kind == "camera" for _, kind, _ in place.devices)]
    for number, place in enumerate(kitchens[::50]):
        at = now - timedelta(minutes=7 + 37 * number)
        who = Identity(place.region, place.site, "cam-1")
        look_id = looks.ask(conn, who, officer, "复核预警后的现场情况", at)
        taken_at = at + timedelta(seconds=55)
        told = Evidence(
            f"look-{number}", "image/jpeg", content, picture_hash(content), *sides, taken_at, True
        )
        shown = _key(place.site, now).sign(who, told)
        looks.answered(
            conn, who, "agent", Look(look_id, 1, LookState.LIVE, taken_at, picture=shown), taken_at
        )
        if number == 0:
            _keep(conn, look_id, officer, shown, taken_at)
        over = Look(look_id, 2, LookState.OVER, taken_at, "查看时间已到 / the time is up")
        looks.answered(conn, who, "agent", over, taken_at)


def _keep(conn: Connection, look_id: str, officer: str, shown: Evidence, at: datetime) -> None:
    """One picture of a look is kept as evidence, and has come."""
    look = looks.get(conn, look_id)
    if look is None:
        return
    kept_id = kept_frames.ask(conn, look, officer, "地面积水，责令整改", shown.sha256, at)
    row = kept_frames.get(conn, kept_id)
    if row is None:
        return
    kept_frames.answered(conn, look.identity, Look(kept_id, 1, LookState.KEPT, at), at)
    seen = Observation(
        observation_id=row.observation_id, kind=KEPT_KIND, phase=Phase.CLOSED, started_at=at,
        ended_at=at, captured_at=at, reason="查看时保存 / kept in a look",
        evidence=(row.evidence_id,),
    )  # fmt: skip
    observations.put(conn, look.identity, seen, at)
    told = msgspec.structs.replace(
        shown, evidence_id=row.evidence_id, observation_id=row.observation_id, signature=None
    )
    signed = _key(look.site, at).sign(look.identity, told)
    evidence.put(conn, look.identity, signed, at, agent="agent")


def _key(site: str, at: datetime) -> DeviceKey:
    """The made-up agent's key, made a year ago."""
    seed = hashlib.sha256(site.encode()).digest()
    made_at = (at - timedelta(days=365)).replace(hour=0, minute=0, second=0, microsecond=0)
    return DeviceKey("agent", seed, made_at)


def _sight(alert: Life | None, dice: random.Random, now: datetime) -> tuple[str, datetime]:
    """What is wrong with a camera's sight (empty: nothing), and since when."""
    if alert is not None:
        return dice.choice(_BLIND), alert.raised_at
    turn = dice.random()
    since = now - timedelta(minutes=dice.uniform(3, 240))
    if turn < 0.015:
        return dice.choice(_BLIND), since
    if turn < 0.03:
        return "unknown", now - timedelta(hours=dice.uniform(1, 60))
    if turn < 0.05:
        return dice.choice(("camera_blurred", "camera_clock_wrong")), since
    return ("camera_lights_off", since) if turn < 0.06 else ("", now)


def _say(conn: Connection, who: Identity, sight: str, dice: random.Random, now: datetime) -> None:
    state = {"": "online", "unknown": "unknown", "camera_offline": "offline"}.get(sight, "degraded")
    heard_at = now - timedelta(seconds=dice.uniform(1, 9))
    status_at = heard_at + FRESH_FOR
    if sight == "unknown":
        status_at = heard_at = now - timedelta(hours=dice.uniform(1, 60))
    conn.execute(
        devices.update()
        .where(devices.c.site == who.site, devices.c.device == who.device)
        .values(
            state=state, state_detail=_SAID.get(sight, ""), state_at=heard_at,
            status_received_at=status_at, last_seen_at=heard_at,
        )
    )  # fmt: skip


def _observation(place: Place, who: Identity, sight: str, since: datetime) -> tuple[object, ...]:
    return (
        who.region, who.site, who.device, f"{sight}-{since:%Y%m%dT%H%M%S}", place.establishment_id,
        sight, "open", since, None, since, since, _SAID[sight], "", "", 0, 1.0, to_json([]),
        to_json([]), to_json([]),
    )  # fmt: skip


def _meals(
    who: Identity, sight: str, since: datetime, dice: random.Random, now: datetime
) -> list[Meal]:
    """Its meals of the last days; of one that is unknown, those before it fell silent."""
    usual = 1.0 if dice.random() < 0.7 else dice.uniform(0.35, 0.99)
    today = now.astimezone(CHINA).date()
    told = []
    for ago in range(DAYS):
        midnight = datetime.combine(today - timedelta(days=ago), time(), CHINA)
        for meal in MEALS:
            hours, minutes = map(int, meal.end.split(":"))
            ends_at = midnight + timedelta(hours=hours, minutes=minutes)
            begins_at = midnight + timedelta(hours=int(meal.begin[:2]), minutes=int(meal.begin[3:]))
            if ends_at > now or (sight == "unknown" and ends_at > since):
                continue
            due = round((ends_at - begins_at).total_seconds() / 60)
            blind = bool(sight) and "blurred" not in sight and ends_at > since
            live = 0 if blind else min(due, round(due * usual * dice.uniform(0.97, 1.03)))
            told.append(Meal(who, ends_at, live, due, ends_at))
    return told
