"""The town of the console's tests: regions, officers, establishments, sites, devices, health."""

from datetime import datetime, timedelta
from typing import Any

from contracts.events import Numbering, Status
from contracts.identifiers import credit_code_check
from contracts.topics import Identity
from contracts.words import DeviceState
from ledger import (
    devices,
    establishments,
    intake,
    officers,
    regions,
    sites,
)
from ledger.devices import Device, DeviceKind
from ledger.engine import Connection
from ledger.establishments import Establishment, EstablishmentKind
from ledger.officers import Officer, Role
from ledger.regions import Region
from ledger.sites import Site, SiteKind

PASSWORD = "jiangmen-2026-shian"
REGIONS = (
    Region("440700", "江门市", "Jiangmen"),
    Region("440703", "蓬江区", "Pengjiang", "440700"),
    Region("440704", "江海区", "Jianghai", "440700"),
    Region("440705", "新会区", "Xinhui", "440700"),
    Region("440703-baisha", "白沙街道", "Baisha", "440703"),
    Region("440703-baisha-01", "白沙第一网格", "Baisha grid 1", "440703-baisha"),
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
    ("wangge", "何敏仪", Role.GRID, "440703-baisha-01", None),
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


def add_places(conn: Connection, now: datetime, hashed: str) -> None:
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


def tell_health(conn: Connection, now: datetime) -> None:
    def told(who: Identity, state: DeviceState, ago_s: float, **more: Any) -> None:
        at = now - timedelta(seconds=ago_s)
        devices.set_status(conn, who, Status(state=state, at=at, software="0.1.0", **more), at)
        devices.mark_seen(conn, {who: at})

    # Its ledger was put back from a copy that knew less than the agent has receipts for.
    intake.claim(conn, MARKET, "9f2c41d07be8a635", range(1, 4097))
    told(
        MARKET, DeviceState.ONLINE, 4, clock_offset_s=0.2, epoch="9f2c41d07be8a635",
        lowest_unreceipted=5121,
        numbering=(Numbering("9f2c41d07be8a635", now - timedelta(days=3), 5120),),
    )  # fmt: skip
    told(MARKET.sibling("lz4000t"), DeviceState.ONLINE, 300, clock_offset_s=-42.0)
    told(MARKET.sibling("atp"), DeviceState.ONLINE, 4000)
    told(
        CANTEEN, DeviceState.DEGRADED, 6, detail="1 台摄像头离线", backlog=128,
        lowest_unreceipted=20417, oldest_unsent_age_s=340.0, clock_offset_s=1.1, epoch="c0ffee00",
    )  # fmt: skip
    told(CANTEEN.sibling("cold-1"), DeviceState.ONLINE, 9)
    told(CANTEEN.sibling("freezer-1"), DeviceState.ONLINE, 9)
    told(CANTEEN.sibling("cam-1"), DeviceState.ONLINE, 3)
    told(CANTEEN.sibling("cam-2"), DeviceState.OFFLINE, 5400, detail="RTSP 连接被拒绝")
    told(VAN, DeviceState.ONLINE, 7200)
    intake.claim(conn, SUPERMARKET, "51ab", [*range(1, 700), *range(701, 900, 2)])
    told(
        SUPERMARKET, DeviceState.ONLINE, 5, clock_offset_s=0.0, epoch="51ab",
        lowest_unreceipted=900, numbering=(Numbering("51ab", now - timedelta(days=9), 899, 120),),
    )  # fmt: skip
    told(SUPERMARKET.sibling("cold-2"), DeviceState.ONLINE, 12)
