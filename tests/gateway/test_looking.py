"""The loop that looks every so often: at once when there is more, on after a ledger's absence."""

import threading
import time

from gateway.health import Health
from gateway.looking import look_every
from gateway.metrics import Metrics
from ledger.engine import LedgerDown


def run(answers: list[object], *, every_s: float, at_once: bool) -> tuple[int, Health, float]:
    """Look with these answers, the last of which stops it; returns looks, health, seconds."""
    stop, health, left = threading.Event(), Health(), list(answers)

    def look() -> object:
        answer = left.pop(0)
        if not left:
            stop.set()
        if isinstance(answer, Exception):
            raise answer
        return answer

    begun = time.monotonic()
    look_every(
        stop,
        look,
        every_s=every_s,
        part="part",
        metrics=Metrics(),
        health=health,
        at_once=at_once,
    )
    return len(answers) - len(left), health, time.monotonic() - begun


def test_more_is_looked_for_at_once_and_a_count_is_no_more() -> None:
    looks, _, _ = run([True, True, True], every_s=3600, at_once=True)  # it would wait an hour
    assert looks == 3
    looks, _, took_s = run([7, None, 0], every_s=0.05, at_once=True)
    assert looks == 3
    assert took_s >= 0.1  # two waits


def test_the_first_look_waits_unless_it_is_asked_for() -> None:
    assert run([None], every_s=0.05, at_once=False)[2] >= 0.05


def test_an_absent_ledger_is_told_and_looked_for_again() -> None:
    looks, health, _ = run([LedgerDown("away"), None], every_s=0.01, at_once=True)
    assert looks == 2
    assert "ledger: away" in str(health.report())
