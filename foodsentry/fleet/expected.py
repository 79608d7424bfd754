"""What one site's script must leave in the city: rows, points and alerts, by how they are named.

This is written from docs/gateway.md and docs/alert-rules.md, not from the gateway's code, so that
the two can be held against each other. It knows the starter rules.
"""

from collections import Counter
from datetime import datetime

from contracts.events import Evidence, Observation, Readings, TestResult
from contracts.words import Phase, Verdict
from edge_agent.ports import Fact
from foodsentry.fleet.outbox import Span
from foodsentry.fleet.script import CAMERA, PROBE, READER, SiteScript

Numbers = list[tuple[str, int]]
"""Epoch and sequence of each fact, in the script's order."""
RULES = ("pesticide_positive", "no_hat", "cold_store_warm")
"""The starter rules that a fleet's facts meet."""


def numbers(spans: list[Span]) -> Numbers:
    """Under which number each fact of a site was told."""
    return [(span.epoch, number) for span in spans for number in range(1, span.facts + 1)]


class SiteExpectation:
    """Everything that is known of one site before it tells anything."""

    def __init__(self, site: SiteScript) -> None:
        self.site = site
        self.facts: list[Fact] = [fact for _, fact in site.facts()]
        self._read()

    def keep(self, count: int) -> None:
        """Of a run that was stopped, expect only the first `count` facts."""
        if count < len(self.facts):
            self.facts = self.facts[:count]
            self._read()

    def _read(self) -> None:
        self.kinds = Counter(fact.kind for fact in self.facts)
        self.readings: dict[datetime, float] = {
            reading.measured_at: reading.value
            for fact in self.facts
            if isinstance(fact.data, Readings)
            for reading in fact.data.readings
        }
        """Of the one probe."""
        self.tests: list[tuple[int, TestResult]] = [
            (place, fact.data)
            for place, fact in enumerate(self.facts)
            if isinstance(fact.data, TestResult)
        ]
        """With their places among the facts."""
        episodes = {
            fact.data.observation_id: fact.data.phase
            for fact in self.facts
            if isinstance(fact.data, Observation)
        }
        self.phases: list[tuple[str, Phase]] = list(episodes.items())
        """Of each episode, the last that was told."""
        self.pictures = [
            fact.data.evidence_id for fact in self.facts if isinstance(fact.data, Evidence)
        ]
        self.rules: Counter[str] = Counter(
            pesticide_positive=sum(test.verdict is Verdict.POSITIVE for _, test in self.tests),
            no_hat=len(self.phases),
            cold_store_warm=int(self.site.warm),
        )

    def fingerprints(self, numbered: Numbers) -> set[str]:
        """The alerts, as the rules name them: rule, device, and what tells one from the next."""
        reader, probe, camera = (
            self.site.agent.sibling(name).source for name in (READER, PROBE, CAMERA)
        )
        found = {f"no_hat|{camera}|{episode}" for episode, _ in self.phases}
        for place, test in self.tests:
            if test.verdict is Verdict.POSITIVE:
                epoch, sequence = numbered[place]
                found.add(f"pesticide_positive|{reader}|{epoch}-{sequence}")
        if self.site.warm:
            found.add(f"cold_store_warm|{probe}|temperature")
        return found
