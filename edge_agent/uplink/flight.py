"""One event on its way: what the plan of sending knows of it until it is receipted."""

from dataclasses import dataclass

from edge_agent.outbox.encoding import Lane


@dataclass(slots=True)
class Flight:
    """One event that was handed out for sending and is not receipted."""

    key: int
    lane: Lane
    size: int
    attempts: int = 0
    missed: int = 0
    """How often its receipt did not come although somebody had heard it: only that lengthens the
    pauses. What nobody heard, or a broker lost, says nothing of the city."""
    strikes: int = 0
    mid: int | None = None
    """Packet id while it is unacknowledged."""
    sent_at: float = 0.0
    acked_at: float | None = None
    unheard: bool = False
    """The broker took it and had nobody to give it to."""
    overdue: bool = False
    """Its receipt is missing, and it waits for the outcome of a probe."""
    due_at: float | None = None
    problem: str = ""
