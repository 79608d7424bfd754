"""Tests that an old message, caught and sent again, has no effect: under its own topic or another.

On the real mosquitto with access rules, through a real gateway process.
"""

from pathlib import Path

import msgspec
import pytest
from broker_parts import OTHER, SITE, City, Client
from gateway_process import until
from gateway_town import READER, inbound, market, observation, result

from contracts.envelope import decode
from contracts.events import Receipt
from contracts.topics import Identity
from contracts.words import Phase
from ledger import alerts, dead_letters, intake, observations, results
from ledger.engine import Engine, reading

pytestmark = [pytest.mark.real, pytest.mark.slow]

FIRST = inbound(READER, result(), 1)
CAMERA = Identity("440703", "canteen1", "cam1")
OPENED = inbound(CAMERA, observation(), 1)
CLOSED = inbound(CAMERA, observation(phase=Phase.CLOSED), 2)


def changed(payload: bytes, **attributes: object) -> bytes:
    """The same event with other outer attributes."""
    body = msgspec.json.decode(payload) | attributes
    return msgspec.json.encode(body)


def counts(ledger: Engine) -> tuple[int, int, int, list[tuple[str, int, str]]]:
    """Results, observations, dead letters, and alerts with how often each was raised."""
    with reading(ledger) as conn:
        found = alerts.list_in(conn, None)
        return (
            len(results.list_in(conn, ["440703"])),
            len(observations.list_in(conn, ["440703"])),
            len(dead_letters.list(conn)),
            sorted((row.rule, row.count, row.state.value) for row in found),
        )


def test_a_replayed_message_changes_nothing(
    ledger: Engine, ledger_file: Path, tmp_path: Path
) -> None:
    city = City(tmp_path / "city", ledger)
    with city.broker:
        gateway = city.gateway(tmp_path / "gateway", ledger_file)
        mine = Client(city.port, city.tls, SITE, city.passwords[SITE])
        its = Client(city.port, city.tls, OTHER, city.passwords[OTHER])
        mine.listen(f"fs/v1/{SITE}/agent/receipts")
        with gateway:
            until(gateway.well)
            for client, one in ((mine, FIRST), (its, OPENED), (its, CLOSED)):
                assert client.may_publish(one.topic, one.payload)
            after = (1, 1, 0, [("no_hat", 1, "resolved"), ("pesticide_positive", 1, "firing")])
            until(lambda: counts(ledger) == after)

            # caught and sent again, late and in another order: dropped, and receipted again
            told = len(mine.got)
            for client, one in ((its, CLOSED), (its, OPENED), (mine, FIRST), (mine, FIRST)):
                assert client.may_publish(one.topic, one.payload)
            until(lambda: gateway.metric("duplicates_total") >= 4)
            until(lambda: len(mine.got) > told)
            assert counts(ledger) == after

            # retained, so that every gateway that comes would get it: the same
            assert mine.may_publish(FIRST.topic, FIRST.payload, retain=True)
            until(lambda: gateway.metric("duplicates_total") >= 5)

            # under somebody else's topic: the broker refuses; under one's own topic it is a copy of
            # a number that is used up, or, with another number, a forgery for the dead letters
            assert not its.may_publish(FIRST.topic, FIRST.payload)
            other_topic = f"fs/v1/{OTHER}/cam1/tests"
            assert its.may_publish(other_topic, FIRST.payload)
            assert its.may_publish(other_topic, changed(FIRST.payload, sequence=2, epoch="e2"))
            until(lambda: counts(ledger)[2] == 1)
            with reading(ledger) as conn:
                (letter,) = dead_letters.list(conn)
            assert "is not that of its topic" in letter.reason

            # and what it used up was a number of its own site, not of the one that it copied
            second = inbound(READER, result(text="61.00"), 2)
            assert mine.may_publish(second.topic, second.payload)
            until(lambda: counts(ledger)[0] == 2)
            with reading(ledger) as conn:
                progress = {(p.agent, p.epoch): p.highest for p in intake.progress(conn)}
            assert progress[market("agent"), "e1"] == 2
            assert (market("agent"), "e2") not in progress

            # epochs mixed: an old number under a new epoch is a new fact only if the agent says so;
            # the copy that was caught still is of its old epoch
            renewed = inbound(READER, result(text="62.00"), 1, epoch="e9")
            assert mine.may_publish(renewed.topic, renewed.payload)
            until(lambda: counts(ledger)[0] == 3)
            for one in (FIRST, renewed, second):
                assert mine.may_publish(one.topic, one.payload)
            until(lambda: gateway.metric("duplicates_total") >= 8)
            assert counts(ledger)[0] == 3
            # each receipt is of the epoch of what it receipts
            until(lambda: {receipt.epoch for receipt in _receipts(mine)} == {"e1", "e9"})
        for client in (mine, its):
            client.close()


def _receipts(client: Client) -> list[Receipt]:
    told = [decode(payload).data for _, payload in client.got]
    return [one for one in told if isinstance(one, Receipt)]
