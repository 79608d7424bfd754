"""The words of messages about cases, in Chinese and English: what waits, what is due. Pure."""

from datetime import datetime

from contracts.casework_data import Clock, Move
from contracts.notices import Part
from gateway.notify.wording import LEVELS, local_time
from ledger.case_types import CaseRow

ASK = "ask"
"""A step that waits for its second officer."""


def step_part(row: CaseRow, move: Move, place: str, deadline: datetime | None, to: str) -> Part:
    """A step was made that waits for whoever is told (`to`: assignee, party or officers)."""
    heads = {
        "assignee": ("【待您办理】", "[for you to do] "),
        "party": ("【送达】", "[served on you] "),
        "officers": ("【待处理】", "[waits for you] "),
    }
    until_zh = f"，期限 {local_time(deadline)}" if deadline else ""
    until_en = f", by {local_time(deadline)} (UTC+8)" if deadline else ""
    return _part(row, heads[to], (move.zh, move.en), place, until_zh, until_en)


def ask_part(row: CaseRow, move: Move, place: str, by: str) -> Part:
    """A step waits for its second officer."""
    said = ("【待您确认】", "[for you to confirm] ")
    return _part(row, said, (move.zh, move.en), place, f"，{by} 提出", f", asked by {by}")


def due_part(
    row: CaseRow, clock: Clock, place: str, due_at: datetime, stage: str, level: int
) -> Part:
    """A duty is due soon, or was missed; `level` 1 and 2: told to those above. Or a right ends."""
    if clock.role == "right":
        return _right_part(row, clock, place, due_at)
    level_zh, level_en = LEVELS[min(level, len(LEVELS) - 1)]
    if stage == "soon":
        head = ("【即将到期】", "[due soon] ")
    elif level:
        head = (f"【逾期上报{level_zh}】", f"[overdue, escalated to the {level_en}] ")
    else:
        head = ("【已到期】", "[overdue] ")
    at = local_time(due_at)
    return _part(row, head, (clock.zh, clock.en), place, f"，期限 {at}", f", due {at} (UTC+8)")


def _right_part(row: CaseRow, clock: Clock, place: str, due_at: datetime) -> Part:
    """The party's right is over soon: until when it may still be used."""
    head, at = ("【权利即将到期】", "[your right ends soon] "), local_time(due_at)
    more_zh = f"，可在 {at} 前提出，逾期不再受理"
    more_en = f", possible until {at} (UTC+8), and not after"
    return _part(row, head, (clock.zh, clock.en), place, more_zh, more_en)


def _part(
    row: CaseRow,
    head: tuple[str, str],
    what: tuple[str, str],
    place: str,
    more_zh: str,
    more_en: str,
) -> Part:
    return Part(
        "",
        f"{head[0]}{what[0]}：{row.title_zh}",
        f"{head[1]}{what[1]}: {row.title_en}",
        f"{row.case_number} {place}：{head[0]}{what[0]}{more_zh}",
        f"{row.case_number} {place}: {head[1]}{what[1]}{more_en}",
    )
