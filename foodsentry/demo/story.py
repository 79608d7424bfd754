"""What happens in the demo town: a timetable of tests, a cold store that warms up, and cools again.

A scene lasts `SCENE_S` and comes again; the first minute shows one of everything.
"""

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from foodsentry.demo.stage import Stage

SCENE_S = 120.0
CHINA = timezone(timedelta(hours=8))
VEGETABLES = ("菜心", "生菜", "油麦菜", "芥蓝", "空心菜", "通菜", "番茄", "黄瓜", "豆角", "青椒")
"""The instrument keeps three characters of a name."""
_STRIPS = (
    ("MLT-0417", "孔雀石绿", "鲈鱼"),
    ("KLT-0418", "克伦特罗", "猪肉"),
    ("LMS-0419", "氯霉素", "基围虾"),
)
"""A sample's name where no operator gives it a number, the item, and what is tested."""

Moment = tuple[float, Callable[[Stage, random.Random], None]]


def _passing(chance: random.Random) -> float:
    """An ordinary inhibition, in percent."""
    return round(min(38.0, max(0.6, chance.gauss(14, 7))), 2)


def _market(inhibition: float, name: str) -> Callable[[Stage, random.Random], None]:
    return lambda stage, chance: _at_market(stage, name, inhibition)


def _van(inhibition: float, name: str) -> Callable[[Stage, random.Random], None]:
    return lambda stage, chance: _ignore(stage.van.add_record(name, inhibition))


def _at_market(stage: Stage, name: str, inhibition: float) -> None:
    """The operator registers the sample, then tests it."""
    stage.operator.register(name)
    stage.market.add_record(name, inhibition)


def _ignore(_: object) -> None:
    """A moment gives nothing back."""


def _ordinary(stage: Stage, chance: random.Random) -> None:
    reader = chance.choice((stage.market, stage.van))
    name, inhibition = chance.choice(VEGETABLES), _passing(chance)
    if reader is stage.market:
        _at_market(stage, name, inhibition)
    else:
        reader.add_record(name, inhibition)


def _strip(number: int, value: str) -> Callable[[Stage, random.Random], None]:
    sample, item, product = _STRIPS[number]

    def happen(stage: Stage, chance: random.Random) -> None:
        otherwise = f"{sample}-{chance.randrange(100, 999)}"
        stage.strip(stage.operator.register(product) or otherwise, item, value)

    return happen


TIMETABLE: tuple[Moment, ...] = (
    (2, lambda stage, chance: stage.cold_store.warm_up(11.5, 0.5)),
    (3, _strip(0, "阴性")),
    (6, _market(62.35, "韭菜")),
    (10, _van(12.4, "菜心")),
    (14, _market(44.1, "豆角")),
    (18, _van(50.0, "空心菜")),
    (22, _market(49.99, "生菜")),
    (26, _strip(1, "阳性")),
    (31, _market(71.8, "芹菜")),
    (36, _van(58.02, "通菜")),
    (40, _strip(2, "阴性")),
    (44, lambda stage, chance: stage.cold_store.warm_up(3.5, 0.8)),
    (46, _market(53.6, "小白菜")),
    *((float(second), _ordinary) for second in range(4, 118, 9)),
)


def history(stage: Stage, now: datetime) -> None:
    """Records of this morning that the instruments still hold when the agents come up."""
    chance = random.Random(7)
    local = now.astimezone(CHINA)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    span = min(timedelta(minutes=50), local - midnight)
    for number in range(5, 0, -1):
        at = now - span * (number / 5)
        stage.market.add_record(chance.choice(VEGETABLES), _passing(chance), at)
        stage.van.add_record(chance.choice(VEGETABLES), _passing(chance), at)


class Story:
    """Plays the timetable in a thread until it is stopped."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._play, name="story", daemon=True)

    def start(self) -> None:
        """Begin the first scene."""
        self._thread.start()

    def stop(self) -> None:
        """No more happens."""
        self._stop.set()
        self._thread.join()

    def _play(self) -> None:
        chance = random.Random(20261123)
        begun = time.monotonic()
        while True:
            for at_s, happen in sorted(TIMETABLE, key=lambda moment: moment[0]):
                if self._stop.wait(max(0.0, begun + at_s - time.monotonic())):
                    return
                happen(self._stage, chance)
            begun += SCENE_S
