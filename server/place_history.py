"""The timeline of an establishment as people read it: lines in words, filter, pages, rights."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

import msgspec

from contracts.casework import OPENED
from contracts.casework_data import Rules
from contracts.looks import KEPT_KIND
from contracts.words import in_chinese, in_english
from ledger import officers, place_timeline
from ledger.engine import Connection
from ledger.establishments import Establishment
from ledger.officers import Role
from ledger.place_dossier import Period
from ledger.place_lines import Line, LineKind, Place, Window
from server.cursors import cursor, invalid_cursor, place_of
from server.formats import local
from server.languages import Words
from server.signing import Visit

NAME = "timeline"
PAGE = 60
BY_TEXT = {
    place_timeline.REGISTER, place_timeline.LIVES, place_timeline.PUBLIC, place_timeline.CARDS,
}  # fmt: skip
"""Sources whose keys are texts; the others' are numbers."""
DAYS = 365
"""An export covers so many days unless it is told otherwise."""


class HistoryFilter(msgspec.Struct, frozen=True):
    """What is wanted of a timeline."""

    kinds: tuple[LineKind, ...] = ()
    """Empty: every kind."""
    since: date | None = None
    until: date | None = None
    """Days of China, both included."""

    @property
    def wanted(self) -> frozenset[LineKind]:
        """The kinds."""
        return frozenset(self.kinds) or place_timeline.EVERY

    def window(self, limit: int, before: Place | None = None) -> Window:
        """The part of the timeline."""
        begin = self.since or date(2000, 1, 2)
        end = self.until or date(2199, 12, 30)
        whole = Period(begin, end).window(limit)
        return Window(
            whole.since if self.since else None,
            whole.until if self.until else None,
            before,
            limit,
        )

    def period(self, now: datetime) -> Period:
        """The days of an export."""
        until = self.until or local(now).date()
        return Period(self.since or until - timedelta(days=DAYS), until)

    def query(self, **more: str) -> str:
        """The filter as the end of an address."""
        asked: list[tuple[str, str]] = [("kind", kind.value) for kind in self.kinds]
        asked += [("since", self.since.isoformat())] if self.since else []
        asked += [("until", self.until.isoformat())] if self.until else []
        asked += list(more.items())
        return f"?{urlencode(asked)}" if asked else ""


class HistoryLine(msgspec.Struct, frozen=True):
    """A line in words."""

    line: Line
    label: str
    """What happened."""
    text: str
    """To what, with its figures."""
    href: str
    """Its record's page; empty: it has none."""
    tone: str
    by: str
    """Who did it; empty where nobody is named."""


def read_lines(
    conn: Connection,
    visit: Visit,
    one: Establishment,
    asked: HistoryFilter,
    rules: Rules,
    now: datetime,
    *,
    before: str | None = None,
    limit: int = PAGE,
) -> tuple[list[Line], str | None]:
    """One page of the timeline, and the cursor of the next. Raises Problem (422)."""
    found = place_timeline.lines(
        conn,
        one,
        asked.window(limit + 1, _seen(before)),
        now,
        kinds=asked.wanted,
        internal=sees_inside(visit),
        moves=moves_told(visit, rules),
    )
    shown, left = found[:limit], found[limit:]
    if not left:
        return shown, None
    last = shown[-1].place
    return shown, cursor(NAME, (last.at, last.rank, last.key))


def sees_inside(visit: Visit) -> bool:
    """Whether this visit sees names and notes: the authority's people do, the establishment's own
    do not, nor does a token, whose scope opens the place and not its cases.
    """
    return visit.officer.role != Role.OPERATOR and visit.token is None


def moves_told(visit: Visit, rules: Rules) -> list[str] | None:
    """Which steps of cases this visit sees: of those who see no inside, what a party sees."""
    if sees_inside(visit):
        return None
    return [OPENED, *(move.id for move in rules.moves.values() if move.party)]


def _seen(before: str | None) -> Place | None:
    found = place_of(NAME, before, tuple[datetime, int, str])
    if found is None:
        return None
    at, rank, key = found
    fits = rank in BY_TEXT or (key.isascii() and key.isdecimal() and len(key) < 19)
    if not fits or not place_timeline.REGISTER <= rank <= place_timeline.CARDS:
        raise invalid_cursor()
    return Place(at, rank, key)


def in_words(
    conn: Connection, lines: Sequence[Line], words: Words, rules: Rules
) -> list[HistoryLine]:
    """Lines as a reader of that language reads them."""
    known = officers.those(conn, {line.actor for line in lines if line.actor})
    return [
        HistoryLine(
            line,
            _label(line, words, rules),
            _text(line, words, rules),
            _href(line),
            _tone(line),
            known[line.actor].name if line.actor in known else "",
        )
        for line in lines
    ]


def _label(line: Line, words: Words, rules: Rules) -> str:
    if line.kind is LineKind.TEST:
        return words(f"verdict.{line.event}")
    if line.kind is LineKind.OBSERVATION:
        name = f"observed.{line.event}"
        return words(name) if words.has(name) else line.event
    if line.kind is LineKind.ALERT:
        return words(f"timeline.{line.event}")
    if line.kind in (LineKind.CASE, LineKind.PUBLICATION):
        move = rules.moves.get(line.event)
        if move is not None:
            return words.pick(move.zh, move.en)
    return words(f"history.{line.kind.value}.{line.event}")


def _text(line: Line, words: Words, rules: Rules) -> str:
    told = line.values
    if line.kind is LineKind.LICENCE:
        return _register(told, words)
    if line.kind is LineKind.SCORE:
        if "colour" in told:
            return words(f"card.colour.{told['colour']}")
        return f"{told.get('before') or '–'} → {told.get('after') or '–'}"
    title = words.pick(line.title_zh, line.title_en)
    if line.kind is LineKind.DEVICE:
        detail = told.get("detail", "")
        said = in_chinese(detail) if words.language == "zh_CN" else in_english(detail)
        return _joined(told.get("name") or told.get("device", ""), said)
    if line.kind is LineKind.TEST:
        sample = told.get("sample") or told.get("number", "")
        return _joined(sample, told.get("stall", ""), told.get("item", ""), _value(told))
    if line.kind is LineKind.READING:
        return _joined(title, _value(told))
    if line.kind is LineKind.OBSERVATION:
        taken_back = words("history.retracted") if told.get("retracted") else ""
        return _joined(told.get("zone", ""), told.get("device", ""), taken_back)
    if line.kind is LineKind.CASE:
        state = rules.states.get(told.get("state", ""))
        stands = words.pick(state.zh, state.en) if state is not None else ""
        return _joined(told.get("number", ""), title, stands)
    if line.kind is LineKind.PUBLICATION:
        outcome = rules.outcomes.get(told.get("outcome", ""))
        ended = words.pick(outcome.zh, outcome.en) if outcome is not None else ""
        return _joined(told.get("number", ""), title, ended)
    return title


def _register(told: Mapping[str, str], words: Words) -> str:
    if "day" in told:
        return _joined(told.get("number", ""), told["day"])
    parts = []
    for name, cell in told.items():
        side, _, field = name.partition(".")
        if side != "after":
            continue
        label = f"admin.field.{field}"
        before = told.get(f"before.{field}", "")
        said = f"{before} → {cell}" if before else cell
        if field == "kind":
            said = words(f"kind.{cell}")
        name = words("history.grace_days") if field == "grace_days" else words(label)
        parts.append(f"{name} {said}")
    gone = [
        name.partition(".")[2]
        for name in told
        if name.startswith("before.") and f"after.{name.partition('.')[2]}" not in told
    ]
    parts += [f"{words(f'admin.field.{field}')} {told[f'before.{field}']} → –" for field in gone]
    return "；".join(parts) if words.language == "zh_CN" else "; ".join(parts)


def _value(told: Mapping[str, str]) -> str:
    value, unit = told.get("value", ""), told.get("unit", "")
    said = value if not unit or unit in value else f"{value} {unit}"
    return f"{said}（{told['limit']}）" if said and told.get("limit") else said


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


_PAGES: dict[LineKind, str] = {
    LineKind.TEST: "/results/{}",
    LineKind.READING: "/alerts/{}",
    LineKind.OBSERVATION: "/alerts/{}",
    LineKind.ALERT: "/alerts/{}",
    LineKind.CASE: "/cases/{}",
    LineKind.PUBLICATION: "/cases/{}",
}


def _href(line: Line) -> str:
    if line.kind is LineKind.DEVICE:
        return "/devices"
    if line.kind is LineKind.OBSERVATION and line.event == KEPT_KIND:
        return f"/kitchens/kept/{line.record.rpartition('/')[2].removeprefix(f'{KEPT_KIND}-')}"
    if line.kind is LineKind.SCORE and "colour" in line.values:
        return f"/alerts/{line.subject}"
    page = _PAGES.get(line.kind)
    return page.format(line.subject) if page and line.subject else ""


_TONES = {
    "positive": "bad", "suspect": "warn", "pass": "ok", "crossed": "bad", "offline": "warn",
    "unknown": "warn", "over": "bad", "raised": "bad", "reopened": "bad", "given": "bad",
    "published": "warn", "resolved": "ok", "closed": "ok", "begins": "ok",
}  # fmt: skip


def _tone(line: Line) -> str:
    if line.kind is LineKind.OBSERVATION:
        calm = line.values.get("retracted") or line.event == KEPT_KIND
        return "" if calm else "warn"
    return _TONES.get(line.event, "")
