"""The words of alerts: values, limits and durations as people read them, in Chinese and English."""

from collections.abc import Mapping

from contracts.events import Sample, Value
from contracts.units import symbol
from contracts.words import Verdict

NOT_GIVEN_ZH, NOT_GIVEN_EN = "未填写", "not given"

VERDICTS_ZH = {
    Verdict.PASS: "合格",
    Verdict.POSITIVE: "阳性",
    Verdict.SUSPECT: "可疑",
    Verdict.INVALID: "无效",
    Verdict.NONE: "未判定",
}
QUALITATIVE_ZH = {"negative": "阴性", "positive": "阳性", "invalid": "无效"}
OBSERVATIONS = {
    "no_hat": ("未戴厨师帽", "no chef's hat"),
    "no_mask": ("未戴口罩", "no mask"),
    "off_hours_person": ("非工作时间有人", "somebody outside working hours"),
    "smoking": ("吸烟", "smoking"),
    "phone": ("使用手机", "a phone in use"),
    "rodent": ("疑似鼠类", "a rodent, it seems"),
    "cat": ("猫", "a cat"),
    "dog": ("狗", "a dog"),
    "animal": ("动物", "an animal"),
    "bin_open": ("垃圾桶未盖", "an open bin"),
    "flame_unattended": ("明火离岗", "an unattended flame"),
    "camera_offline": ("摄像头离线", "camera offline"),
    "camera_dark": ("画面过暗", "picture too dark"),
    "camera_frozen": ("画面静止不动", "picture frozen"),
    "camera_covered": ("画面被遮挡", "camera covered"),
    "camera_blurred": ("画面模糊", "picture blurred"),
    "camera_moved": ("摄像头被移动", "camera moved"),
    "camera_overexposed": ("画面过曝", "picture over-exposed"),
    "camera_looped": ("画面为旧录像重放", "an old recording played again"),
    "camera_clock_wrong": ("摄像头时钟不准", "camera clock wrong"),
    "camera_lights_off": ("非工作时间关灯", "lights off outside working hours"),
    "record_gap": ("仪器记录号缺失", "record numbers missing"),
}
"""Known observation kinds; others are said by their own name."""


class Words(dict[str, str]):
    """Words for a template in one language; what is empty is said to be missing."""

    def __init__(self, not_given: str, words: Mapping[str, str]) -> None:
        super().__init__({key: value or not_given for key, value in words.items()})


def fill(template: str, not_given: str, words: Mapping[str, str]) -> str:
    """Put `words` into `template` (``{name}`` in braces)."""
    return template.format_map(Words(not_given, words))


def number(value: float, unit: str) -> str:
    """A number with its unit, e.g. ``8.4 °C``; six significant digits at most."""
    return f"{value:g} {symbol(unit)}".rstrip()


def value_zh(value: Value) -> str:
    """A test's value as sent, with its unit, in Chinese."""
    return QUALITATIVE_ZH.get(value.qualitative) or _as_sent(value)


def value_en(value: Value) -> str:
    """A test's value as sent, with its unit, in English."""
    return value.qualitative or _as_sent(value)


def details_zh(sample: Sample) -> str:
    """Number and stall in brackets, as far as they are known; else one space."""
    number = sample.number and f"编号 {sample.number}"
    stall = sample.stall and f"摊位 {sample.stall}"
    known = "，".join(filter(None, (number, stall)))
    return f"（{known}）" if known else " "


def details_en(sample: Sample) -> str:
    """Number and stall in brackets, as far as they are known; else one space."""
    number = sample.number and f"no. {sample.number}"
    stall = sample.stall and f"stall {sample.stall}"
    known = ", ".join(filter(None, (number, stall)))
    return f" ({known}) " if known else " "


def duration_zh(seconds: float) -> str:
    """A duration in Chinese: 秒, 分钟 or 小时."""
    return _duration(seconds, (" 秒", " 分钟", " 小时"))


def duration_en(seconds: float) -> str:
    """A duration in English: s, min or h."""
    return _duration(seconds, (" s", " min", " h"))


def cut(text: str, most: int = 512) -> str:
    """`text`, at most `most` characters long."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _as_sent(value: Value) -> str:
    unit = symbol(value.unit)
    if not value.text or not unit or value.text.rstrip().endswith(unit):
        return value.text
    return f"{value.text} {unit}"


def _duration(seconds: float, words: tuple[str, str, str]) -> str:
    if seconds < 60:
        return f"{seconds:.0f}{words[0]}"
    if seconds < 7200:
        return f"{seconds / 60:.0f}{words[1]}"
    return f"{seconds / 3600:.1f}".removesuffix(".0") + words[2]
