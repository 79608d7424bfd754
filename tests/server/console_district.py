"""A made-up district for the desk: 500 establishments and 2,000 open alerts, written in bulk.

A storm is as storms are: a few kitchens say the same thing over and over, the rest little.
"""

import random
from datetime import datetime, timedelta
from typing import Any

from contracts.words import AlertState
from ledger.engine import Engine, writing
from ledger.schema import alerts, devices, establishments, regions, sites

DISTRICT = "440703"
RULES = (
    ("pesticide_positive", 1, "农药残留快检阳性：{food}", "Pesticide residue positive: {food}"),
    ("cold_store_warm", 2, "冷库温度超限：冷藏库 {n}", "Cold store too warm: {n}"),
    ("agent_offline", 2, "点位失联", "Site not heard of"),
    ("no_hat", 3, "后厨人员未戴厨师帽", "Kitchen staff without a chef's hat"),
    ("no_mask", 3, "后厨人员未戴口罩", "Kitchen staff without a mask"),
    ("rodent", 2, "疑似鼠类活动", "Rodent suspected"),
)
TOWNS = ("环市", "潮连", "荷塘", "杜阮", "仓后", "堤东", "北街", "丰乐")
NAMES = ("惠民", "金桥", "东升", "双龙", "怡福", "福泉", "水南", "农林", "港口", "天龙")
KINDS = (("canteen", "食堂", "canteen"), ("market", "农贸市场", "testing_room"))
FOODS = ("菜心", "豆角", "韭菜", "空心菜", "芹菜")


def add_district(
    engine: Engine, now: datetime, *, places: int = 500, open_alerts: int = 2000
) -> list[str]:
    """Write it below `DISTRICT`; returns the alerts' ids, oldest first."""
    dice = random.Random(11)
    towns = [f"{DISTRICT}-t{index}" for index in range(len(TOWNS))]
    where = [(dice.choice(towns), *dice.choice(KINDS)) for _ in range(places)]
    told: dict[Any, list[dict[str, Any]]] = {
        regions: [
            {"code": code, "name_zh": f"{name}街道", "name_en": f"Town {index}",
             "parent": DISTRICT, "source": ""}
            for index, (code, name) in enumerate(zip(towns, TOWNS, strict=True))
        ],
        establishments: [
            {"id": f"d{n}", "name": f"{TOWNS[int(town[-1])]}{NAMES[n % 10]}{say} {n // 10 + 1} 号",
             "kind": kind, "region": town, "address": "", "public_code": f"district-{n}",
             "risk_grade": "", "officer_id": "officer-pengjiang" if n % 7 == 0 else None}
            for n, (town, kind, say, _) in enumerate(where)
        ],
        sites: [
            {"id": f"ds{n}", "region": town, "establishment_id": f"d{n}", "self_test": False,
             "name": f"点位 {n}", "kind": kind}
            for n, (town, _, _, kind) in enumerate(where)
        ],
        devices: [
            {"site": f"ds{n}", "device": "one", "region": town, "kind": "camera", "name": "设备",
             "model": "", "registered_at": now, "state": "online", "state_detail": "",
             "software": "", "epoch": "", "oldest_unsent_age_s": 0.0, "backlog": 0,
             "outbox_bytes": 0, "thinned": 0, "discarded_bytes": 0, "figures": {}}
            for n, (town, *_) in enumerate(where)
        ],
        alerts: [_alert(dice, n, where, now, open_alerts) for n in range(open_alerts)],
    }  # fmt: skip
    with writing(engine) as conn:
        for table, rows in told.items():
            conn.execute(table.insert(), rows)
    return [row["alert_id"] for row in told[alerts]]


def _alert(
    dice: random.Random, n: int, where: list[tuple[str, str, str, str]], now: datetime, of: int
) -> dict[str, Any]:
    stormy = n % 2 == 0
    place = dice.randrange(12) if stormy else dice.randrange(len(where))
    weights = (0, 6, 1, 12, 8, 1) if stormy else (2, 6, 4, 8, 6, 2)
    rule, severity, zh, en = dice.choices(RULES, weights)[0]
    at = now - timedelta(minutes=(of - n) * 1.7)
    food = dice.choice(FOODS)
    taken = n % 5 == 0
    late = n % 23 == 0
    return {
        "alert_id": f"{n:016x}", "fingerprint": f"district|{n}", "rule": rule, "rule_version": "1",
        "severity": severity, "title_zh": zh.format(food=food, n=place % 3 + 1),
        "title_en": en.format(food=food, n=place % 3 + 1), "summary_zh": "线索待人工复核。",
        "summary_en": "A lead until reviewed.", "region": where[place][0], "site": f"ds{place}",
        "device": "one", "establishment_id": f"d{place}", "raised_at": at, "changed_at": at,
        "state": AlertState.ACKNOWLEDGED.value if taken else AlertState.FIRING.value,
        "acknowledged_at": at if taken else None,
        "acknowledged_by": "officer-pengjiang" if taken else None,
        "close_note": "", "count": 1, "last_event_at": at, "facts": {}, "evidence": [],
        "due_at": None if late else now + timedelta(hours=1), "due_kind": "acknowledge",
        "overdue_since": at if late else None, "level": 0,
    }  # fmt: skip
