"""Finds out which profile an unknown instrument on a port answers to."""

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from contracts.clock import Clock
from contracts.limits import Limits
from contracts.profile import Modbus, Poll
from edge_agent.instruments.hosts import actions
from edge_agent.instruments.hosts.make import make_host
from edge_agent.instruments.port import Line, open_line
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.results import Reader

LISTEN_S = 2.0


class Answer(msgspec.Struct, frozen=True):
    """What a port said to one profile."""

    profile: str
    answered: bool
    good_frames: int
    discarded_bytes: int


def probe(
    port: str,
    profiles: Sequence[LoadedProfile],
    limits: Limits,
    clock: Clock,
    stop: threading.Event,
    *,
    address: int | None = None,
) -> Iterator[Answer]:
    """Try the profiles one after another, those that ask first. Raises PortError.

    Requests are the profiles' own, which only read. Nothing that comes is acknowledged: it isn't
    stored here.
    """
    asking = [each for each in profiles if isinstance(each.spec.dialogue, Poll | Modbus)]
    hearing = [each for each in profiles if each not in asking]
    for profile in (*asking, *hearing):
        if stop.is_set():
            return
        line = open_line(port, profile.spec.link)
        try:
            yield _try(line, profile, Reader(profile.ref, limits), clock, stop, address)
        finally:
            line.close()


def _try(
    line: Line,
    profile: LoadedProfile,
    reader: Reader,
    clock: Clock,
    stop: threading.Event,
    address: int | None,
) -> Answer:
    dialogue = profile.spec.dialogue
    asks = isinstance(dialogue, Poll | Modbus)
    window_s = LISTEN_S
    if isinstance(dialogue, Poll | Modbus):
        window_s = profile.spec.link.settle_s + dialogue.reply_timeout_s + 0.3
    host = make_host(profile, reader, address=address)
    frames = discarded = 0

    def carry_out(wanted: actions.Actions) -> None:
        nonlocal frames, discarded
        for action in wanted:
            if isinstance(action, actions.Send) and asks:
                line.write(action.content)
            elif isinstance(action, actions.Answered):
                frames += not action.problem  # an exception is an answer, but to a wrong question
            elif isinstance(action, actions.Noise) and not action.harmless:
                discarded += len(action.discarded.content)

    end = time.monotonic() + window_s
    carry_out(host.open(time.monotonic()))
    while (now := time.monotonic()) < end and not frames and not stop.is_set():
        at: datetime = clock()
        if host.due() <= now:
            carry_out(host.wake(now, at))
        content = line.read(max(0.0, min(0.1, host.due() - now, end - now)))
        if content:
            carry_out(host.receive(content, time.monotonic(), clock()))
    carry_out(host.finish())
    return Answer(profile.name, frames > 0, frames, discarded)
