"""From fields to facts: quick-test results with verdict and custody, and probe readings."""

from datetime import date, datetime, timedelta, timezone
from hashlib import sha256

import msgspec

from contracts.events import ProfileRef, RawFrame, Reading, Sample, TestResult
from contracts.foods import Foods
from contracts.limits import Limits
from contracts.profile_records import BinaryRecord, ReadingMap, ResultMap, TextRecord
from contracts.words import Quality, Verdict
from edge_agent.instruments.fields import Cell, Fields, wall_time
from edge_agent.instruments.values import read_value, unit_code

_EMPTY = Cell("", b"")
_BELIEVED = timedelta(days=366)


class Taken(msgspec.Struct, frozen=True):
    """A result as read, with what only this edge needs to know of it."""

    result: TestResult
    key: str
    """Names the record across repeats; empty where it has neither number nor time."""
    sent_at: datetime | None = None
    """The instrument's clock when it sent, where it says so to the minute."""


class Reader(msgspec.Struct, frozen=True):
    """What all results of one instrument share."""

    profile: ProfileRef
    limits: Limits
    utc_offset_h: float = 8.0
    foods: Foods = Foods()

    @property
    def zone(self) -> timezone:
        """The zone of the instrument's wall clock."""
        return timezone(timedelta(hours=self.utc_offset_h))

    def result(
        self,
        spec: ResultMap,
        row: Fields,
        raw: bytes,
        captured_at: datetime,
        flags: tuple[str, ...] = (),
    ) -> Taken:
        """One result. `raw` is the frame, `captured_at` the time of its last byte.

        What the instrument flagged travels as ``flag=…`` and ``status=…`` among the flags; what
        food its sample may be as ``name_guess=food:confidence``, and the name stays as sent.
        """
        cell = row[spec.value]
        unit = spec.unit or unit_code(_text(row, spec.unit_field), spec.units)
        nothing = cell.invalid or _text(row, spec.status) in spec.invalid_statuses
        words = {cell.text: "invalid"} if nothing else spec.words
        value = read_value(cell.text, words, unit, spec.units)
        sent = _text(row, spec.item_field)
        named = spec.items.get(sent.strip()) or (spec.item_prefix + sent if sent.strip() else "?")
        item = (spec.item or named)[:128]
        if item == "?":
            flags = (*flags, "no_item")
        name = row.get(spec.sample_name, _EMPTY)
        measured = row.get(spec.measured, _EMPTY)
        at = self._utc(wall_time(measured, spec.time_formats))
        if measured.text and at is None:
            flags = (*flags, "time_unreadable")
        elif at is not None and not _plausible(at, captured_at):
            flags = (*flags, "time_implausible")
        if value.number is None and not value.qualitative and not value.comparator:
            flags = (*flags, "value_unreadable")
        for kind, field in (("flag", spec.flag), ("status", spec.status)):
            if sent := _text(row, field):
                flags = (*flags, f"{kind}={sent}")
        if guess := self.foods.guess(name.text, cut=name.cut):
            flags = (*flags, guess.flag)
        judged = self.limits.judge(
            item.strip(), spec.item_code, value, self._day_of_judgement(at, captured_at)
        )
        word = _text(row, spec.verdict)
        if _differs(word, judged.verdict):
            flags = (*flags, "instrument_verdict_differs")
        result = TestResult(
            sample=Sample(
                number=_text(row, spec.sample_number),
                name=name.text[:512],
                name_cut=name.cut,
            ),
            item=item,
            item_code=judged.item_code,
            value=value,
            verdict=judged.verdict,
            limit_text=judged.limit_text,
            rule=judged.rule,
            captured_at=captured_at,
            measured_at=at,
            measured_text=measured.text[:512],
            record_number=_integer(row, spec.record_number),
            channel=_integer(row, spec.channel),
            instrument_verdict=word,
            operator=_text(row, spec.operator),
            profile=self.profile,
            raw=RawFrame(raw, sha256(raw).hexdigest()),
            flags=flags,
        )
        clock = tuple(form for form in spec.time_formats if "%M" in form)
        sent_at = self._utc(wall_time(row.get(spec.sent, _EMPTY), clock))
        return Taken(result, self._key(spec, row), sent_at)

    def _utc(self, wall: datetime | None) -> datetime | None:
        if wall is None:
            return None
        try:
            at = wall if wall.tzinfo else wall.replace(tzinfo=self.zone)
            return at.astimezone(timezone.utc)  # noqa: UP017
        except OverflowError:
            return None

    def _day_of_judgement(self, measured_at: datetime | None, captured_at: datetime) -> date:
        """The local day whose rules apply; an instrument's clock that is far off doesn't choose."""
        at = captured_at
        if measured_at is not None and _plausible(measured_at, captured_at):
            at = measured_at
        return at.astimezone(self.zone).date()

    def _key(self, spec: ResultMap, row: Fields) -> str:
        named = [name for name in (spec.record_number, spec.measured) if name]
        if not spec.dedupe or not any(row.get(name, _EMPTY).text for name in named):
            return ""
        digest = sha256(self.profile.id.encode())
        for name in spec.dedupe:
            raw = row.get(name, _EMPTY).raw
            digest.update(len(raw).to_bytes(4, "big") + raw)
        return digest.hexdigest()


def _plausible(measured_at: datetime, captured_at: datetime) -> bool:
    """Whether an instrument's time can be true: no more than a day ahead, or a year behind."""
    return timedelta(days=-1) < captured_at - measured_at < _BELIEVED


def readings_of(
    record: BinaryRecord | TextRecord, row: Fields, captured_at: datetime
) -> list[Reading]:
    """The readings of a row; a value that the sensor can't have is marked bad, not dropped."""
    found = []
    for spec in record.readings:
        number = row[spec.value].number
        if number is None:
            number = read_value(row[spec.value].text, {}, spec.unit, {}).number
        if number is None or number != number:
            continue
        quality = Quality.GOOD if _possible(spec, number) else Quality.BAD
        found.append(Reading(spec.metric, number, spec.unit, captured_at, quality))
    return found


def _possible(spec: ReadingMap, number: float) -> bool:
    return (spec.low is None or number >= spec.low) and (spec.high is None or number <= spec.high)


def _text(row: Fields, name: str) -> str:
    return row[name].text[:512] if name and name in row else ""


def _integer(row: Fields, name: str) -> int | None:
    text = _text(row, name).strip()
    return int(text) if text.isdecimal() and len(text) < 16 else None


def _differs(word: str, verdict: Verdict) -> bool:
    if not word or verdict not in (Verdict.PASS, Verdict.POSITIVE, Verdict.SUSPECT):
        return False
    folded = word.strip().casefold()
    passed = folded in ("pass", "合格", "阴性", "negative", "ok")
    failed = folded in ("fail", "不合格", "超标", "阳性", "positive", "exceeded")
    return (passed and verdict is not Verdict.PASS) or (failed and verdict is Verdict.PASS)
