"""One batch, one ledger transaction: claim the numbers, store what is new, judge it, keep the bad.

What was claimed before (a redelivery) is neither stored nor judged again, but still goes to the
time series and is receipted: its first receipt, or its first series write, may have been lost.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from contracts.events import Status, TestResult
from contracts.topics import Identity
from contracts.words import DeviceState
from gateway.alerts.evaluate import RuleBook
from gateway.alerts.judge import (
    carry_out,
    judge_batch_readings,
    judge_results,
    put_evidence,
    put_observations,
)
from gateway.alerts.outcomes import Outcome
from gateway.unpack import Accepted, Numbered, Refused
from ledger import dead_letters, devices, intake, results
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
    seen: dict[Identity, datetime]


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
    unclaimed = _claim(conn, [*accepted, *refused], everything=replay)
    fresh = [one for one in accepted if one.numbered and unclaimed.take(one.numbered)]
    bad = [one for one in refused if not one.numbered or unclaimed.take(one.numbered)]
    statuses = [one for one in accepted if isinstance(one.event.data, Status)]
    outcomes = judge_batch_readings(conn, book, fresh, now)
    results.add(conn, [_new_result(one) for one in fresh if _is_test(one)])
    outcomes += judge_results(book, fresh)
    outcomes += put_observations(conn, book, fresh)
    carry_out(conn, outcomes, now)
    late, of_keys = put_evidence(conn, book, fresh, now)
    carry_out(conn, of_keys, now)
    outcomes += of_keys
    for letter in bad:
        payload = letter.message.payload[:LETTER_BYTES]
        dead_letters.add(conn, letter.message.topic, payload, letter.reason, now)
    for one in statuses:
        _put_status(conn, one)
    numbered = sum(one.numbered is not None for one in accepted)
    return Taken(
        fresh, numbered - len(fresh), bad, outcomes, late or bool(outcomes), _seen(accepted)
    )


class _Unclaimed:
    """The numbers that this transaction got; each may be taken once."""

    def __init__(self, fresh: dict[intake.Key, set[int]]) -> None:
        self._fresh = fresh

    def take(self, one: Numbered) -> bool:
        numbers = self._fresh[one.agent, one.epoch]
        if one.sequence not in numbers:
            return False
        numbers.discard(one.sequence)
        return True


def _claim(
    conn: Connection, events: Sequence[Accepted | Refused], *, everything: bool
) -> _Unclaimed:
    wanted: dict[intake.Key, set[int]] = {}
    for one in events:
        if one.numbered:
            key = (one.numbered.agent, one.numbered.epoch)
            wanted.setdefault(key, set()).add(one.numbered.sequence)
    claimed = intake.claim_all(conn, wanted)
    return _Unclaimed(wanted if everything else claimed)


def _is_test(one: Accepted) -> bool:
    return isinstance(one.event.data, TestResult)


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


def _put_status(conn: Connection, one: Accepted) -> None:
    """Take a device's word over, unless it is a retained one that tells nothing new.

    An agent's retained status always is its newest: its last will carries an old time.
    """
    status = one.event.data
    if not isinstance(status, Status):
        return
    if one.message.retained and one.device.kind is not DeviceKind.AGENT:
        known = devices.get(conn, one.who)
        if known and known.state_at and known.state_at >= status.at:
            return
    devices.set_status(conn, one.who, status, one.message.received_at)


def _seen(accepted: Sequence[Accepted]) -> dict[Identity, datetime]:
    """When each device was last heard: an agent when its message came, a device when it spoke.

    A backlog that arrives now says that the agent lives, not that its devices do.
    """
    seen: dict[Identity, datetime] = {}
    for one in accepted:
        received_at = one.message.received_at
        status = one.event.data
        spoke_at = _spoke_at(one)
        if isinstance(status, Status):
            if status.state is DeviceState.OFFLINE:
                continue
            if not one.message.retained:
                spoke_at = received_at
        seen[one.who] = max(seen.get(one.who, spoke_at), spoke_at)
        if one.numbered:
            agent = one.numbered.agent
            seen[agent] = max(seen.get(agent, received_at), received_at)
    return seen


def _spoke_at(one: Accepted) -> datetime:
    envelope = one.event.envelope
    offset = timedelta(milliseconds=max(-_YEAR_MS, min(envelope.clockoffsetms, _YEAR_MS)))
    return min(envelope.time - offset, one.message.received_at)


_YEAR_MS = 366 * 86_400_000
