"""What answers to looks say, in Chinese and in English."""

from contracts.words import both
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.words import SIGHT

NOT_ALLOWED = both("该点位未开放查看", "looks are not allowed at this site")
BUSY = both("此摄像头正在被查看，请稍候", "this camera is being looked at just now")
TOO_OFTEN = both(
    "此摄像头一小时内被查看次数已达上限", "this camera was looked at too often this hour"
)
NOT_LOGGED = both("查看记录无法写入，不予查看", "the look cannot be written down, so there is none")
NOTHING_HEARD = both("摄像头程序没有回应", "the camera's program does not answer")
TIME_IS_UP = both("查看时间已到", "the time is up")
ENOUGH = both("图片数量已达上限", "the number of pictures is reached")


def blind(sight: Sight) -> str:
    """Why a camera shows nothing."""
    zh, en = SIGHT[sight]
    return both(f"看不见：{zh}", f"it cannot see: {en}")


GONE = both("现场已没有这一画面", "the site has this picture no more")
KEPT_ENOUGH = both("本次查看保存的画面已达上限", "as many pictures of this look are kept as may be")
NOT_STORED = both("现场无法存储，画面未保存", "the site cannot store it, so it is not kept")


def kept(by: str, reason: str) -> str:
    """What the observation of a kept picture says."""
    by, reason = by.replace(" / ", "/"), reason.replace(" / ", "/")
    return both(f"{by}查看时保存：{reason}", f"kept in a look by {by}: {reason}")
