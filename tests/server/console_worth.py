"""Weeks of the town's alerts with verdicts, notifications, a silence and what is proposed."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta

from console_facts import simple_alert
from console_places import CANTEEN, SUPERMARKET, VAN

from contracts.events import ModelRef, Observation
from contracts.topics import Identity
from contracts.words import AlertVerdict, Phase, Severity
from ledger import (
    alert_life,
    alerts,
    devices,
    notifications,
    observations,
    proposals,
    push_subscriptions,
    silences,
    verdicts,
)
from ledger.alerts import NewAlert
from ledger.engine import Connection, Engine, writing
from ledger.notifications import NewNotification
from ledger.silences import Matchers, Silence

CAMERA = CANTEEN.sibling("cam-1")
PUBLIC_KEY = "B" + "A" * 86
TRUE, FALSE, UNSURE = AlertVerdict.TRUE, AlertVerdict.FALSE, AlertVerdict.UNSURE


def build_weeks(engine: Engine, now: datetime, made: Mapping[str, str]) -> dict[str, str]:
    """Write it; returns ids by a short name."""
    dice = random.Random(11)
    with writing(engine) as conn:
        devices.add(conn, _second_camera(now))
        rats = [_seen(conn, "rodent", n, now - timedelta(hours=9 + n * 17)) for n in range(9)]
        for n, alert_id in enumerate(rats):
            said = TRUE if n == 3 else FALSE
            _judge(conn, alert_id, said, "cat" if n % 3 else "steam", now - timedelta(hours=n))
        hats = [
            _seen(conn, "no_hat", 100 + n, now - timedelta(hours=5 + n * 11)) for n in range(26)
        ]
        for n, alert_id in enumerate(hats[2:]):
            said = UNSURE if n % 9 == 4 else FALSE if n % 4 == 1 else TRUE
            _judge(conn, alert_id, said, "poster", now - timedelta(hours=n))
        for week in range(10):
            for _ in range(3 + week % 3):
                at = now - timedelta(weeks=week, hours=dice.uniform(1, 70))
                _cold(conn, dice, at, now)
        _hold(conn, now, made)
        hidden = Silence(
            id="defrost", kind="maintenance", starts_at=now - timedelta(hours=1),
            ends_at=now + timedelta(hours=5), reason="冷库除霜检修", author="officer-tangxia",
            created_at=now - timedelta(hours=1),
            matchers=Matchers(rule="cold_store_warm", region="440703-tangxia", site=CANTEEN.site),
        )  # fmt: skip
        silences.add(conn, hidden)
        above = Silence(
            id="city", starts_at=now, ends_at=now + timedelta(days=2), author="officer-shiju",
            reason="全市网络割接", created_at=now,
            matchers=Matchers(rule="agent_offline", region="440700"),
        )  # fmt: skip
        silences.add(conn, above)
        over = Silence(
            id="over", starts_at=now - timedelta(days=3), ends_at=now - timedelta(days=2),
            reason="演练", author="officer-pengjiang", created_at=now - timedelta(days=3),
            matchers=Matchers(rule="no_hat", region="440703"),
        )  # fmt: skip
        silences.add(conn, over)
        push_subscriptions.keep_server_key(conn, PUBLIC_KEY, now)
        waiting = proposals.list_in(conn, ["440700", "440703", "440703-tangxia"])
        return {"proposal": waiting[0].id, "rat": rats[0], "silence": "defrost"}


def _second_camera(now: datetime) -> devices.Device:
    return devices.Device(
        region=CAMERA.region, site=CAMERA.site, device="cam-3", kind=devices.DeviceKind.CAMERA,
        name="粗加工摄像头", model="RTSP", registered_at=now - timedelta(days=20),
    )  # fmt: skip


def _seen(conn: Connection, rule: str, number: int, at: datetime) -> str:
    key = f"w-{number}"
    seen = Observation(
        observation_id=key, kind=rule, phase=Phase.CLOSED, started_at=at, captured_at=at,
        ended_at=at, reason="", zone="切配间", confidence=0.7,
        models=(ModelRef("hygiene" if rule == "no_hat" else "pests", "1", "ab" * 32),),
    )  # fmt: skip
    observations.put(conn, CAMERA, seen, at)
    titles = {"rodent": ("疑似鼠类活动", "Rodent"), "no_hat": ("后厨人员未戴厨师帽", "No hat")}
    new = NewAlert(
        fingerprint=f"{rule}|{key}", rule=rule, rule_version="1",
        severity=Severity.DEADLINE if rule == "rodent" else Severity.GUIDANCE,
        title_zh=f"{titles[rule][0]}：切配间摄像头", title_en=titles[rule][1],
        summary_zh="线索待人工复核。", who=CAMERA, raised_at=at, observation_id=key,
        facts={"kind": rule, "zone": "切配间"},
    )  # fmt: skip
    alert_id, _ = alerts.raise_alert(conn, new)
    alert_life.acknowledge(conn, alert_id, "officer-tangxia", at + timedelta(minutes=7 + number))
    done_at = at + timedelta(hours=2 + number % 5)
    alert_life.dispose(conn, alert_id, "officer-tangxia", done_at, "现场核查")
    alert_life.review(conn, alert_id, "officer-pengjiang", done_at, "可以")
    alert_life.close(conn, alert_id, "officer-pengjiang", done_at, "办结")
    return alert_id


def _judge(conn: Connection, alert_id: str, said: AlertVerdict, cause: str, at: datetime) -> None:
    why = "" if said is TRUE or said is UNSURE else cause
    verdicts.give(conn, alert_id, "officer-tangxia", said, at, cause=why)
    row = alerts.get(conn, alert_id)
    assert row is not None
    proposals.renew(conn, row, at)


def _cold(conn: Connection, dice: random.Random, at: datetime, now: datetime) -> None:
    who: Identity = dice.choice((CANTEEN.sibling("cold-1"), SUPERMARKET.sibling("cold-2")))
    new = simple_alert(
        f"cold_store_warm|{at.timestamp()}", who, Severity.DEADLINE, at,
        f"冷库温度超限：{who.device}", f"Cold store too warm: {who.device}", "超限",
        metric="temperature", value=9.4, unit="°C", limit="< 8 °C",
    )  # fmt: skip
    alert_id, _ = alerts.raise_alert(conn, new)
    told_at = at + timedelta(seconds=dice.uniform(1, 40))
    _tell(conn, alert_id, "officer-tangxia", told_at, dice.choice(("wecom", "sms", "webpush")))
    taken_at = at + timedelta(minutes=dice.expovariate(1 / 25))
    if taken_at < now:
        alert_life.acknowledge(conn, alert_id, "officer-tangxia", taken_at)
        done_at = taken_at + timedelta(hours=dice.expovariate(1 / 6))
        if done_at < now:
            alert_life.dispose(conn, alert_id, "officer-tangxia", done_at, "已整改")
            alert_life.review(conn, alert_id, "officer-pengjiang", done_at, "可以")
            alert_life.close(conn, alert_id, "officer-pengjiang", done_at, "办结")


def _tell(conn: Connection, alert_id: str, recipient: str, at: datetime, channel: str) -> None:
    row = alerts.get(conn, alert_id)
    assert row is not None
    new = NewNotification(
        dedupe=f"{alert_id}|{recipient}|{channel}", kind="alert", severity=row.severity,
        recipient=recipient, title_zh=row.title_zh, title_en=row.title_en, body_zh="", body_en="",
        alert_ids=(alert_id,), region=row.region, site=row.site,
    )  # fmt: skip
    notifications.enqueue(conn, [new], at)
    for taken in notifications.take_due(conn, "seed", 9, at):
        notifications.sent(conn, taken.id, "seed", at, channel)


def _hold(conn: Connection, now: datetime, made: Mapping[str, str]) -> None:
    """What today's journal has: sent, failed, held, cancelled, queued."""
    at = now - timedelta(minutes=30)
    _tell(conn, made["positive"], "officer-baisha", at, "wecom")
    for name, recipient, hold, reason in (
        ("cold", "officer-pengjiang", "day", "超出当日额度 / over the day's budget"),
        ("hat", "officer-tangxia", "storm", "一分钟内超过 20 条 / more than 20 in a minute"),
        ("blind", "officer-tangxia", "", ""),
        ("super", "officer-shiju", "", ""),
    ):
        row = alerts.get(conn, made[name])
        assert row is not None
        new = NewNotification(
            dedupe=f"t|{name}", kind="alert", severity=row.severity, recipient=recipient,
            title_zh=row.title_zh, title_en=row.title_en, body_zh="", body_en="",
            alert_ids=(row.alert_id,), region=row.region, site=row.site,
            hold=hold, reason=reason,  # type: ignore[arg-type]
        )  # fmt: skip
        notifications.enqueue(conn, [new], at + timedelta(minutes=1))
        if name == "blind":
            (taken,) = notifications.take_due(conn, "seed", 1, at + timedelta(minutes=1))
            notifications.failed(
                conn, taken.id, "seed", at + timedelta(minutes=2), "企业微信应答 HTTP 500"
            )
    storm = NewNotification(
        dedupe="digest", kind="digest", severity=Severity.DEADLINE, recipient="officer-pengjiang",
        title_zh="汇总：24 条预警", title_en="Digest: 24 alerts", body_zh="", body_en="",
        alert_ids=(made["van"], made["cold"]), region=VAN.region, site="",
    )  # fmt: skip
    notifications.enqueue(conn, [storm], now)
    notifications.cancel_for_alert(conn, made["positive"], now, "acknowledged")
