"""Facts for tests of the edge: a test result, readings, an observation and a picture."""

import hashlib
from datetime import UTC, datetime, timedelta

from contracts.events import (
    Evidence,
    Observation,
    ProfileRef,
    RawFrame,
    Reading,
    Readings,
    Sample,
    TestResult,
    Value,
)
from contracts.topics import Identity
from contracts.words import Phase, Verdict
from edge_agent.ports import Fact

AGENT = Identity("440703", "market-1", "agent")
START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def result(number: int = 1, at: datetime = START, agent: Identity = AGENT) -> Fact:
    """A positive pesticide test."""
    raw = f"record {number}".encode()
    data = TestResult(
        sample=Sample(number=str(number), name="菠菜"),
        item="农药残留",
        value=Value("62.50", number=62.5, unit="%"),
        verdict=Verdict.POSITIVE,
        captured_at=at,
        profile=ProfileRef("dayuan_lz_4000t", "1"),
        raw=RawFrame(raw, hashlib.sha256(raw).hexdigest()),
        record_number=number,
    )
    return Fact(agent.sibling("lz-1"), "tests", data, at)


def readings(
    count: int = 1, at: datetime = START, device: str = "probe-1", agent: Identity = AGENT
) -> Fact:
    """A batch of temperatures."""
    batch = [Reading("temperature", 4.5 + place, "Cel", at) for place in range(count)]
    return Fact(agent.sibling(device), "readings", Readings(batch), at)


def observation(name: str, phase: Phase, at: datetime = START, agent: Identity = AGENT) -> Fact:
    """An episode without a hat, opened or closed."""
    data = Observation(
        observation_id=name,
        kind="no_hat",
        phase=phase,
        started_at=at,
        captured_at=at,
        reason="three looks in a row",
    )
    return Fact(agent.sibling("cam-1"), "observations", data, at)


def picture(size: int = 1000, at: datetime = START, agent: Identity = AGENT) -> Fact:
    """A picture of `size` bytes."""
    content = bytes(size)
    data = Evidence(
        evidence_id="e1",
        media_type="image/jpeg",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        width=640,
        height=360,
        captured_at=at,
        blurred=True,
    )
    return Fact(agent.sibling("cam-1"), "evidence", data, at)
