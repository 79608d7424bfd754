"""What alerts of the made-up district say: rules with their words, and how often each comes."""

from dataclasses import dataclass

from contracts.words import Severity

FOODS = (
    "空心菜",
    "菜心",
    "豆角",
    "韭菜",
    "生菜",
    "番茄",
    "荔枝",
    "苦瓜",
    "上海青",
    "芹菜",
    "丝瓜",
    "小白菜",
)
ORIGINS = ("江门杜阮", "新会三江", "台山斗山", "开平水口", "鹤山古劳", "恩平沙湖", "广西田阳")


@dataclass(frozen=True, slots=True)
class Kind:
    """A rule's alerts."""

    rule: str
    severity: Severity
    device: str
    """Kind of the device that they are about."""
    zh: str
    en: str
    weight: int
    unit: str = ""
    limit: str = ""
    basis: str = ""
    low: float = 0.0
    high: float = 0.0
    where: str = ""
    """What its devices' ids begin with."""
    seen_as: str = ""
    """What a camera saw it as, so that there are an observation and pictures; empty: none did."""

    @property
    def seen(self) -> bool:
        """Whether a camera saw it."""
        return bool(self.seen_as)


_ONE, _TWO, _THREE = Severity.AT_ONCE, Severity.DEADLINE, Severity.GUIDANCE
_READER, _PROBE, _CAMERA, _AGENT = "pesticide_reader", "probe", "camera", "agent"
_PESTICIDE = "GB/T 5009.199；食品安全法 第112条"
_STORAGE = "GB 31654-2021 6.2"
_KITCHEN = "餐饮服务食品安全操作规范 14.2"
KINDS = (
    Kind("pesticide_positive", _ONE, _READER, "农药残留快检阳性", "Pesticide residue positive", 4,
         "%", "< 50 %", _PESTICIDE, 50, 99),
    Kind("pesticide_suspect", _TWO, _READER, "农药残留快检可疑", "Pesticide residue suspect", 6,
         "%", "< 50 %", _PESTICIDE, 40, 50),
    Kind("cold_store_warm", _TWO, _PROBE, "冷库温度超限", "Cold store too warm", 14,
         "°C", "< 8 °C", _STORAGE, 8.1, 16, "cold"),
    Kind("freezer_warm", _TWO, _PROBE, "冷冻库温度超限", "Freezer too warm", 6,
         "°C", "< -12 °C", _STORAGE, -11.9, -2, "freezer"),
    Kind("no_hat", _THREE, _CAMERA, "后厨人员未戴厨师帽", "Kitchen staff without a chef's hat", 18,
         basis=_KITCHEN, seen_as="no_hat"),
    Kind("no_mask", _THREE, _CAMERA, "专间人员未戴口罩", "Staff without a mask", 14,
         basis=_KITCHEN, seen_as="no_mask"),
    Kind("phone_use", _THREE, _CAMERA, "操作时使用手机", "Phone in use at the counter", 8,
         basis=_KITCHEN, seen_as="phone"),
    Kind("rodent", _TWO, _CAMERA, "疑似鼠类活动", "Rodent activity suspected", 9,
         basis="食品安全法 第33条", seen_as="rodent"),
    Kind("camera_cannot_see", _TWO, _CAMERA, "摄像头看不见", "Camera cannot see", 6),
    Kind("agent_offline", _TWO, _AGENT, "点位失联", "Site not heard of", 8),
    Kind("device_silent", _TWO, _PROBE, "设备沉默", "Device silent", 8),
    Kind("data_waiting", _THREE, _AGENT, "数据滞留在点位", "Data waiting at the site", 4),
)  # fmt: skip
