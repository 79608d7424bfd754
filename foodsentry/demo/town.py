"""The demo town: who is in it, and how it is written into an empty ledger.

Two of Jiangmen's seven districts. Every name is invented; the numbers pass their checks.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DemoDevice:
    """A device of a site, as the register should know it."""

    device: str
    kind: str
    name: str
    model: str
    silent_after_s: int = 60


@dataclass(frozen=True, slots=True)
class DemoSite:
    """An establishment with its one site and the devices there."""

    establishment: str
    kind: str
    region: str
    site: str
    site_name: str
    site_kind: str
    address: str
    devices: tuple[DemoDevice, ...]
    self_test: bool = False


AGENT = DemoDevice("agent", "agent", "边缘网关", "FoodSentry edge agent", 40)

MARKET = DemoSite(
    "江会农贸市场（演示）",
    "market",
    "440703",
    "pj-market-1",
    "江会农贸市场快检室",
    "testing_room",
    "蓬江区环市街道江会路（演示地址）",
    (
        AGENT,
        DemoDevice("lz4000t-1", "pesticide_reader", "农残速测仪", "LZ-4000T"),
        DemoDevice("reader-1", "analyzer", "胶体金读数仪", "LIS2-A2"),
    ),
    self_test=True,
)
VAN = DemoSite(
    "会城街道食品快检车（演示）",
    "van",
    "440705",
    "xh-van-1",
    "会城 1 号快检车",
    "quick_test_van",
    "新会区会城街道（流动）",
    (AGENT, DemoDevice("lz4000t-1", "pesticide_reader", "车载农残速测仪", "LZ-4000T")),
)
CANTEEN = DemoSite(
    "葵城小学食堂（演示）",
    "canteen",
    "440705",
    "xh-canteen-1",
    "葵城小学食堂",
    "canteen",
    "新会区会城街道葵城路（演示地址）",
    (
        AGENT,
        DemoDevice("coldstore-1", "probe", "1 号冷藏库探头", "XY-MD02", 20),
        DemoDevice("cam-1", "camera", "专间摄像头", "RTSP", 30),
    ),
)
SITES = (MARKET, VAN, CANTEEN)


@dataclass(frozen=True, slots=True)
class DemoOfficer:
    """Somebody who may sign in at the demo."""

    login: str
    name: str
    role: str
    region: str
    site: str = ""
    """For an establishment's own people: whose."""


OFFICERS = (
    DemoOfficer("city", "陈思敏", "city", "440700"),
    DemoOfficer("pengjiang", "李国华", "county", "440703"),
    DemoOfficer("xinhui", "何嘉怡", "county", "440705"),
    DemoOfficer("huanshi", "黄志明", "town", "440703"),
    DemoOfficer("huicheng", "林秀英", "town", "440705"),
    DemoOfficer("market", "周伟强", "operator", "440703", MARKET.site),
    DemoOfficer("canteen", "梁晓彤", "operator", "440705", CANTEEN.site),
    DemoOfficer("van", "吴俊杰", "operator", "440705", VAN.site),
)
"""Somebody at each level, and the people of each establishment: an alert's whole way shows here."""
