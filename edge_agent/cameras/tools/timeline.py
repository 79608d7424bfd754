"""Observations as the spans of time that they tell of: one episode or one blindness each."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.events import Observation
from contracts.words import Phase
from edge_agent.cameras.tools.replay import BEGIN


@dataclass(frozen=True, slots=True)
class Span:
    """What one observation id told of, in seconds from the clip's beginning."""

    kind: str
    zone: str
    start_s: float
    end_s: float | None
    """None if it was still open."""
    opened_s: float
    """When it was told."""
    people: int
    confidence: float
    reason: str
    """Why it was opened."""


def spans(observations: Iterable[Observation], begin: datetime = BEGIN) -> list[Span]:
    """The spans in the order in which they were told."""
    opened: dict[str, Span] = {}
    for one in observations:
        known = opened.get(one.observation_id)
        told_s = (one.captured_at - begin).total_seconds()
        is_closed = one.phase is Phase.CLOSED and one.ended_at is not None
        opened[one.observation_id] = Span(
            kind=one.kind,
            zone=one.zone,
            start_s=(one.started_at - begin).total_seconds(),
            end_s=(one.ended_at - begin).total_seconds() if is_closed and one.ended_at else None,
            opened_s=known.opened_s if known else told_s,
            people=one.people,
            confidence=one.confidence,
            reason=known.reason if known else one.reason,
        )
    return list(opened.values())


def told(span: Span) -> str:
    """One line of a timeline."""
    end = "…" if span.end_s is None else clock(span.end_s)
    where = f"  {span.zone}" if span.zone else ""
    return f"{clock(span.start_s)}-{end}  {span.kind}{where}  {span.reason}"


def clock(at_s: float) -> str:
    """Seconds as minutes and seconds."""
    return f"{int(at_s) // 60:02d}:{at_s % 60:04.1f}"
