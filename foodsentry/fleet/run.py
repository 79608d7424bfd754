"""Runs a virtual city against a real broker: tells the script, cuts lines, restarts agents, waits.

One asyncio loop for everything. It ends when all that was told is receipted, or when time is up;
either way the report says what must be in the city.
"""

import asyncio
import random
import resource
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial

import msgspec

from contracts.clock import Clock, utc_now
from contracts.tls import TlsFiles
from edge_agent.ports import Fact
from edge_agent.uplink.mqtt import Endpoint, client_id_of
from edge_agent.uplink.settings import UplinkSettings
from foodsentry.fleet.agent import VirtualAgent
from foodsentry.fleet.report import FleetReport, expectation
from foodsentry.fleet.script import FleetScript, SiteScript
from foodsentry.fleet.wire import FleetLink

DIALERS = 16
LOOK_EVERY_S = 1.0
HEALTH_EVERY_S = 15.0
GOODBYE_S = 1.0
_FILES_ASIDE = 200


class FleetFailed(RuntimeError):
    """The fleet cannot run here; the text says why."""


class FleetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fleet connects, how fast it tells its script, and what befalls it."""

    host: str = "127.0.0.1"
    port: int = 1883
    tls: TlsFiles | None = None
    passwords: dict[str, str] = {}
    """Password by broker user, which is ``{region}/{site}``; none: anonymous."""
    over_s: float = 10.0
    """How long the telling takes."""
    connects_per_s: float = 200.0
    limit_s: float = 300.0
    """When to give up waiting for receipts."""
    cuts: float = 0.0
    """Share of the agents whose network is cut once, for one to five seconds."""
    restarts: float = 0.0
    """Share of the agents that start anew in the middle."""
    keepalive_s: int = 15
    uplink: UplinkSettings = UplinkSettings()


def run_fleet(
    script: FleetScript,
    options: FleetOptions,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[str], None] = lambda _: None,
) -> FleetReport:
    """Run it whole; `tell` gets a line of progress now and then. Raises FleetFailed."""
    _allow_files(script.sites)
    return asyncio.run(_Fleet(script, options, stop, tell).run())


def _allow_files(sites: int) -> None:
    """Each agent is a connection, and each connection a file."""
    wanted = sites + _FILES_ASIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise FleetFailed(
                f"{sites} sites need {wanted} open files, {hard} are allowed (ulimit -Hn)"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Fleet:
    def __init__(
        self,
        script: FleetScript,
        options: FleetOptions,
        stop: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> None:
        self._script = script
        self._options = options
        self._stop = stop
        self._tell = tell
        self._agents: list[VirtualAgent] = []
        self._untold = 0

    async def run(self) -> FleetReport:
        loop = asyncio.get_running_loop()
        begun = time.monotonic()
        with ThreadPoolExecutor(DIALERS, "fleet-dial") as dialers:
            sites = list(self._script.each())
            self._agents = [self._agent(site, loop, dialers) for site in sites]
            for place, (site, agent) in enumerate(zip(sites, self._agents, strict=True)):
                begins_at = loop.time() + place / self._options.connects_per_s
                loop.call_at(begins_at, agent.look)
                self._schedule(site, agent, begins_at, loop)
            await self._watch(begun)
            for agent in self._agents:
                agent.leave()
            await asyncio.sleep(GOODBYE_S)
        return FleetReport(
            script=self._script,
            expected=expectation(self._script),
            seconds=round(time.monotonic() - begun, 2),
            told=sum(agent.counts.put for agent in self._agents),
            unreceipted=sum(len(agent.outbox) for agent in self._agents),
            sent=sum(agent.counts.sent for agent in self._agents),
            connections=sum(agent.counts.connections for agent in self._agents),
            cuts=sum(agent.counts.cuts for agent in self._agents),
            restarts=sum(agent.counts.restarts for agent in self._agents),
            refused=sum(agent.counts.refused for agent in self._agents),
            rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, 1),
            truth={site.agent.site: site.truth for site in sites if site.truth},
            numbered={agent.who.site: agent.outbox.spans for agent in self._agents},
        )

    def _agent(
        self, site: SiteScript, loop: asyncio.AbstractEventLoop, dialers: ThreadPoolExecutor
    ) -> VirtualAgent:
        options, who = self._options, site.agent
        password = options.passwords.get(who.place)
        endpoint = Endpoint(
            host=options.host,
            port=options.port,
            client_id=client_id_of(who),
            username=who.place if password else "",
            password=password,
            tls=options.tls,
            keepalive_s=options.keepalive_s,
            session_expiry_s=options.uplink.session_expiry_s,
        )
        make_link = partial(FleetLink, loop, dialers)
        chance = random.Random(f"{self._script.seed}/{who.site}/jitter")
        clock = _wrong_clock(site.clock.after_s)
        return VirtualAgent(who, endpoint, options.uplink, loop, make_link, clock, chance)

    def _schedule(
        self,
        site: SiteScript,
        agent: VirtualAgent,
        begins_at: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        options = self._options
        facts = site.facts()
        self._untold += len(facts)
        chance = random.Random(f"{self._script.seed}/{agent.who.site}/fate")
        for share, fact in facts:
            loop.call_at(begins_at + share * options.over_s, self._tell_one, agent, fact)
        if chance.random() < options.cuts:
            at = begins_at + chance.uniform(0.1, 0.9) * options.over_s
            loop.call_at(at, agent.cut, chance.uniform(1.0, 5.0))
        if chance.random() < options.restarts:
            loop.call_at(begins_at + chance.uniform(0.3, 0.8) * options.over_s, agent.restart)

    def _tell_one(self, agent: VirtualAgent, fact: Fact) -> None:
        agent.tell([fact])
        self._untold -= 1

    async def _watch(self, begun: float) -> None:
        """Until everything is receipted, or time is up."""
        said, health = 0.0, 0
        while True:
            await asyncio.sleep(min(LOOK_EVERY_S, 0.2 if not self._untold else LOOK_EVERY_S))
            for agent in self._agents:
                agent.look()
            seconds = time.monotonic() - begun
            if seconds / HEALTH_EVERY_S > health:
                health += 1
                for agent in self._agents:
                    agent.report_health()
            waiting = sum(len(agent.outbox) for agent in self._agents)
            if seconds - said >= 5:
                said = seconds
                up = sum(agent.connected for agent in self._agents)
                self._tell(f"{seconds:5.0f} s: {up} connected, {waiting} unreceipted")
            if (not self._untold and not waiting) or self._stop():
                return
            if seconds > self._options.limit_s:
                self._tell(f"given up after {seconds:.0f} s with {waiting} unreceipted")
                return


def _wrong_clock(ahead_s: float) -> Clock:
    if not ahead_s:
        return utc_now
    ahead = timedelta(seconds=ahead_s)

    def clock() -> datetime:
        return utc_now() + ahead

    return clock
