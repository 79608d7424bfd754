"""What the agent says of itself to the city: one status made of outbox, uplink and workers."""

from collections.abc import Sequence
from datetime import datetime

from contracts.events import Status
from contracts.words import DeviceState
from edge_agent.outbox.state import OutboxState
from edge_agent.supervisor import WorkerState
from edge_agent.uplink.state import UplinkState

CLOCK_TOLERANCE_S = 60.0


def agent_status(
    at: datetime,
    outbox: OutboxState | str,
    uplink: UplinkState,
    workers: Sequence[WorkerState],
    *,
    max_bytes: int,
    clock_offset_s: float | None,
    software: str,
    room: str = "",
) -> Status:
    """The agent's health; a text for `outbox` says why its state cannot be read.

    `room`: what the testing room cannot write.
    """
    problems = [f"testing room: {room}"] if room else []
    problems += [f"{worker.name}: {worker.problem}" for worker in workers if worker.problem]
    problems += [f"not taken by the broker: {held}" for held in uplink.held[:3]]
    if uplink.connected and uplink.problem:
        problems.append(uplink.problem)
    if uplink.connected and uplink.unheard:
        problems.append("the broker has nobody to give our events to: no gateway subscribes")
    if clock_offset_s is not None and abs(clock_offset_s) > CLOCK_TOLERANCE_S:
        problems.append(f"clock is {clock_offset_s:+.0f} s off the city's")
    figures = {
        "connections": float(uplink.connections),
        "held": float(len(uplink.held)),
        "taken_in": float(uplink.taken_in),
        "worker_restarts": float(sum(worker.restarts for worker in workers)),
        "workers": float(len(workers)),
    }
    if isinstance(outbox, str):
        problems.insert(0, outbox)
        return Status(
            DeviceState.DEGRADED,
            at,
            detail="; ".join(problems),
            software=software,
            clock_offset_s=clock_offset_s,
            figures=figures,
        )
    if outbox.failing:
        problems.insert(0, outbox.failing)
    if outbox.set_aside:
        problems.append(f"a broken outbox was set aside as {outbox.set_aside}")
    share = outbox.used_bytes / max_bytes
    if share > 0.85:
        problems.append(f"outbox is {share:.0%} full, old readings thin out")
    age_s = 0.0 if outbox.oldest_put_at is None else at.timestamp() - outbox.oldest_put_at
    return Status(
        state=DeviceState.DEGRADED if problems else DeviceState.ONLINE,
        at=at,
        detail="; ".join(problems),
        software=software,
        epoch=outbox.epoch,
        lowest_unreceipted=outbox.lowest_unreceipted,
        oldest_unsent_age_s=round(max(0.0, age_s), 3),
        backlog=outbox.backlog,
        outbox_bytes=outbox.used_bytes,
        thinned=outbox.thinned,
        clock_offset_s=None if clock_offset_s is None else round(clock_offset_s, 3),
        figures={**figures, "quarantined": float(outbox.quarantined)},
        numbering=outbox.numbering,
    )
