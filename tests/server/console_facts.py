"""Facts of the town: results, alerts, observations with a picture."""

import hashlib
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
    TestResult,
    Value,
)
from contracts.topics import Identity
from contracts.words import Phase, PictureRole, Severity, Verdict
from edge_agent.custody.device_key import DeviceKey
from ledger import (
    evidence,
    observations,
)
from ledger.alerts import NewAlert
from ledger.engine import Connection
from ledger.results import NewResult

FOODS = (
    ("空心菜", "A12", "江门杜阮"), ("菜心", "A03", "新会三江"), ("豆角", "B07", "台山斗山"),
    ("韭菜", "A12", "开平水口"), ("生菜", "C01", "鹤山古劳"), ("番茄", "B02", "广西田阳"),
    ("荔枝", "D05", "茂名高州"), ("苦瓜", "A09", "恩平沙湖"), ("上海青", "C04", "江门荷塘"),
    ("芹菜", "A06", "新会双水"), ("丝瓜", "B11", "蓬江棠下"), ("小白菜", "C07", "江海礼乐"),
)  # fmt: skip


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
        limit_text="< 50 %",
        rule="pesticide_inhibition 2003-08-11 [S] GB/T 5009.199",
        instrument_verdict="阳性" if share > 50 else "阴性",
        operator="伍国权",
        record_number=number,
    )  # fmt: skip
    return NewResult(who, "agent", "e1", number, f"e1-{number}", result, at + timedelta(seconds=1))


def verdict_of(share: float) -> Verdict:
    if share >= 50:
        return Verdict.POSITIVE
    return Verdict.SUSPECT if share >= 40 else Verdict.PASS


def alert_of_test(new: NewResult, at: datetime) -> NewAlert:
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


KEYS: dict[str, DeviceKey] = {}
"""The signing key of each site's agent."""


def key_of(who: Identity) -> DeviceKey:
    """A key of its own for every site."""
    seed = hashlib.sha256(who.site.encode()).digest()
    made_at = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
    return KEYS.setdefault(who.site, DeviceKey("agent", seed, made_at))


def kitchen_picture(role: PictureRole = PictureRole.BEST) -> tuple[bytes, int, int]:
    """A person with the face made unrecognisable (NASA's portrait, public domain)."""
    path = Path(skimage.__file__).parent / "data" / "astronaut.png"
    with Image.open(path) as opened:
        whole = opened.convert("RGB")
    head = (172, 62, 272, 184)
    coarse = whole.crop(head).resize((7, 9), Image.Resampling.BOX)
    whole.paste(coarse.resize((100, 122), Image.Resampling.NEAREST), head[:2])
    wide = Image.new("RGB", (640, 480), (196, 200, 196))
    if role is not PictureRole.BEFORE:
        wide.paste(whole.resize((480, 480)), (90 if role is PictureRole.BEST else 150, 0))
    if role is not PictureRole.BEST:
        wide = wide.resize((48, 36)).resize((640, 480))
    out = io.BytesIO()
    wide.save(out, "JPEG", quality=82)
    return out.getvalue(), 640, 480


def put_observation(
    conn: Connection, who: Identity, key: str, kind: str, at: datetime, *, phase: Phase, zone: str
) -> None:
    """An observation of a camera, with a picture if it saw somebody."""
    sees = kind.startswith("no_")
    x = 0.9375
    box = Box("head", 90 + 172 * x, 58, 90 + 272 * x, 172, 0.91, {"hat": 0.06, "mask": 0.11})
    seen = Observation(
        observation_id=key, kind=kind, phase=phase, started_at=at, captured_at=at,
        reason="连续 6 帧未见厨师帽" if sees else "RTSP 连接被拒绝", zone=zone,
        zone_kind="food_preparation", people=1 if sees else 0, confidence=0.91 if sees else 1.0,
        boxes=(box,) if sees else (), ended_at=None if phase is Phase.OPEN else at,
        models=(ModelRef("hygiene", "1", "ab" * 32),) if sees else (),
        evidence=(f"{key}-0", f"{key}-1") if sees else (),
    )  # fmt: skip
    observations.put(conn, who, seen, at)
    moments = {PictureRole.BEFORE: -9, PictureRole.BEST: 0, PictureRole.AFTER: 5}
    for number, (role, after_s) in enumerate(moments.items() if sees else ()):
        content, width, height = kitchen_picture(role)
        picture = Evidence(
            evidence_id=f"{key}-{number}", media_type="image/jpeg", content=content,
            sha256=hashlib.sha256(content).hexdigest(), width=width, height=height,
            captured_at=at + timedelta(seconds=after_s), blurred=True, observation_id=key,
            boxes=(box,) if role is PictureRole.BEST else (), role=role,
            original_sha256="c1" * 32 if role is PictureRole.BEST else "",
        )  # fmt: skip
        evidence.put(conn, who, key_of(who).sign(who, picture), at, agent="agent")
