"""The field's words as closed lists: verdicts, severity classes, states of devices and alerts."""

from enum import IntEnum, StrEnum


class Verdict(StrEnum):
    """判定 of a quick test. It screens; only a statutory test establishes."""

    PASS = "pass"
    POSITIVE = "positive"
    SUSPECT = "suspect"
    INVALID = "invalid"
    NONE = "none"
    """No rule judges this item: the value is kept, nothing is claimed."""


class AttachedHow(StrEnum):
    """How a result came to its sample."""

    NUMBER = "number"
    """The instrument sent the sample's number."""
    WINDOW = "window"
    """By its time: no other sample could be meant."""
    CHOSEN = "chosen"
    """A person was asked."""
    RERUN = "rerun"
    """复检: of the same number, after a first result that asked for it."""


class Severity(IntEnum):
    """Class of an alert: 1 at once, 2 with a deadline, 3 daily guidance."""

    AT_ONCE = 1
    DEADLINE = 2
    GUIDANCE = 3


class DeviceState(StrEnum):
    """What can be said of a device; unknown is not fine."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class AlertState(StrEnum):
    """Life of an alert: firing → acknowledged → disposing → reviewed → closed.

    People move it along. `resolved` is what an alert is while the data say that it is over and
    nobody has disposed of it yet; it can still be acknowledged and disposed of.
    """

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    """签收: somebody has taken it on."""
    DISPOSING = "disposing"
    """处置: what was done about it has been said, and waits for review."""
    REVIEWED = "reviewed"
    """复核: another officer holds it for enough."""
    RESOLVED = "resolved"
    CLOSED = "closed"
    """办结"""


OPEN_STATES = tuple(state for state in AlertState if state is not AlertState.CLOSED)
"""States of alerts that somebody still has to do with."""


class Due(StrEnum):
    """What an alert's deadline asks for."""

    ACKNOWLEDGE = "acknowledge"
    DISPOSE = "dispose"
    REVIEW = "review"


class AlertVerdict(StrEnum):
    """What an officer says of an alert after looking: it was right, wrong, or cannot be told."""

    TRUE = "true"
    FALSE = "false"
    UNSURE = "unsure"


class Phase(StrEnum):
    """Where an observed episode stands."""

    OPEN = "open"
    CLOSED = "closed"


class ZoneKind(StrEnum):
    """What an area before a camera is by the food-safety rules; rules of the city choose by it."""

    SPECIAL_ROOM = "special_room"
    """专间"""
    SPECIAL_AREA = "special_area"
    """专用操作区"""
    ROUGH_PROCESSING = "rough_processing"
    """粗加工（切配）"""
    COOKING = "cooking"
    """烹饪"""
    WASHING_UP = "washing_up"
    """餐用具洗消"""
    SERVING = "serving"
    """备餐、售餐"""
    STORE = "store"
    """库房"""
    PASSAGE = "passage"
    """通道"""
    DINING = "dining"
    """就餐"""
    GENERAL = "general"
    """Any other."""


class PictureRole(StrEnum):
    """Which moment of an episode a picture shows."""

    BEFORE = "before"
    """The last look before the looks that the finding rests on."""
    BEST = "best"
    """The look that shows the finding best, or the state that a camera is in."""
    AFTER = "after"
    """A look some seconds after the episode began."""


class LookState(StrEnum):
    """What an answer to a look says."""

    LIVE = "live"
    """Here is a picture."""
    OVER = "over"
    """The time is up, or the number of pictures is reached."""
    BLIND = "blind"
    """The camera cannot see, or does not prove that it does."""
    REFUSED = "refused"
    """The site does not take it: too many, another one runs, or looks are not allowed."""
    KEPT = "kept"
    """Of a picture that was asked to be kept: its evidence is on its way."""
    NOT_KEPT = "not_kept"
    """Of such a one: it is there no more, or cannot be kept; the reason says why."""


class Quality(StrEnum):
    """How far a reading can be believed."""

    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"


_BETWEEN = " / "


def both(zh: str, en: str) -> str:
    """What a device says to people, in both languages: ``中文 / English``."""
    return f"{zh}{_BETWEEN}{en}"


def in_chinese(said: str) -> str:
    """The Chinese half of what `both` made; other text as it is."""
    return said.partition(_BETWEEN)[0]


def in_english(said: str) -> str:
    """The English half of what `both` made; other text as it is."""
    return said.partition(_BETWEEN)[2] or said
