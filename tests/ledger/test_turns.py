"""Tests of the turns at an SQLite ledger: one at a time, who goes first, and nobody for ever."""

import threading
import time
from collections.abc import Callable

import pytest

from ledger import turns
from ledger.turns import Turns


def _until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


class Queue:
    """Threads that ask for a turn one after the other, and note when they have it."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.order: list[str] = []
        self.threads: list[threading.Thread] = []

    def ask(self, name: str, *, first: bool = False, timeout_s: float = 10.0) -> None:
        def work() -> None:
            if self.turns.take(first=first, timeout_s=timeout_s):
                self.order.append(name)
                self.turns.give_back()
            else:
                self.order.append(f"not {name}")

        before = len(self.turns._waiting)
        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()
        _until(lambda: len(self.turns._waiting) > before)

    def end(self) -> list[str]:
        self.turns.give_back()
        for thread in self.threads:
            thread.join(10)
        return self.order


def test_who_asked_to_go_first_does_and_the_others_follow_in_their_order() -> None:
    queue = Queue()
    assert queue.turns.take(first=False, timeout_s=0)
    queue.ask("a")
    queue.ask("b")
    queue.ask("intake", first=True)
    assert queue.end() == ["intake", "a", "b"]
    assert queue.turns.take(first=False, timeout_s=0)


def test_nobody_is_passed_over_for_longer_than_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE_S", 0.0)
    queue = Queue()
    assert queue.turns.take(first=True, timeout_s=0)
    queue.ask("a")
    queue.ask("intake", first=True)
    assert queue.end() == ["a", "intake"]


def test_who_gives_up_leaves_its_place() -> None:
    queue = Queue()
    assert queue.turns.take(first=False, timeout_s=0)
    queue.ask("a", timeout_s=0.01)
    _until(lambda: queue.order)
    queue.ask("b")
    assert queue.end() == ["not a", "b"]


def test_there_is_never_more_than_one() -> None:
    shared, count, most, done = Turns(), [0], [0], []

    def work(first: bool) -> None:
        for _ in range(200):
            assert shared.take(first=first, timeout_s=10)
            count[0] += 1
            most[0] = max(most[0], count[0])
            count[0] -= 1
            shared.give_back()
        done.append(first)

    threads = [threading.Thread(target=work, args=(number == 0,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == 5 and most == [1]
