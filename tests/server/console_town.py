"""A believable part of Jiangmen for the console's tests and screenshots: places, people, facts.

`build` writes it into an empty ledger and time-series store as it would stand at `now`.
"""

import hashlib
import io
import math
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import skimage
from PIL import Image

from contracts.events import (
    Box,
    Evidence,
    ModelRef,
    Observation,
    ProfileRef,
    RawFrame,
    Sample,
    Status,
    TestResult,
    Value,
)
from contracts.identifiers import credit_code_check
from contracts.topics import Identity
from contracts.words import DeviceState, Phase, Severity, Verdict
from ledger import (
    alerts,
    devices,
    establishments,
    evidence,
    observations,
    officers,
    regions,
    results,
    sites,
)
from ledger.alerts import NewAlert
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection, Engine, writing
from ledger.establishments import Establishment, EstablishmentKind
from ledger.officers import Officer, Role
from ledger.regions import Region
from ledger.results import NewResult
from ledger.sites import Site, SiteKind
from server.passwords import Passwords
from timeseries.port import Point, SeriesStore, to_ns

PASSWORD = "jiangmen-2026-shian"
REGIONS = (
    Region("440700", "江门市", "Jiangmen"),
    Region("440703", "蓬江区", "Pengjiang", "440700"),
    Region("440704", "江海区", "Jianghai", "440700"),
    Region("440705", "新会区", "Xinhui", "440700"),
    Region("440703-baisha", "白沙街道", "Baisha", "440703"),
    Region("440703-tangxia", "棠下镇", "Tangxia", "440703"),
    Region("440704-waihai", "外海街道", "Waihai", "440704"),
    Region("440705-huicheng", "会城街道", "Huicheng", "440705"),
)
OFFICERS: tuple[tuple[str, str, Role, str, str | None], ...] = (
    ("admin", "系统管理员", Role.ADMIN, "440700", None),
    ("shiju", "梁伟明", Role.CITY, "440700", None),
    ("pengjiang", "陈志强", Role.COUNTY, "440703", None),
    ("xinhui", "林少芳", Role.COUNTY, "440705", None),
    ("baisha", "黄嘉敏", Role.TOWN, "440703-baisha", None),
    ("tangxia", "区健华", Role.TOWN, "440703-tangxia", None),
    ("shenji", "谭慧仪", Role.AUDITOR, "440703", None),
    ("shichang", "伍国权", Role.OPERATOR, "440703-baisha", "baisha-market"),
)
MARKET = Identity("440703-baisha", "baisha-room", "agent")
CANTEEN = Identity("440703-tangxia", "tangxia-kitchen", "agent")
VAN = Identity("440705-huicheng", "xh-van-1", "agent")
SUPERMARKET = Identity("440704-waihai", "waihai-room", "agent")
PLACES: tuple[
    tuple[str, str, EstablishmentKind, str, str, str, str | None, Identity | None], ...
] = (
    (
        "baisha-market",
        "白沙农贸市场",
        EstablishmentKind.MARKET,
        "440703-baisha",
        "蓬江区白沙大道西 12 号",
        "B",
        "baisha",
        MARKET,
    ),
    (
        "tangxia-school",
        "棠下中学食堂",
        EstablishmentKind.CANTEEN,
        "440703-tangxia",
        "蓬江区棠下镇中心大道 88 号",
        "A",
        "tangxia",
        CANTEEN,
    ),
    (
        "xh-van",
        "新会区流动快检车 1 号",
        EstablishmentKind.VAN,
        "440705-huicheng",
        "新会区会城街道冈州大道",
        "",
        "xinhui",
        VAN,
    ),
    (
        "waihai-super",
        "外海惠民超市",
        EstablishmentKind.SUPERMARKET,
        "440704-waihai",
        "江海区外海街道金瓯路 301 号",
        "C",
        None,
        SUPERMARKET,
    ),
    (
        "baisha-primary",
        "范罗冈小学食堂",
        EstablishmentKind.CANTEEN,
        "440703-baisha",
        "蓬江区白沙街道范罗冈 6 号",
        "B",
        "baisha",
        None,
    ),
    (
        "huicheng-market",
        "会城东甲农贸市场",
        EstablishmentKind.MARKET,
        "440705-huicheng",
        "新会区会城街道东甲路 45 号",
        "D",
        None,
        None,
    ),
)
DEVICES: tuple[tuple[Identity, DeviceKind, str, str, float | None], ...] = (
    (MARKET, DeviceKind.AGENT, "白沙快检室边缘网关", "边缘网关", 60),
    (MARKET.sibling("lz4000t"), DeviceKind.PESTICIDE_READER, "农残速测仪", "LZ-4000T", None),
    (MARKET.sibling("atp"), DeviceKind.ANALYZER, "多功能快检仪", "LIS2-A2", None),
    (CANTEEN, DeviceKind.AGENT, "棠下中学边缘网关", "边缘网关", 60),
    (CANTEEN.sibling("cold-1"), DeviceKind.PROBE, "冷藏库 1", "XY-MD02", 120),
    (CANTEEN.sibling("freezer-1"), DeviceKind.PROBE, "冷冻库", "XY-MD02", 120),
    (CANTEEN.sibling("cam-1"), DeviceKind.CAMERA, "切配间摄像头", "RTSP", 120),
    (CANTEEN.sibling("cam-2"), DeviceKind.CAMERA, "备餐专间摄像头", "RTSP", 120),
    (VAN, DeviceKind.AGENT, "快检车网关", "边缘网关", 60),
    (VAN.sibling("lz4000t"), DeviceKind.PESTICIDE_READER, "车载农残仪", "LZ-4000T", None),
    (SUPERMARKET, DeviceKind.AGENT, "外海超市网关", "边缘网关", 60),
    (SUPERMARKET.sibling("cold-2"), DeviceKind.PROBE, "生鲜冷柜", "XY-MD02", 120),
)
FOODS = (
    ("空心菜", "A12", "江门杜阮"), ("菜心", "A03", "新会三江"), ("豆角", "B07", "台山斗山"),
    ("韭菜", "A12", "开平水口"), ("生菜", "C01", "鹤山古劳"), ("番茄", "B02", "广西田阳"),
    ("荔枝", "D05", "茂名高州"), ("苦瓜", "A09", "恩平沙湖"), ("上海青", "C04", "江门荷塘"),
    ("芹菜", "A06", "新会双水"), ("丝瓜", "B11", "蓬江棠下"), ("小白菜", "C07", "江海礼乐"),
)  # fmt: skip


def build(
    engine: Engine,
    store: SeriesStore,
    now: datetime,
    passwords: Passwords,
    *,
    pictures: bool = True,
) -> dict[str, str]:
    """Write the town; returns alert ids by a short name."""
    hashed = passwords.hash(PASSWORD)
    with writing(engine) as conn:
        _places(conn, now, hashed)
        tests = _tests(conn, now)
        made = _alerts(conn, now, tests)
        if pictures:
            _kitchen(conn, now, made)
        _health(conn, now)
    store.write(_temperatures(now))
    return made


def _places(conn: Connection, now: datetime, hashed: str) -> None:
    regions.add(conn, *REGIONS)
    for index, (key, name, kind, region, address, grade, officer, _) in enumerate(PLACES):
        body = f"92440703MA4W{index:05d}"
        establishments.add(
            conn,
            Establishment(
                id=key,
                name=name,
                kind=kind,
                region=region,
                address=f"江门市{address}",
                officer_id=officer and f"officer-{officer}",
                public_code=f"code-{key}",
                risk_grade=grade,
                licence_number=f"JY244070300{index:05d}"[:16],
                credit_code=body + credit_code_check(body),
            ),
        )
    for login, name, role, region, own in OFFICERS:
        officer = Officer(
            login=login, name=name, role=role, region=region, id=f"officer-{login}",
            password_hash=hashed, establishment_id=own,
        )  # fmt: skip
        officers.add(conn, officer)
    kinds = {
        EstablishmentKind.CANTEEN: SiteKind.CANTEEN,
        EstablishmentKind.VAN: SiteKind.QUICK_TEST_VAN,
    }
    rooms = {"market": "快检室", "canteen": "后厨", "van": "快检车", "supermarket": "快检室"}
    for key, name, kind, region, _, _, _, who in PLACES:
        if who is None:
            continue
        site = Site(
            who.site, region, f"{name}{rooms[kind]}" if kind != "van" else name,
            kinds.get(kind, SiteKind.TESTING_ROOM), key, kind in ("market", "supermarket"),
        )  # fmt: skip
        sites.add(conn, site)
    for who, device_kind, name, model, silent in DEVICES:
        device = Device(
            region=who.region, site=who.site, device=who.device, kind=device_kind, name=name,
            model=model, silent_after_s=silent, registered_at=now - timedelta(days=40),
        )  # fmt: skip
        devices.add(conn, device)


def _health(conn: Connection, now: datetime) -> None:
    def told(who: Identity, state: DeviceState, ago_s: float, **more: Any) -> None:
        at = now - timedelta(seconds=ago_s)
        devices.set_status(conn, who, Status(state=state, at=at, software="0.1.0", **more), at)
        devices.mark_seen(conn, {who: at})

    told(MARKET, DeviceState.ONLINE, 4, clock_offset_s=0.2)
    told(MARKET.sibling("lz4000t"), DeviceState.ONLINE, 300, clock_offset_s=-42.0)
    told(MARKET.sibling("atp"), DeviceState.ONLINE, 4000)
    told(
        CANTEEN, DeviceState.DEGRADED, 6, detail="1 台摄像头离线", backlog=128,
        lowest_unreceipted=20417, oldest_unsent_age_s=340.0, clock_offset_s=1.1,
    )  # fmt: skip
    told(CANTEEN.sibling("cold-1"), DeviceState.ONLINE, 9)
    told(CANTEEN.sibling("freezer-1"), DeviceState.ONLINE, 9)
    told(CANTEEN.sibling("cam-1"), DeviceState.ONLINE, 3)
    told(CANTEEN.sibling("cam-2"), DeviceState.OFFLINE, 5400, detail="RTSP 连接被拒绝")
    told(VAN, DeviceState.ONLINE, 7200)
    told(SUPERMARKET, DeviceState.ONLINE, 5, clock_offset_s=0.0)
    told(SUPERMARKET.sibling("cold-2"), DeviceState.ONLINE, 12)


def new_result(
    who: Identity, number: int, food: int, share: float, verdict: Verdict, at: datetime
) -> NewResult:
    """A pesticide reader's result as the gateway takes it in."""
    name, stall, origin = FOODS[food % len(FOODS)]
    raw = bytes.fromhex("7e111400") + number.to_bytes(4, "little") + name.encode("gb2312")
    raw += bytes((at.year - 2000, at.month, at.day, at.hour, at.minute, at.second))
    raw += round(share * 100).to_bytes(2, "little") + b"\x5a\xaa"
    result = TestResult(
        sample=Sample(
            number=f"{at:%Y%m%d}-{number:03d}", name=name, stall=stall, origin=origin,
            supplier=f"{origin}蔬菜合作社", lot=f"{at:%m%d}-{food % 3 + 1}",
        ),
        item="农药残留",
        item_code="pesticide_inhibition",
        value=Value(text=f"{share:.2f}", number=share, unit="%"),
        verdict=verdict,
        captured_at=at,
        measured_at=at - timedelta(seconds=4),
        profile=ProfileRef("dayuan_lz_4000t", "1"),
        raw=RawFrame(raw, hashlib.sha256(raw).hexdigest()),
        limit_text="positive at 50%, suspect from 40",
        rule="pesticide_inhibition 2003-08-11 [S] GB/T 5009.199",
        instrument_verdict="阳性" if share > 50 else "阴性",
        operator="伍国权",
        record_number=number,
    )  # fmt: skip
    return NewResult(who, "agent", "e1", number, f"e1-{number}", result, at + timedelta(seconds=1))


def _verdict(share: float) -> Verdict:
    if share >= 50:
        return Verdict.POSITIVE
    return Verdict.SUSPECT if share >= 40 else Verdict.PASS


def _tests(conn: Connection, now: datetime) -> dict[str, NewResult]:
    dice = random.Random(7)
    made = []
    for number in range(1, 121):
        share = min(97.0, abs(dice.gauss(14, 9)))
        if number in (118, 97, 63):
            share = {118: 67.31, 97: 45.62, 63: 58.04}[number]
        at = now - timedelta(hours=(120 - number) * 5.4, minutes=dice.uniform(4, 50))
        who = MARKET.sibling("lz4000t")
        made.append(new_result(who, number, number * 5, round(share, 2), _verdict(share), at))
    for number in range(1, 21):
        at = now - timedelta(hours=30 + number * 9)
        who = VAN.sibling("lz4000t")
        share = round(min(39.0, abs(dice.gauss(12, 8))), 2)
        made.append(new_result(who, number, number, share, Verdict.PASS, at))
    results.add(conn, made)
    return {"positive": made[117], "suspect": made[96], "older": made[62]}


def test_alert(new: NewResult, at: datetime) -> NewAlert:
    """The alert that a positive or suspect result raises."""
    test, positive = new.result, new.result.verdict is Verdict.POSITIVE
    value = f"{test.value.text} %"
    return NewAlert(
        fingerprint=f"pesticide|{new.who.source}|{new.event_id}",
        rule="pesticide_positive" if positive else "pesticide_suspect",
        rule_version="1",
        severity=Severity.AT_ONCE if positive else Severity.DEADLINE,
        title_zh=f"农药残留快检{'阳性' if positive else '可疑'}：{test.sample.name}",
        title_en=f"Pesticide residue {'positive' if positive else 'suspect'}: {test.sample.name}",
        summary_zh=f"样品 {test.sample.name}（编号 {test.sample.number}，摊位 {test.sample.stall}）"
        f"抑制率 {value}，限值 50 %。快检为初筛，请立即复测并送确证检验。",
        summary_en=f"Sample {test.sample.name} (no. {test.sample.number}): inhibition {value}.",
        who=new.who,
        raised_at=at,
        result_id=new.result_id,
        facts={
            "item": test.item, "value": test.value.text, "number": test.value.number, "unit": "%",
            "limit": test.limit_text, "verdict": test.verdict.value,
            "basis": "GB/T 5009.199；食品安全法 第112条",
        },
    )  # fmt: skip


def simple_alert(
    key: str,
    who: Identity,
    severity: Severity,
    at: datetime,
    zh: str,
    en: str,
    say: str,
    **facts: Any,
) -> NewAlert:
    """An alert of another kind."""
    return NewAlert(
        fingerprint=key, rule=key.partition("|")[0], rule_version="1", severity=severity,
        title_zh=zh, title_en=en, summary_zh=say, summary_en=en, who=who, raised_at=at, facts=facts,
    )  # fmt: skip


def _alerts(conn: Connection, now: datetime, tests: dict[str, NewResult]) -> dict[str, str]:
    made: dict[str, str] = {}

    def ago(**span: float) -> datetime:
        return now - timedelta(**span)

    for name, new in tests.items():
        at = new.result.captured_at
        made[name], _ = alerts.raise_alert(conn, test_alert(new, at))
    cold = simple_alert(
        "cold_store_warm|cold-1", CANTEEN.sibling("cold-1"), Severity.DEADLINE, ago(minutes=38),
        "冷库温度超限：冷藏库 1", "Cold store too warm: 冷藏库 1",
        "冷藏库 1 温度 11.4 °C，冷藏限值 < 8 °C，已持续 26 分钟。请检查库门、制冷和食品。",
        metric="temperature", value=11.4, unit="°C", limit="< 8 °C", basis="GB 31654-2021",
        limit_source="GB 31654-2021 餐饮服务通用卫生规范 [S]",
    )  # fmt: skip
    made["cold"], _ = alerts.raise_alert(conn, cold)
    silent = simple_alert(
        "agent_offline|van", VAN, Severity.DEADLINE, ago(hours=1, minutes=58),
        "点位失联：新会区流动快检车 1 号", "Site not heard of",
        "快检车网关已 2 小时没有消息，期间的快检结果尚未送达。", duration="2 小时",
    )  # fmt: skip
    made["van"], _ = alerts.raise_alert(conn, silent)
    warm = simple_alert(
        "cold_store_warm|cold-2", SUPERMARKET.sibling("cold-2"), Severity.DEADLINE, ago(hours=5),
        "冷柜温度超限：生鲜冷柜", "Cold store too warm: 生鲜冷柜",
        "生鲜冷柜温度 9.1 °C，冷藏限值 < 8 °C，已持续 14 分钟。",
        metric="temperature", value=9.1, unit="°C", limit="< 8 °C", basis="GB 31654-2021",
    )  # fmt: skip
    made["super"], _ = alerts.raise_alert(conn, warm)
    alerts.resolve(conn, made["super"], ago(hours=4, minutes=20), "6.8 °C, < 8 °C")
    alerts.acknowledge(conn, made["suspect"], "officer-baisha", ago(hours=110))
    alerts.acknowledge(conn, made["older"], "officer-pengjiang", ago(hours=300))
    note = "已下架同批次韭菜 12 kg，实验室复检报告 JM2026-0311 合格，解除控制。"
    alerts.close(conn, made["older"], "officer-pengjiang", ago(hours=260), note)
    return made


def kitchen_picture() -> tuple[bytes, int, int]:
    """A person with the face made unrecognisable (NASA's portrait, public domain)."""
    path = Path(skimage.__file__).parent / "data" / "astronaut.png"
    with Image.open(path) as opened:
        whole = opened.convert("RGB")
    head = (172, 62, 272, 184)
    coarse = whole.crop(head).resize((7, 9), Image.Resampling.BOX)
    whole.paste(coarse.resize((100, 122), Image.Resampling.NEAREST), head[:2])
    wide = Image.new("RGB", (640, 480), (196, 200, 196))
    wide.paste(whole.resize((480, 480)), (90, 0))
    out = io.BytesIO()
    wide.save(out, "JPEG", quality=82)
    return out.getvalue(), 640, 480


def put_observation(
    conn: Connection, who: Identity, key: str, kind: str, at: datetime, *, phase: Phase, zone: str
) -> None:
    """An observation of a camera, with a picture if it saw somebody."""
    sees = kind.startswith("no_")
    content, width, height = kitchen_picture()
    x = 0.9375
    box = Box("head", 90 + 172 * x, 58, 90 + 272 * x, 172, 0.91, {"hat": 0.06, "mask": 0.11})
    seen = Observation(
        observation_id=key, kind=kind, phase=phase, started_at=at, captured_at=at,
        reason="连续 6 帧未见厨师帽" if sees else "RTSP 连接被拒绝", zone=zone,
        zone_kind="food_preparation", people=1 if sees else 0, confidence=0.91 if sees else 1.0,
        boxes=(box,) if sees else (), ended_at=None if phase is Phase.OPEN else at,
        models=(ModelRef("hygiene", "1", "ab" * 32),) if sees else (),
        evidence=(f"{key}-1",) if sees else (),
    )  # fmt: skip
    observations.put(conn, who, seen, at)
    if sees:
        picture = Evidence(
            evidence_id=f"{key}-1", media_type="image/jpeg", content=content,
            sha256=hashlib.sha256(content).hexdigest(), width=width, height=height, captured_at=at,
            blurred=True, observation_id=key, boxes=(box,),
        )  # fmt: skip
        evidence.put(conn, who, picture, at)


def _kitchen(conn: Connection, now: datetime, made: dict[str, str]) -> None:
    camera = CANTEEN.sibling("cam-1")
    at = now - timedelta(minutes=12)
    put_observation(conn, camera, "o-1", "no_hat", at, phase=Phase.OPEN, zone="切配间")
    early = now - timedelta(hours=26)
    put_observation(conn, camera, "o-0", "no_hat", early, phase=Phase.CLOSED, zone="切配间")
    blind = now - timedelta(minutes=90)
    two = CANTEEN.sibling("cam-2")
    put_observation(conn, two, "o-2", "camera_offline", blind, phase=Phase.OPEN, zone="备餐专间")
    lead = NewAlert(
        fingerprint="no_hat|o-1", rule="no_hat", rule_version="1", severity=Severity.GUIDANCE,
        title_zh="后厨人员未戴厨师帽", title_en="Kitchen staff without a chef's hat",
        summary_zh="切配间摄像头（切配间）观察到 1 人未戴厨师帽，置信度 91 %。线索待人工复核。",
        summary_en="切配间摄像头 saw 1 person without a chef's hat, confidence 91 %.",
        who=camera, raised_at=at, observation_id="o-1", evidence=("o-1-1",),
        facts={"kind": "no_hat", "zone": "切配间", "basis": "餐饮服务食品安全操作规范 14.2"},
    )  # fmt: skip
    made["hat"], _ = alerts.raise_alert(conn, lead)
    dark = NewAlert(
        fingerprint="camera|o-2", rule="camera_blind", rule_version="1", severity=Severity.DEADLINE,
        title_zh="摄像头看不见：备餐专间摄像头", title_en="Camera cannot see: 备餐专间摄像头",
        summary_zh="备餐专间摄像头离线，已 90 分钟没有画面。看不见不等于没有问题。",
        summary_en="No picture for 90 minutes.", who=two, raised_at=blind, observation_id="o-2",
        facts={"kind": "camera_offline"},
    )  # fmt: skip
    made["blind"], _ = alerts.raise_alert(conn, dark)


def _temperatures(now: datetime) -> list[Point]:
    dice = np.random.default_rng(3)
    points = []
    for who, mean, swing in (
        (CANTEEN.sibling("cold-1"), 4.2, 0.8),
        (CANTEEN.sibling("freezer-1"), -18.5, 0.7),
        (SUPERMARKET.sibling("cold-2"), 5.6, 0.9),
    ):
        for minute in range(0, 24 * 60, 2):
            if who.device == "cold-1" and 460 < minute < 540:
                continue  # the probe's line was out
            at = now - timedelta(minutes=minute)
            value = mean + swing * math.sin(minute / 23) + float(dice.normal(0, 0.12))
            if who.device == "cold-1" and minute < 64:
                value += 7.0 * (1 - minute / 64)
            tags = {"region": who.region, "site": who.site, "device": who.device}
            tags["metric"] = "temperature"
            points.append(Point("readings", tags, {"value": round(value, 1)}, to_ns(at)))
    return points
