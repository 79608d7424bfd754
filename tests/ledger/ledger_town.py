"""A small town for the ledger's tests, and makers of facts told by its devices."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.events import (
    Evidence,
    Observation,
    ProfileRef,
    RawFrame,
    Sample,
    TestResult,
    Value,
)
from contracts.topics import Identity
from contracts.words import Phase, Severity, Verdict
from ledger import devices, establishments, officers, regions, sites
from ledger.alerts import NewAlert
from ledger.engine import Connection
from ledger.results import NewResult

AT = datetime(2026, 3, 2, 1, 30, 0, 123456, tzinfo=UTC)
AGENT = Identity("440703-tangxia", "pj-market-1", "agent")
READER = AGENT.sibling("reader-1")
CAMERA = AGENT.sibling("camera-1")
MARKET = "market"
OFFICER = "officer-li"


def after(seconds: float) -> datetime:
    return AT + timedelta(seconds=seconds)


def build(conn: Connection) -> None:
    region = regions.Region
    regions.add(
        conn,
        region("440700", "江门市", "Jiangmen"),
        region("440703", "蓬江区", "Pengjiang", "440700"),
        region("440705", "新会区", "Xinhui", "440700"),
        region("440703-tangxia", "棠下镇", "Tangxia", "440703"),
    )
    officers.add(
        conn,
        officers.Officer(
            id=OFFICER, login="li", name="李国华", role=officers.Role.TOWN, region="440703-tangxia"
        ),
    )
    establishments.add(
        conn,
        establishments.Establishment(
            id=MARKET,
            name="棠下农贸市场",
            kind=establishments.EstablishmentKind.MARKET,
            region="440703-tangxia",
            officer_id=OFFICER,
            public_code="market-code",
        ),
    )
    site = sites.Site(
        id="pj-market-1",
        region="440703-tangxia",
        name="快检室",
        kind=sites.SiteKind.TESTING_ROOM,
        establishment_id=MARKET,
        self_test=True,
    )
    sites.add(conn, site)
    for who, kind, silent_after_s in (
        (AGENT, devices.DeviceKind.AGENT, 60.0),
        (READER, devices.DeviceKind.PESTICIDE_READER, None),
        (CAMERA, devices.DeviceKind.CAMERA, 120.0),
    ):
        devices.add(
            conn,
            devices.Device(
                region=who.region,
                site=who.site,
                device=who.device,
                kind=kind,
                name=f"设备 {who.device}",
                registered_at=AT,
                silent_after_s=silent_after_s,
            ),
        )


def result(sequence: int = 1, who: Identity = READER, **changes: Any) -> NewResult:
    content = f"记录 {sequence}".encode("gb2312")
    told = {
        "sample": Sample(number="S-1", name="菜心", stall="A12", lot="L7", origin="鹤山"),
        "item": "农药残留",
        "item_code": "pesticide_inhibition",
        "value": Value(text="50.00", number=50.0, unit="%"),
        "verdict": Verdict.POSITIVE,
        "captured_at": after(sequence),
        "profile": ProfileRef("dayuan_lz_4000t", "1"),
        "raw": RawFrame(content, hashlib.sha256(content).hexdigest()),
        "flags": ("name_cut",),
        "record_number": sequence,
    }
    return NewResult(
        who=who,
        agent="agent",
        epoch="e1",
        sequence=sequence,
        event_id=f"e1-{sequence}",
        result=TestResult(**(told | changes)),
        received_at=after(sequence + 0.5),
    )


def observation(observation_id: str = "o1", **changes: Any) -> Observation:
    told = {
        "observation_id": observation_id,
        "kind": "no_hat",
        "phase": Phase.OPEN,
        "started_at": AT,
        "captured_at": after(3),
        "reason": "未戴厨师帽",
        "zone": "切配间",
        "people": 1,
        "confidence": 0.87,
    }
    return Observation(**(told | changes))


def picture(evidence_id: str = "p1", content: bytes = b"jpeg", **changes: Any) -> Evidence:
    told = {
        "evidence_id": evidence_id,
        "media_type": "image/jpeg",
        "content": content,
        "sha256": hashlib.sha256(content).hexdigest(),
        "width": 640,
        "height": 360,
        "captured_at": after(2),
        "blurred": True,
        "observation_id": "o1",
    }
    return Evidence(**(told | changes))


def alert(fingerprint: str = "f1", at: datetime = AT, **changes: Any) -> NewAlert:
    told = {
        "fingerprint": fingerprint,
        "rule": "pesticide-positive",
        "rule_version": "1",
        "severity": Severity.AT_ONCE,
        "title_zh": "农残阳性",
        "title_en": "Pesticide positive",
        "who": READER,
        "raised_at": at,
        "facts": {"value": 50.0, "limit": "< 50 %", "依据": "GB/T 5009.199"},
    }
    return NewAlert(**(told | changes))
