"""What operators ask of the room and what instruments bring it: each one transaction of the store.

Whatever an operator asks carries a submit id that the page made: sent again, it is answered again
and done once.
"""

import threading
import uuid
from collections.abc import Sequence
from datetime import date, timedelta, timezone
from typing import Annotated

import msgspec

from contracts.clock import Clock
from contracts.events import RawFrame, Text
from contracts.foods import Foods
from contracts.products import Note
from contracts.room import MOST_ATTACHED, Attached, Remark, RoomBook, SampleRecord
from contracts.words import AttachedHow
from edge_agent.room.guidance import NextSteps, wants_rerun
from edge_agent.room.heard import heard_of, item_of, same_as_told
from edge_agent.room.kept import Kept, NotYet, Told
from edge_agent.room.matching import Attach, Bounds, Candidate, Had, Heard, match
from edge_agent.room.numbers import Fit, fit, number_for
from edge_agent.room.settings import RoomSettings
from edge_agent.room.store import RoomStore
from edge_agent.room.words import Refusal, Refused

LOOK_BACK_S = 8 * 86_400.0
"""A result is compared with samples of this many days."""
DAY = timedelta(days=1)


class Fields(msgspec.Struct, frozen=True):
    """What an operator says of a sample; all but the product may be empty."""

    product: Annotated[str, msgspec.Meta(max_length=128)] = ""
    stall: Text = ""
    lot: Text = ""
    supplier: Text = ""
    origin: Text = ""
    certificate: Text = ""
    task_id: Text = ""
    note: Remark = ""


class Answer(msgspec.Struct, frozen=True):
    """What came of a request."""

    sample_id: str
    number: str
    revision: int


class Desk:
    """One agent's room. Any thread may call any method."""

    def __init__(
        self,
        store: RoomStore,
        settings: RoomSettings,
        rules: NextSteps,
        notes: Sequence[Note],
        foods: Foods,
        clock: Clock,
    ) -> None:
        self.store, self.settings, self.rules, self.foods = store, settings, rules, foods
        self.notes = notes
        self._clock = clock
        self.zone = timezone(timedelta(hours=settings.utc_offset_h))
        self._bounds = Bounds(window=timedelta(minutes=settings.window_min))
        self._lock = threading.Lock()
        self.version = uuid.uuid4().hex
        """Another one whenever anything has changed."""

    def changed(self) -> None:
        """Something has changed that the page shows."""
        self.version = uuid.uuid4().hex

    def today(self) -> date:
        """The room's day."""
        return self._clock().astimezone(self.zone).date()

    # Operators

    def register(self, submit_id: str, fields: Fields, operator: str) -> Answer:
        """A new sample with its number. Raises Refused, OutboxError: then there is none."""
        fields = _stripped(fields)
        if not fields.product:
            raise Refused(Refusal.PRODUCT)
        with self._lock, self.store.writing():
            known = self._answered(submit_id)
            if known is not None:
                return known
            now = self._clock()
            local = now.astimezone(self.zone)
            day = local.date()
            try:
                running = self.store.next_running(local)
            except NotYet as error:
                raise Refused(Refusal.SOON, str(error)) from None
            record = SampleRecord(
                sample_id=str(uuid.uuid4()),
                revision=1,
                number=number_for(day, running, self.settings.prefix),
                registered_at=now,
                operator=operator,
                **msgspec.structs.asdict(fields),
            )
            self.store.write(record, day.isoformat(), operator, now)
            return self._answer(submit_id, record)

    def correct(
        self, submit_id: str, sample_id: str, changes: dict[str, str], operator: str
    ) -> Answer:
        """A new revision with some fields said anew. Raises Refused, OutboxError."""
        if set(changes) - set(Fields.__struct_fields__):
            raise Refused(Refusal.FIELDS)
        with self._lock, self.store.writing():
            known = self._answered(submit_id)
            if known is not None:
                return known
            record = self._standing(sample_id).record
            before = {name: getattr(record, name) for name in Fields.__struct_fields__}
            try:
                fields = _stripped(msgspec.convert(before | changes, Fields))
            except msgspec.ValidationError as error:
                raise Refused(Refusal.FIELDS, str(error)) from None
            if not fields.product:
                raise Refused(Refusal.PRODUCT)
            fresh = self._revise(record, operator, **msgspec.structs.asdict(fields))
            return self._answer(submit_id, fresh)

    def void(self, submit_id: str, sample_id: str, reason: str, operator: str) -> Answer:
        """Void a sample; it stays, with the reason. Raises Refused, OutboxError."""
        reason = reason.strip()[:512]
        if not reason:
            raise Refused(Refusal.REASON)
        with self._lock, self.store.writing():
            known = self._answered(submit_id)
            if known is not None:
                return known
            record = self._standing(sample_id).record
            fresh = self._revise(record, operator, voided=True, void_reason=reason)
            return self._answer(submit_id, fresh)

    def choose(self, submit_id: str, result_id: str, sample_id: str, operator: str) -> Answer:
        """Bring a result to a sample, away from another; no sample id: it is no sample's.

        Raises Refused, OutboxError.
        """
        with self._lock, self.store.writing():
            known = self._answered(submit_id)
            if known is not None:
                return known
            found = self.store.result(result_id)
            if found is None:
                raise Refused(Refusal.NO_RESULT)
            chosen = self._standing(sample_id).record if sample_id else None
            if chosen is not None and found.sample_id == sample_id:
                return self._answer(submit_id, chosen)
            if found.sample_id is not None:
                self._detach(found.sample_id, result_id, operator)
            if chosen is None:
                self.store.place(result_id, None, "set_aside")
                return self._answer(submit_id, None)
            self.store.place(result_id, chosen.sample_id, "attached")
            fresh = self._attach(chosen, found.told, AttachedHow.CHOSEN, operator)
            return self._answer(submit_id, fresh)

    # Instruments and the city

    def hear(self, told: Told) -> None:
        """A result has come, maybe not for the first time. Raises OutboxError."""
        result = told.result
        bare = msgspec.structs.replace(result, raw=RawFrame(b"", result.raw.sha256))
        told = msgspec.structs.replace(told, result=bare)
        same_as = same_as_told(told)
        with self._lock, self.store.writing():
            if self.store.knows_result(told.result_id, same_as):
                return
            heard = heard_of(told, self.zone)
            found = match(heard, self.candidates(heard), self.wants, self._bounds)
            sample_id = found.sample_id if isinstance(found, Attach) else None
            kept = self.store.sample(sample_id) if sample_id else None
            if kept is None or len(kept.record.attached) >= MOST_ATTACHED:
                self.store.add_result(told, same_as, None)
            else:
                assert isinstance(found, Attach)
                self.store.add_result(told, same_as, sample_id)
                self._attach(kept.record, told, found.how, "")
        self.changed()

    def take_book(self, book: RoomBook) -> None:
        """The city's book; an older one than we know is left alone. Raises OutboxError."""
        with self._lock, self.store.writing():
            known = self.store.book()
            if known is not None and known.revision >= book.revision:
                return
            self.store.note_book(book)
        self.changed()

    def candidates(self, heard: Heard) -> list[Candidate]:
        """What the result may belong to, each with what it has already."""
        at = heard.captured_at.timestamp()
        close = [
            sample_id
            for sample_id, number, registered_at in self.store.numbers_since(at - LOOK_BACK_S)
            if abs(at - registered_at) <= DAY.total_seconds()
            or fit(heard.number, number) > Fit.NONE
        ]
        kept = [one.record for one in self.store.samples_named(close) if not one.record.voided]
        had: dict[str, list[Had]] = {}
        for one in self.store.results_of(close):
            made = Had(item_of(one.told), one.told.result.verdict)
            had.setdefault(one.sample_id or "", []).append(made)
        return [
            Candidate(
                sample_id=one.sample_id,
                number=one.number,
                registered_at=one.registered_at,
                names=frozenset(self.foods.names_of(one.product)),
                had=tuple(had.get(one.sample_id, ())),
            )
            for one in kept
        ]

    def wants(self, item: str, verdicts: Sequence[object]) -> bool:
        """Whether these verdicts of an item ask for a rerun."""
        return wants_rerun(self.rules, item, verdicts)  # type: ignore[arg-type]

    @property
    def bounds(self) -> Bounds:
        """How long results are waited for."""
        return self._bounds

    # Inside a transaction

    def _answered(self, submit_id: str) -> Answer | None:
        said = self.store.answered(submit_id)
        return None if said is None else msgspec.json.decode(said, type=Answer)

    def _answer(self, submit_id: str, record: SampleRecord | None) -> Answer:
        answer = Answer("", "", 0)
        if record is not None:
            answer = Answer(record.sample_id, record.number, record.revision)
        self.store.answer(submit_id, answer, self._clock())
        self.changed()
        return answer

    def _standing(self, sample_id: str) -> Kept:
        kept = self.store.sample(sample_id)
        if kept is None:
            raise Refused(Refusal.NO_SAMPLE)
        if kept.record.voided:
            raise Refused(Refusal.VOIDED)
        return kept

    def _attach(self, record: SampleRecord, told: Told, how: AttachedHow, by: str) -> SampleRecord:
        if len(record.attached) >= MOST_ATTACHED:
            raise Refused(Refusal.FULL)
        added = Attached(told.device, told.result_id, how, self._clock(), by)
        return self._revise(record, by, attached=(*record.attached, added))

    def _detach(self, sample_id: str, result_id: str, by: str) -> None:
        kept = self.store.sample(sample_id)
        if kept is not None:
            left = tuple(one for one in kept.record.attached if one.result_id != result_id)
            self._revise(kept.record, by, attached=left)

    def _revise(self, record: SampleRecord, by: str, **changes: object) -> SampleRecord:
        fresh = msgspec.structs.replace(record, revision=record.revision + 1, **changes)
        day = record.registered_at.astimezone(self.zone).date().isoformat()
        self.store.write(fresh, day, by, self._clock())
        return fresh


def _stripped(fields: Fields) -> Fields:
    return Fields(**{name: getattr(fields, name).strip() for name in Fields.__struct_fields__})
