"""What is missing in the city, where, and since when: one question, answered from the ledger.

An agent says how many numbers each of its epochs has given, and below which one everything was
receipted to it. What lies below and was not taken in is lost (a ledger restored from an old backup,
a defect); what lies above still waits at the site.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from contracts.events import Numbering
from contracts.sequences import RangeSet
from contracts.topics import Identity
from contracts.words import DeviceState
from ledger import intake, standings
from ledger.devices import Device

WAITING_AFTER_S = 60.0
"""What waits at a site for less than this is on its way."""
RANGES_MOST = 20
"""Ranges that are named of one gap."""
SHOWN_RANGES = 3
"""Of them, in one line."""


class MissingKind(StrEnum):
    """Why events are not here, the gravest first."""

    LOST = "lost"
    """Receipted to the agent, but not in this ledger: they are nowhere."""
    SILENT = "silent"
    """The agent is not heard; whatever it has since then is with it."""
    WAITING = "waiting"
    """Safe at the site, not receipted yet."""
    THINNED = "thinned"
    """Old readings that the agent dropped because its outbox was full."""


class Missing(msgspec.Struct, frozen=True):
    """Events of one agent that are not here."""

    kind: MissingKind
    agent: Identity
    name: str
    """The agent's name in the register."""
    events: int
    """How many; of a silent agent, how many waited when it was last heard."""
    since: datetime | None
    """The oldest of them is from then, or later; None if the agent was never heard."""
    detail: str = ""
    """What the agent last said."""
    epoch: str = ""
    ranges: list[tuple[int, int]] = []
    """The numbers that are missing, at most RANGES_MOST ranges."""

    def numbers(self, dash: str = "-") -> str:
        """The first of the missing numbers in one line; empty if there are none to name."""
        shown = [
            f"{first}{dash}{last}" if first < last else str(first)
            for first, last in self.ranges[:SHOWN_RANGES]
        ]
        return ", ".join(shown) + (" …" if len(self.ranges) > SHOWN_RANGES else "")


def find(
    conn: Connection, at: datetime, regions: Sequence[str] | None = None, site: str | None = None
) -> list[Missing]:
    """Everything that is missing as of `at` (in these regions, at this site), gravest first."""
    waiting_since = at - timedelta(seconds=WAITING_AFTER_S)
    return gaps_of(conn, standings.in_question(conn, at, waiting_since, regions, site), at)


def gaps_of(conn: Connection, agents: Sequence[Device], at: datetime) -> list[Missing]:
    """Everything that is missing of these agents as of `at`, gravest first."""
    found = [gap for agent in agents for gap in _at_the_site(agent, at)]
    found += lost(conn, agents)
    order = list(MissingKind)
    return sorted(found, key=lambda one: (order.index(one.kind), one.since or at, one.agent))


def lost(conn: Connection, agents: Iterable[Device]) -> list[Missing]:
    """Numbers that agents hold for receipted and that were not taken in; thinned ones apart."""
    expected = [(agent, epoch, upto) for agent in agents for epoch, upto in _receipted(agent)]
    claims = intake.claimed(conn, [(agent.identity, epoch.epoch) for agent, epoch, _ in expected])
    found = []
    for agent, epoch, upto in expected:
        held = claims[agent.identity, epoch.epoch]
        gaps = _gaps(held, upto)
        count = sum(last - first + 1 for first, last in gaps)
        thinned = min(count, epoch.thinned)
        for kind, events in ((MissingKind.LOST, count - thinned), (MissingKind.THINNED, thinned)):
            if events:
                found.append(
                    Missing(
                        kind=kind,
                        agent=agent.identity,
                        name=agent.name,
                        events=events,
                        since=epoch.begun_at,
                        epoch=epoch.epoch,
                        ranges=gaps[:RANGES_MOST],
                    )
                )
    return found


def silent(agent: Device, at: datetime) -> bool:
    """Whether an agent is not heard: it said farewell, or is silent for longer than it may be."""
    if agent.state is DeviceState.OFFLINE:
        return True
    heard_at = agent.last_seen_at or agent.registered_at
    limit = agent.silent_after_s
    return limit is not None and at - heard_at > timedelta(seconds=limit)


def _at_the_site(agent: Device, at: datetime) -> list[Missing]:
    since = agent.waiting_since
    if silent(agent, at):
        kind = MissingKind.SILENT
        since = min(filter(None, (since, agent.last_seen_at)), default=None)
    elif since is not None and (at - since).total_seconds() > WAITING_AFTER_S:
        kind = MissingKind.WAITING
    else:
        return []
    told = (agent.state_detail, agent.epoch)
    return [Missing(kind, agent.identity, agent.name, agent.backlog, since, *told)]


def _receipted(agent: Device) -> list[tuple[Numbering, int]]:
    """The epochs of an agent with the number up to which it has everything receipted."""
    numbering = agent.numbering
    if not agent.epoch and not agent.backlog:
        return [(one, one.given) for one in numbering]
    for place, one in enumerate(numbering):
        if one.epoch == agent.epoch:
            lowest = agent.lowest_unreceipted or 1
            older = [(before, before.given) for before in numbering[place + 1 :]]
            return [(one, lowest - 1), *older]
    return []


def _gaps(held: RangeSet, upto: int) -> list[tuple[int, int]]:
    """Numbers of 1 through `upto` that are not held."""
    gaps = [(first, min(last, upto)) for first, last in held.gaps() if first <= upto]
    highest = held.ranges()[-1][1] if held.ranges() else 0
    return [*gaps, (highest + 1, upto)] if highest < upto else gaps
