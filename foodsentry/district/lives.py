"""Alerts of the made-up district and what became of each: timelines, verdicts, messages, cards."""

import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contracts.topics import Identity
from foodsentry.district.kinds import FOODS, KINDS, Kind
from foodsentry.district.places import People, Place
from ledger.bulk import to_json

OPEN_SHARE = 0.03
"""So many alerts are open, nearly all of them young ones."""
_OPEN_STATES = (
    ("firing",) * 5 + ("acknowledged",) * 4 + ("disposing",) * 3 + ("reviewed", "resolved")
)
RATS = "rodent"
"""The rule that is wrong so often that something is proposed."""
_CAUSES = ("cat", "steam", "poster", "glare")
ALERT_COLUMNS = (
    *("alert_id", "fingerprint", "rule", "rule_version", "severity", "state", "title_zh"),
    *("title_en", "summary_zh", "summary_en", "region", "site", "device", "establishment_id"),
    *("raised_at", "changed_at", "acknowledged_at", "acknowledged_by", "resolved_at"),
    *("closed_at", "closed_by", "close_note", "count", "last_event_at", "result_id"),
    *("observation_id", "facts", "evidence", "disposed_at", "disposed_by", "reviewed_at"),
    *("reviewed_by", "level", "due_at", "due_kind"),
)
TIMELINE_COLUMNS = ("alert_id", "at", "kind", "actor", "note", "body")
VERDICT_COLUMNS = ("alert_id", "officer_id", "verdict", "cause", "counts", "note", "at")


@dataclass(frozen=True, slots=True)
class Life:
    """An alert and the moments of its life; None: not yet."""

    number: int
    alert_id: str
    kind: Kind
    place: Place
    who: Identity
    town: str
    county: str
    state: str
    raised_at: datetime
    taken_at: datetime | None
    disposed_at: datetime | None
    reviewed_at: datetime | None
    closed_at: datetime | None
    resolved_at: datetime | None
    value: float
    food: str

    @property
    def observation_id(self) -> str | None:
        """Of what a camera saw."""
        return f"o{self.number}" if self.kind.seen else None

    @property
    def pictures(self) -> tuple[str, ...]:
        """Ids of its pictures."""
        roles = ("before", "best", "after") if self.kind.seen else ()
        return tuple(f"{self.observation_id}-{role}" for role in roles)

    @property
    def result_id(self) -> str | None:
        """Of the quick test that raised it."""
        return f"ra{self.number}" if self.kind.device == "pesticide_reader" else None

    @property
    def changed_at(self) -> datetime:
        """When something last happened to it."""
        moments = (
            *(self.taken_at, self.disposed_at, self.reviewed_at, self.closed_at),
            self.resolved_at,
        )
        return max((one for one in moments if one), default=self.raised_at)

    @property
    def titles(self) -> tuple[str, str]:
        """In Chinese and English."""
        device = next((name for of, _, name in self.place.devices if of == self.who.device), "")
        what = self.food if self.result_id else device
        return f"{self.kind.zh}：{what}", f"{self.kind.en}: {what}"


def lives(
    places: Sequence[Place], people: People, count: int, years: float, now: datetime
) -> Iterator[Life]:
    """So many alerts, the oldest first; newer ones are a little denser."""
    dice = random.Random(23)
    fitting = {
        kind.rule: [one for one in places if one.who(kind.device, dice, kind.where)]
        for kind in KINDS
    }
    kinds = [kind for kind in KINDS for _ in range(kind.weight) if fitting[kind.rule]]
    ages = sorted((dice.betavariate(1, 1.4) for _ in range(count)), reverse=True)
    for number, age in enumerate(ages):
        kind = dice.choice(kinds)
        place = dice.choice(fitting[kind.rule])
        who = place.who(kind.device, dice, kind.where)
        assert who is not None
        raised_at = now - timedelta(seconds=30 + age * years * 365 * 86_400)
        young = number > count * (1 - OPEN_SHARE)
        state = dice.choice(_OPEN_STATES) if young else "closed"
        if not young and dice.random() < 0.001:
            state = "reviewed"  # what was forgotten
        town, county = people.over(place.region)
        yield _life(number, kind, place, who, (town, county), state, raised_at, dice)


def _life(
    number: int,
    kind: Kind,
    place: Place,
    who: Identity,
    officers: tuple[str, str],
    state: str,
    raised_at: datetime,
    dice: random.Random,
) -> Life:
    reached = ("firing", "acknowledged", "disposing", "reviewed", "closed").index(
        "firing" if state == "resolved" else state
    )
    moments: list[datetime | None] = []
    at, haste = raised_at, 1 if state == "closed" else 60
    for step, mean_s in enumerate((1500, 20_000, 30_000, 3000), 1):
        # Everything lies within the alert's own age: what is young moves fast.
        at += timedelta(seconds=min(dice.expovariate(1 / mean_s), 4 * mean_s) / haste)
        moments.append(at if step <= reached else None)
    taken_at, disposed_at, reviewed_at, closed_at = moments
    return Life(
        number=number, alert_id=f"a{number:07d}", kind=kind, place=place, who=who,
        town=officers[0], county=officers[1], state=state, raised_at=raised_at, taken_at=taken_at,
        disposed_at=disposed_at, reviewed_at=reviewed_at, closed_at=closed_at,
        resolved_at=raised_at + timedelta(minutes=9) if state == "resolved" else None,
        value=round(dice.uniform(kind.low, kind.high), 1), food=dice.choice(FOODS),
    )  # fmt: skip


def alert_row(one: Life) -> tuple[Any, ...]:
    """Its row."""
    kind, (zh, en) = one.kind, one.titles
    facts = {"value": one.value, "unit": kind.unit, "limit": kind.limit} if kind.unit else {}
    facts |= {"basis": kind.basis} if kind.basis else {}
    facts |= {"kind": kind.seen_as, "zone": "切配间"} if kind.seen else {}
    say = kind.zh + (f" {one.value:g} {kind.unit}，限值 {kind.limit}" if kind.unit else "")
    if kind.seen:
        say += "，切配间，置信度 91 %"
    elif not kind.unit:
        say += f"，已 {7 + one.number % 50} 分钟没有消息"
    lead = "" if kind.device == "agent" else "。线索待人工复核"
    due = (
        "acknowledge"
        if one.state == "firing"
        else "dispose"
        if one.state == "acknowledged"
        else None
    )
    return (
        one.alert_id, f"{kind.rule}|{one.who.source}|{one.number}", kind.rule, "1",
        int(kind.severity), one.state, zh, en, f"{say}{lead}。",
        f"{en} {one.value:g} {kind.unit}",
        one.who.region, one.who.site, one.who.device, one.place.establishment_id,
        one.raised_at, one.changed_at, one.taken_at, one.town if one.taken_at else None,
        one.resolved_at, one.closed_at,
        one.county if one.closed_at else None, "已整改，现场复核合格。" if one.closed_at else "",
        1 + one.number % 3, one.raised_at, one.result_id, one.observation_id, to_json(facts),
        to_json(one.pictures), one.disposed_at, one.town if one.disposed_at else None,
        one.reviewed_at, one.county if one.reviewed_at else None, 0,
        one.raised_at + timedelta(hours=4) if due else None, due,
    )  # fmt: skip


def timeline_rows(one: Life) -> Iterator[tuple[Any, ...]]:
    """What happened to it."""
    said = (
        ("raised", one.raised_at, "", ""),
        ("acknowledged", one.taken_at, one.town, ""),
        ("disposing", one.disposed_at, one.town, "现场核查，当事人已整改。"),
        ("reviewed", one.reviewed_at, one.county, "复核无异议"),
        ("closed", one.closed_at, one.county, "已整改，现场复核合格。"),
        ("resolved", one.resolved_at, "", "已恢复"),
    )
    for kind, at, actor, note in said:
        if at is not None:
            yield one.alert_id, at, kind, actor, note, "{}"


def verdict_row(one: Life) -> tuple[Any, ...] | None:
    """What an officer said of it; of two in five. Nearly all rats are cats, and that is said."""
    rat = one.kind.rule == RATS
    if one.closed_at is None or (one.number % 5 > 1 and not rat):
        return None
    wrong = one.number % 8 > 0 if rat else one.kind.seen and one.number % 3 == 0
    cause = _CAUSES[one.number % len(_CAUSES)] if wrong else ""
    return one.alert_id, one.town, "false" if wrong else "true", cause, True, "", one.closed_at


def picture_hash(content: bytes) -> str:
    """What a picture's bytes are kept under."""
    return hashlib.sha256(content).hexdigest()
