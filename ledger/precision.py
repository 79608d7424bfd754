"""How far a share can be believed: Wilson's interval, which stays honest with few verdicts."""

import math

import msgspec

Z = 1.959964
"""Standard deviations of a 95 % interval."""


class Precision(msgspec.Struct, frozen=True):
    """The share of right alerts among those judged, and where it may lie with 95 % confidence."""

    share: float
    low: float
    high: float


def precision(true: int, judged: int) -> Precision | None:
    """Of `judged` alerts `true` were right; None if nothing was judged.

    Raises ValueError if there are more right ones than judged ones.
    """
    if not 0 <= true <= judged:
        raise ValueError(f"{true} right of {judged} judged")
    if judged == 0:
        return None
    share = true / judged
    z2 = Z * Z
    middle = (share + z2 / (2 * judged)) / (1 + z2 / judged)
    spread = share * (1 - share) / judged + z2 / (4 * judged * judged)
    half = Z / (1 + z2 / judged) * math.sqrt(spread)
    # Rounding must not take the share itself out of its interval.
    return Precision(
        share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))
    )
