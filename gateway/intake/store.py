"""One batch, one ledger transaction: claim the numbers, store what is new, judge it, keep the bad.

What was claimed before (a redelivery) is neither stored nor judged again, but still goes to the
time series and is receipted: its first receipt, or its first series write, may have been lost.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from contracts.events import Look, Readings, Status, TestResult
from contracts.room import SampleRecord
from gateway.alerts.book import RuleBook
from gateway.alerts.judge import (
    carry_out,
    count,
    judge_batch_readings,
    judge_results,
    put_evidence,
    put_observations,
)
from gateway.alerts.outcomes import Outcome
from gateway.unpack import Accepted, Numbered, Refused
from ledger import (
    camera_meals,
    dead_letters,
    intake,
    kept_frames,
    looks,
    results,
    samples,
    statuses,
)
from ledger.devices import DeviceKind
from ledger.engine import Connection

LETTER_BYTES = 1_100_000
"""What is kept of a refused message at most; more than any message that could ever be accepted."""


class Taken(msgspec.Struct, frozen=True):
    """What one transaction did. It counts only once the transaction is committed."""

    fresh: list[Accepted]
    duplicates: int
    refused: list[Refused]
    """Those that went to the dead letters now."""
    outcomes: list[Outcome]
    news: bool
    """Whether an alert's published state is no longer true."""
    numbers: dict[intake.Key, list[int]]
    """Every number of the batch, new or not."""


def take_in(
    conn: Connection,
    accepted: Sequence[Accepted],
    refused: Sequence[Refused],
    book: RuleBook,
    now: datetime,
    *,
    replay: bool = False,
) -> Taken:
    """Store a batch. With `replay`, numbers that were claimed before count as new.

    Raises LedgerDown when it may be tried again, and anything else for content that the ledger
    will not have.
    """
    numbers = _numbers([*accepted, *refused])
    unclaimed = _claim(conn, numbers, everything=replay)
    fresh = unclaimed.taken(accepted)
    bad = unclaimed.taken(refused, unnumbered=True)
    outcomes = judge_batch_readings(conn, book, fresh, now)
    camera_meals.add(conn, [meal for one in fresh for meal in _meals(one)])
    others = [one for one in fresh if not isinstance(one.event.data, Readings)]
    samples.take_in(conn, [_told_sample(one) for one in others if _is_sample(one)])
    results.add(conn, [_new_result(one) for one in others if _is_test(one)])
    outcomes += judge_results(book, others)
    outcomes += put_observations(conn, book, others)
    outcomes += count(conn, book, others, now)
    outcomes += carry_out(conn, book, outcomes, now)
    late, of_keys = put_evidence(conn, book, others, now)
    outcomes += of_keys + carry_out(conn, book, of_keys, now)
    for letter in bad:
        payload = letter.message.payload[:LETTER_BYTES]
        dead_letters.add(conn, letter.message.topic, payload, letter.reason, now)
    unnumbered = [one for one in accepted if one.numbered is None]
    statuses.take_over(conn, filter(None, map(_told, unnumbered)))
    for one in unnumbered:
        if isinstance(one.event.data, Look):
            told, at = one.event.data, one.message.received_at
            if told.state in kept_frames.ANSWERS:
                kept_frames.answered(conn, one.who, told, at)
            else:
                looks.answered(conn, one.who, one.event.envelope.agent, told, at)
    duplicates = len(accepted) - len(unnumbered) - len(fresh)
    return Taken(fresh, duplicates, bad, outcomes, late or bool(outcomes), numbers)


T = TypeVar("T", Accepted, Refused)


class _Unclaimed:
    """The numbers that this transaction got; each may be taken once."""

    def __init__(self, fresh: dict[intake.Key, set[int]], asked: int) -> None:
        self._fresh = fresh
        self._all_new = sum(map(len, fresh.values())) == asked

    def taken(self, events: Sequence[T], *, unnumbered: bool = False) -> list[T]:
        """Those of `events` whose number is ours, and those without one if that is asked for."""
        if self._all_new:
            return [one for one in events if unnumbered or one.numbered]
        return [one for one in events if self._take(one.numbered, unnumbered)]

    def _take(self, one: Numbered | None, unnumbered: bool) -> bool:
        if one is None:
            return unnumbered
        numbers = self._fresh[one.agent, one.epoch]
        if one.sequence not in numbers:
            return False
        numbers.discard(one.sequence)
        return True


def _numbers(events: Sequence[Accepted | Refused]) -> dict[intake.Key, list[int]]:
    numbers: dict[intake.Key, list[int]] = {}
    for one in events:
        number = one.numbered
        if number is not None:
            key = (number.agent, number.epoch)
            known = numbers.get(key)
            if known is None:
                numbers[key] = [number.sequence]
            else:
                known.append(number.sequence)
    return numbers


def _claim(
    conn: Connection, numbers: dict[intake.Key, list[int]], *, everything: bool
) -> _Unclaimed:
    claimed = intake.claim_all(conn, numbers)
    if everything:
        claimed = {key: set(wanted) for key, wanted in numbers.items()}
    return _Unclaimed(claimed, sum(map(len, numbers.values())))


def _meals(one: Accepted) -> list[camera_meals.Meal]:
    data = one.event.data
    if one.device.kind is not DeviceKind.CAMERA or not isinstance(data, Readings):
        return []
    return camera_meals.meals_of(one.who, data.readings, one.message.received_at)


def _is_test(one: Accepted) -> bool:
    return isinstance(one.event.data, TestResult)


def _is_sample(one: Accepted) -> bool:
    return isinstance(one.event.data, SampleRecord)


def _told_sample(one: Accepted) -> samples.ToldSample:
    number, record = one.numbered, one.event.data
    if number is None or not isinstance(record, SampleRecord):
        raise TypeError(f"{one.message.topic}: not a numbered sample")
    return samples.ToldSample(one.who, number.agent.device, record, one.message.received_at)


def _new_result(one: Accepted) -> results.NewResult:
    number, test = one.numbered, one.event.data
    if number is None or not isinstance(test, TestResult):
        raise TypeError(f"{one.message.topic}: not a numbered test result")
    return results.NewResult(
        who=one.who,
        agent=number.agent.device,
        epoch=number.epoch,
        sequence=number.sequence,
        event_id=one.event.envelope.id,
        result=test,
        received_at=one.message.received_at,
    )


def _told(one: Accepted) -> statuses.Told | None:
    """A device's word; a retained one counts only if it tells something new.

    An agent's retained status always is its newest: its last will carries an old time.
    """
    status = one.event.data
    if not isinstance(status, Status):
        return None
    only_news = one.message.retained and one.device.kind is not DeviceKind.AGENT
    return statuses.Told(one.who, status, one.message.received_at, only_news)
