"""One instrument at work: carries out its host's actions, and tells its state."""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec

from contracts.clock import Clock
from contracts.events import Observation, Reading, Readings, TestResult
from contracts.profile_records import Lis2Record, ResultMap
from contracts.topics import Identity
from edge_agent.instruments.decoder import Row
from edge_agent.instruments.gaps import RecordNumbers
from edge_agent.instruments.hosts import actions
from edge_agent.instruments.hosts.actions import Actions, Host
from edge_agent.instruments.hosts.e1381 import E1381Host
from edge_agent.instruments.hosts.poll import PollHost
from edge_agent.instruments.logbook import Logbook
from edge_agent.instruments.port import Line
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.results import Reader, Taken, readings_of
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.instruments.state import LineState
from edge_agent.ports import Fact, Sink

logger = logging.getLogger(__name__)

REMEMBER = timedelta(days=400)
"""How long a taken record is known; instruments keep less."""


class NotHeldError(Exception):
    """A frame could not be stored: it must not be acknowledged."""


class Unit:
    """One instrument on a line. Used by the line's thread alone."""

    def __init__(
        self,
        settings: InstrumentSettings,
        profile: LoadedProfile,
        host: Host,
        reader: Reader,
        who: Identity,
        sink: Sink,
        logbook_path: Path,
        clock: Clock,
        witness: Callable[[bytes], None] | None = None,
    ) -> None:
        self._witness = witness
        self.settings = settings
        self.profile = profile
        self.host = host
        self.who = who
        self.state = LineState()
        self._reader = reader
        self._sink = sink
        self._logbook_path = logbook_path
        self._logbook: Logbook | None = None
        self._clock = clock
        self._numbers = RecordNumbers()
        self._batch: list[Reading] = []
        self._last: dict[str, tuple[str, str]] = {}
        self._batch_ends = 0.0

    # -- life -----------------------------------------------------------------

    def start(self) -> None:
        """Open the logbook, and make facts of what was held. Raises sqlite3.Error, OutboxError."""
        self._logbook = Logbook(self._logbook_path, self._clock)
        self._logbook.forget_before(self._clock() - REMEMBER)
        self._numbers = self._logbook.numbers()
        self._numbers.resume(time.monotonic())
        self._tell_gap_state()
        if isinstance(self.host, E1381Host) and (held := self._logbook.held()):
            self._carry_out(self.host.recover(held), None, 0.0, held[-1].at)

    def stop(self) -> None:
        """Send what is gathered, close the logbook."""
        self._send_batch()
        if self._logbook is not None:
            self._logbook.close()
            self._logbook = None

    def do(self, wanted: Actions, line: Line, now: float, at: datetime) -> None:
        """Carry out what the host wants. Raises PortError, OutboxError."""
        self._carry_out(wanted, line, now, at)

    def tick(self, now: float) -> None:
        """Send readings whose time has come, and tell the state if it has changed."""
        if self._batch and now >= self._batch_ends:
            self._send_batch()
        self._watch_numbers(now)
        status = self.state.news(self._clock(), now)
        if status is not None:
            self._sink.report(self.who, status)

    # -- actions --------------------------------------------------------------

    def _carry_out(self, wanted: Actions, line: Line | None, now: float, at: datetime) -> None:
        taken: list[tuple[Row, actions.Take]] = []
        try:
            for action in wanted:
                if isinstance(action, actions.Take):
                    taken += [(row, action) for row in action.rows]
                    continue
                if taken and not isinstance(action, actions.Answered | actions.Noise):
                    self._take(taken, now, at)
                    taken = []
                self._one(action, line, now, at)
            if taken:
                self._take(taken, now, at)
        except NotHeldError as error:
            self.state.trouble(f"cannot store: {error}", now)
            logger.error("%s: logbook %s: %s", self.who.device, self._logbook_path, error)
            wanted.close()
            for action in self.host.refused(now):
                self._one(action, line, now, at)

    def _one(self, action: actions.Action, line: Line | None, now: float, at: datetime) -> None:
        state = self.state
        match action:
            case actions.Send(content):
                if line is not None:
                    line.write(content)
            case actions.Hold(frame):
                try:
                    self._open_logbook().hold(frame)
                except sqlite3.Error as error:
                    raise NotHeldError(str(error)) from error
            case actions.Release():
                self._open_logbook().release()
            case actions.SetAside(content, reason, _offset):
                state.unreadable(content, reason)
                self._sink.quarantine(self.who, content, reason, at)
            case actions.Noise(discarded, harmless):
                if not harmless and state.garbage(discarded.content, now):
                    where = f"{discarded.reason} (offset {discarded.offset})"
                    self._sink.quarantine(self.who, discarded.content, where, at)
            case actions.Answered(problem):
                state.answered(problem, now)
            case actions.NoAnswer(detail):
                state.no_answer(detail, self._attempts)
            case actions.Missing(count, detail):
                state.missing(count, detail)
            case actions.Take():
                raise AssertionError("gathered by the caller")

    @property
    def _attempts(self) -> int:
        return int(getattr(self.profile.spec.dialogue, "attempts", 1))

    def _open_logbook(self) -> Logbook:
        if self._logbook is None:
            raise sqlite3.OperationalError("the logbook is not open")
        return self._logbook

    # -- facts ----------------------------------------------------------------

    def _take(self, rows: Sequence[tuple[Row, actions.Take]], now: float, at: datetime) -> None:
        results: list[tuple[Taken, bool]] = []
        numbered: list[tuple[str, int]] = []
        for row, came in rows:
            record = row.record
            if record.result is not None:
                made = self._reader.result(record.result, row.cells, row.raw, at, row.flags)
                made = self._clocked(made, came.began_at)
                if self._is_news(record.result, made.result):
                    results.append((made, came.fresh))
                    numbered += self._numbered(record.result, made.result)
            if self._witness is not None:
                self._witness(row.raw)
            if not isinstance(record, Lis2Record):
                self._gather(readings_of(record, row.cells, at), now)
        if results:
            self._put_results(results, at)
        if numbered:
            for series in self._numbers.add(numbered, now):
                self._open_logbook().note_numbers(series, self._numbers.held[series])

    def _clocked(self, made: Taken, began_at: datetime | None) -> Taken:
        """With the offset of the instrument's clock, where it says when it sent."""
        if made.sent_at is None or began_at is None:
            return made
        offset_s = round((made.sent_at - began_at).total_seconds(), 3)
        self.state.clock_offset_s = offset_s
        result = msgspec.structs.replace(made.result, clock_offset_s=offset_s)
        return msgspec.structs.replace(made, result=result)

    def _numbered(self, spec: ResultMap, result: TestResult) -> list[tuple[str, int]]:
        """Series and number of a result, where the instrument's numbers have no gaps."""
        number, at = result.record_number, result.measured_at
        if spec.numbered == "no" or number is None:
            return []
        if spec.numbered == "on":
            return [("", number)]
        return [] if at is None else [(self._day(at).isoformat(), number)]

    def _day(self, at: datetime) -> date:
        """The day on the instrument's wall."""
        return at.astimezone(self._reader.zone).date()

    def _watch_numbers(self, now: float) -> None:
        """Ask for missing records again; tell what stays missing, and what came after all."""
        numbers, at = self._numbers, self._clock()
        for series in numbers.to_ask(now):
            if isinstance(self.host, PollHost):
                day = date.fromisoformat(series) if series else self._day(at)
                self.host.ask_again(day)
        told, filled = numbers.to_tell(now), numbers.filled()
        for gap in told:
            self._sink.put([self._gap_fact(gap.observation(at), at)])
            self._open_logbook().note_gap(gap, at)
            numbers.told[gap] = at
        for gap in filled:
            seen = gap.observation(numbers.told[gap], closed_at=at)
            self._sink.put([self._gap_fact(seen, at)])
            self._open_logbook().drop_gap(gap)
            del numbers.told[gap]
        if told or filled:
            self._tell_gap_state()

    def _gap_fact(self, seen: Observation, at: datetime) -> Fact:
        return Fact(self.who, "observations", seen, at)

    def _tell_gap_state(self) -> None:
        gaps = sorted(self._numbers.told, key=lambda gap: (gap.series, gap.first))
        self.state.gaps(self._numbers.missing, ", ".join(gap.text for gap in gaps))

    def _is_news(self, spec: ResultMap, result: TestResult) -> bool:
        """Scales that send all the time: only what is stable, and has changed, is a result."""
        if spec.live_statuses and not any(
            f"status={status}" in result.flags for status in spec.live_statuses
        ):
            return False
        value = (result.value.text, result.value.unit)
        if spec.changes_only and self._last.get(result.item) == value:
            return False
        self._last[result.item] = value
        return True

    def _put_results(self, results: Sequence[tuple[Taken, bool]], at: datetime) -> None:
        logbook = self._open_logbook()
        known = logbook.known([taken.key for taken, _ in results if taken.key])
        new: list[tuple[Taken, bool]] = []
        keys: set[str] = set()
        for taken, fresh in results:
            if taken.key and (taken.key in known.done or taken.key in keys):
                self.state.repeated()
                continue
            keys.add(taken.key)
            new.append((taken, fresh))
        if not new:
            return
        names = [taken.key for taken, _ in new if taken.key]
        logbook.begin(names)
        facts = []
        for taken, fresh in new:
            result = taken.result
            if taken.key in known.begun:
                result = msgspec.structs.replace(result, flags=(*result.flags, "may_be_repeat"))
            alone = fresh and len(new) == 1 and result.clock_offset_s is None
            if alone and result.measured_at is not None:
                offset_s = round((result.measured_at - at).total_seconds(), 3)
                result = msgspec.structs.replace(result, clock_offset_s=offset_s)
                self.state.clock_offset_s = offset_s
            facts.append(Fact(self.who, "tests", result, at))
        self._sink.put(facts)
        logbook.finish(names)
        self.state.results += len(facts)

    def _gather(self, readings: list[Reading], now: float) -> None:
        if not readings:
            return
        if not self._batch:
            self._batch_ends = now + self.settings.batch_s
        self._batch += readings
        if now >= self._batch_ends or len(self._batch) >= 4000:
            self._send_batch()

    def _send_batch(self) -> None:
        if self._batch:
            batch, self._batch = self._batch, []
            at = max(reading.measured_at for reading in batch)
            self._sink.put([Fact(self.who, "readings", Readings(batch), at)])
