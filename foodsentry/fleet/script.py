"""What a virtual city will tell: every fact of every site, from a seed, known before it is sent.

The same script always tells the same facts at the same measured times. Measured time is an hour
that ends at `begun_at`; it has nothing to do with how long the sending takes. How some instruments
lie and some clocks are wrong is said beside the facts, as labels for whoever wants to find it out.
"""

import hashlib
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

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
from foodsentry.fleet.clocks import ClockError, clock_error
from foodsentry.fleet.lies import Lie, Measured, inhibitions, temperatures

SPAN = timedelta(hours=1)
AGENT, READER, PROBE, CAMERA = "agent", "reader-1", "cold-1", "cam-1"
KINDS = {AGENT: "agent", READER: "pesticide_reader", PROBE: "probe", CAMERA: "camera"}
NAMES = {AGENT: "边缘网关", READER: "农残速测仪", PROBE: "冷藏库探头", CAMERA: "后厨摄像头"}
LEAST_WARM = 10
"""With fewer readings in the hour, a warm cold store might not be seen to be warm for long."""
POSITIVE_FROM = 50.0
"""Inhibition in per cent."""
_FOODS = ("菠菜", "韭菜", "菜心", "生菜", "芹菜", "豇豆", "油麦菜", "小白菜")


class FleetScript(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The numbers that everything else follows from. Shares are of the sites, 0 to 1."""

    begun_at: datetime
    seed: int = 1
    sites: int = 100
    region: str = "440703"
    tests: int = 4
    """Test results of each site's pesticide reader."""
    batches: int = 6
    """Messages of each site's cold-store probe."""
    readings: int = 5
    """Readings in each of them."""
    episodes: int = 1
    """Camera episodes of each site: an opening, a picture and a closing."""
    positives: float = 0.2
    """Share of the test results that are positive."""
    warm: float = 0.1
    """Share of cold stores that become too warm and stay so."""
    liars: float = 0.2
    clocks: float = 0.1

    @property
    def prefix(self) -> str:
        """What the ids of this script's sites begin with."""
        return f"fleet{self.seed}-"

    def site(self, number: int) -> "SiteScript":
        """The script of one site, numbered from 0."""
        return SiteScript(self, number)

    def each(self) -> Iterator["SiteScript"]:
        """Every site's script."""
        return map(self.site, range(self.sites))


class SiteScript:
    """One site: who is there, how its instruments lie, how its clock is wrong, what it tells."""

    def __init__(self, script: FleetScript, number: int) -> None:
        self.script = script
        self.agent = Identity(script.region, f"{script.prefix}{number:05d}", AGENT)
        chance = random.Random(f"{script.seed}/{number}")
        self.lie = chance.choice(list(Lie)[1:]) if chance.random() < script.liars else Lie.HONEST
        honest_clock = chance.random() >= script.clocks
        self.clock = ClockError() if honest_clock else clock_error(chance)
        # Whether it is warm for long enough is only certain where the time is.
        long_enough = script.batches > 1 and script.batches * script.readings >= LEAST_WARM
        warm = chance.random() < script.warm and long_enough
        self.warm = warm and honest_clock and self.lie is Lie.HONEST
        self._seed = chance.getrandbits(64)

    @property
    def devices(self) -> list[Identity]:
        """The agent and its devices."""
        return [self.agent.sibling(name) for name in KINDS]

    @property
    def truth(self) -> dict[str, str]:
        """What is not as it seems, by device: lies and the clock."""
        told = {}
        if self.lie is not Lie.HONEST:
            told[READER] = self.lie.value
            if self.lie is not Lie.IMPOSSIBLE_TIMES:
                told[PROBE] = self.lie.value
        if self.clock.kind:
            told[AGENT] = self.clock.kind
        return told

    def facts(self) -> list[tuple[float, Fact]]:
        """Every fact with its place in the sending, from 0 (the begin) to 1, in order."""
        chance = random.Random(self._seed)
        told = [*self._tests(chance), *self._readings(chance), *self._episodes(chance)]
        return sorted(told, key=lambda one: one[0])

    def _at(self, share: float) -> datetime:
        """The site's clock at a place of the hour, to the millisecond."""
        at = self.script.begun_at - SPAN + SPAN * share
        at += timedelta(seconds=self.clock.at(share))
        return at.astimezone(UTC).replace(microsecond=at.microsecond // 1000 * 1000)

    def _tests(self, chance: random.Random) -> Iterator[tuple[float, Fact]]:
        count = self.script.tests
        measured = inhibitions(self.lie, count, self.script.positives, chance)
        for number, one in enumerate(measured, 1):
            share = (number - 0.5 + 0.4 * one.jitter) / count
            yield share, self._test(number, one, self._at(share), chance)

    def _test(self, number: int, one: Measured, at: datetime, chance: random.Random) -> Fact:
        text = f"{one.value:.2f}"
        raw = f"{self.agent.site} {number} {text}".encode()
        positive = one.value >= POSITIVE_FROM
        data = TestResult(
            sample=Sample(number=f"S{number:04d}", name=chance.choice(_FOODS)),
            item="农药残留",
            item_code="pesticide_inhibition",
            value=Value(text, number=float(text), unit="%"),
            verdict=Verdict.POSITIVE if positive else Verdict.PASS,
            captured_at=at,
            measured_at=at + timedelta(seconds=one.ahead_s),
            profile=ProfileRef("fleet", "1"),
            raw=RawFrame(raw, hashlib.sha256(raw).hexdigest()),
            record_number=number,
            limit_text="< 50 %",
        )
        return Fact(self.agent.sibling(READER), "tests", data, at)

    def _readings(self, chance: random.Random) -> Iterator[tuple[float, Fact]]:
        batches, each = self.script.batches, self.script.readings
        values = temperatures(self.lie, batches * each, chance, warm=self.warm)
        for batch in range(batches):
            rows = [
                Reading("temperature", values[n], "Cel", self._at(n / (batches * each)))
                for n in range(batch * each, (batch + 1) * each)
            ]
            fact = Fact(self.agent.sibling(PROBE), "readings", Readings(rows), rows[-1].measured_at)
            yield (batch + 1) / batches * 0.999, fact

    def _episodes(self, chance: random.Random) -> Iterator[tuple[float, Fact]]:
        count, camera = self.script.episodes, self.agent.sibling(CAMERA)
        for number in range(1, count + 1):
            opens = (number - 0.9 + 0.3 * chance.random()) / count
            closes = opens + 0.3 / count
            name = f"{self.script.prefix}{number}"
            started_at, ended_at = self._at(opens), self._at(closes)
            episode = Observation(
                observation_id=name,
                kind="no_hat",
                phase=Phase.OPEN,
                started_at=started_at,
                captured_at=started_at,
                reason="仿真观察 / simulated observation",
                zone="切配间",
                people=1,
                confidence=0.9,
                evidence=(f"{name}-p",),
            )
            yield opens, Fact(camera, "observations", episode, started_at)
            yield opens + 0.01 / count, Fact(camera, "evidence", self._picture(name), started_at)
            closed = msgspec.structs.replace(
                episode, phase=Phase.CLOSED, captured_at=ended_at, ended_at=ended_at
            )
            yield closes, Fact(camera, "observations", closed, ended_at)

    def _picture(self, episode: str) -> Evidence:
        content = f"picture of {self.agent.site} {episode}".encode() * 8
        return Evidence(
            evidence_id=f"{episode}-p",
            media_type="image/jpeg",
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            width=640,
            height=360,
            captured_at=self._at(0.5),
            blurred=True,
            observation_id=episode,
        )
