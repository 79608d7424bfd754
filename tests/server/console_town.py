"""A believable part of Jiangmen for the console's tests and screenshots.

`build` writes it into an empty ledger and time-series store as it would stand at `now`.
"""

import math
import random
from datetime import datetime, timedelta

import alert_steps
import numpy as np
from console_cases import add_cases
from console_facts import alert_of_test, new_result, put_observation, simple_alert, verdict_of
from console_places import CANTEEN, MARKET, PASSWORD, SUPERMARKET, VAN, add_places, tell_health

from contracts.words import Phase, Severity, Verdict
from ledger import (
    alerts,
    results,
)
from ledger.alerts import NewAlert
from ledger.engine import Connection, Engine, writing
from ledger.results import NewResult
from server.passwords import Passwords
from timeseries.port import Point, SeriesStore, to_ns

ALERTED = ("positive", "suspect", "older")
"""Tests that raised an alert."""
CASE = "case:"
"""What the names of cases begin with among what was made."""


def build(
    engine: Engine,
    store: SeriesStore,
    now: datetime,
    passwords: Passwords,
    *,
    pictures: bool = True,
) -> dict[str, str]:
    """Write the town; returns the ids of alerts and cases by a short name."""
    hashed = passwords.hash(PASSWORD)
    with writing(engine) as conn:
        add_places(conn, now, hashed)
        tests = _tests(conn, now)
        made = _alerts(conn, now, {name: tests[name] for name in ALERTED})
        found = add_cases(conn, now, made, tests)
        made |= {CASE + name: one for name, one in found.items()}
        if pictures:
            _kitchen(conn, now, made)
        tell_health(conn, now)
    store.write(_temperatures(now))
    return made


def _tests(conn: Connection, now: datetime) -> dict[str, NewResult]:
    dice = random.Random(7)
    made = []
    for number in range(1, 121):
        share = min(97.0, abs(dice.gauss(14, 9)))
        if number in (118, 97, 63):
            share = {118: 67.31, 97: 45.62, 63: 58.04}[number]
        at = now - timedelta(hours=(120 - number) * 5.4, minutes=dice.uniform(4, 50))
        who = MARKET.sibling("lz4000t")
        made.append(new_result(who, number, number * 5, round(share, 2), verdict_of(share), at))
    for number in range(1, 21):
        at = now - timedelta(hours=30 + number * 9)
        who = VAN.sibling("lz4000t")
        share = round(min(39.0, abs(dice.gauss(12, 8))), 2)
        made.append(new_result(who, number, number, share, Verdict.PASS, at))
    results.add(conn, made)
    alerted = {"positive": made[117], "suspect": made[96], "older": made[62]}
    return alerted | {"warned": made[2], "published": made[4], "van": made[120]}


def _alerts(conn: Connection, now: datetime, tests: dict[str, NewResult]) -> dict[str, str]:
    made: dict[str, str] = {}

    def ago(**span: float) -> datetime:
        return now - timedelta(**span)

    for name, new in tests.items():
        at = new.result.captured_at
        made[name], _ = alerts.raise_alert(conn, alert_of_test(new, at))
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
    alert_steps.close(conn, made["older"], "officer-pengjiang", ago(hours=260), note)
    return made


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
        who=camera, raised_at=at, observation_id="o-1", evidence=("o-1-0", "o-1-1"),
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
