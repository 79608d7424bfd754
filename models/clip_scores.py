"""Episodes found against episodes expected: precision, recall, false alarms an hour, in Markdown.

Intervals are of 95 %: Wilson's for shares, and the exact Poisson limit for a rate.
"""

import math
from collections.abc import Iterable, Sequence
from statistics import median

import msgspec

from edge_agent.cameras.tools.timeline import Span
from edge_agent.simulation.clips import Expected, Matter
from models.figures import wilson

EARLY_S, LATE_S = 1.5, 8.0
"""A found episode belongs to a true one if they overlap, with so much leeway before and after."""


class Score(msgspec.Struct, frozen=True):
    """What became of one clip."""

    name: str
    script: str
    matter: Matter
    look: str
    lasts_s: float
    models: str
    """Hashes of the models that were measured, so that a run is only resumed with the same."""
    expected: int
    """Episodes that must be found."""
    found: int
    """Of those."""
    false: int
    """Episodes that are in no truth, and second ones of the same true one."""
    delays_s: tuple[float, ...]
    """From the begin in truth to the moment of telling."""
    wrong: tuple[str, ...]
    """What was false or missed, in words."""
    sights: tuple[str, ...]
    """Kinds of blindness that were told; none is true in these clips."""


def judge(expected: Sequence[Expected], spans: Iterable[Span]) -> tuple[list[float], list[str]]:
    """Delays of the true episodes that were found, and what is wrong, in words.

    A wrong one begins with ``false`` or ``missed``. Spans of other kinds than hat and mask are
    not looked at.
    """
    delays: dict[int, float] = {}
    wrong = []
    for span in spans:
        if span.kind not in ("no_hat", "no_mask"):
            continue
        end_s = math.inf if span.end_s is None else span.end_s
        fits = [
            index
            for index, one in enumerate(expected)
            if (one.kind, one.zone) == (span.kind, span.zone)
            and span.start_s < one.end_s + LATE_S
            and end_s > one.start_s - EARLY_S
        ]
        fresh = [index for index in fits if index not in delays]
        if fresh:
            delays[fresh[0]] = span.opened_s - expected[fresh[0]].start_s
        else:
            again = "again " if fits else ""
            wrong.append(f"false {again}{span.kind} {span.zone} {span.start_s:.0f}-{end_s:.0f} s")
    for index, one in enumerate(expected):
        if one.must and index not in delays:
            wrong.append(f"missed {one.kind} {one.zone} {one.start_s:.0f}-{one.end_s:.0f} s")
    return [delay for index, delay in delays.items() if expected[index].must], wrong


def most_per_hour(count: int, hours: float) -> float:
    """Upper limit (95 %, one-sided, exact) of a rate of which `count` were seen in `hours`."""
    if hours <= 0:
        return math.inf
    low, high = 0.0, count + 10 * math.sqrt(count + 1) + 10
    for _ in range(80):
        mean = (low + high) / 2
        below = sum(math.exp(-mean) * mean**k / math.factorial(k) for k in range(count + 1))
        low, high = (mean, high) if below > 0.05 else (low, mean)
    return high / hours


def render(scores: Sequence[Score]) -> str:
    """Tables in Markdown: by condition and by script, then what went wrong."""
    stories = [one for one in scores if one.matter is Matter.EPISODES]
    days = [one for one in scores if one.matter is not Matter.EPISODES]
    parts = []
    if stories:
        parts += ["Episodes, by condition:\n", _episodes(stories, "look")]
        parts += ["\nEpisodes, by script:\n", _episodes(stories, "script")]
    if days:
        parts += ["\nFalse alarms where no episode is right:\n", _rates(days)]
    sights = [f"{one.name}: {', '.join(one.sights)}" for one in scores if one.sights]
    parts.append(f"\nClips with a blindness that was told: {len(sights)}")
    return "\n".join(parts)


def _episodes(scores: Sequence[Score], by: str) -> str:
    rows = [
        f"| {by} | clips | true | found | false | precision | recall | delay |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    keys = sorted({str(getattr(one, by)) for one in scores})
    groups = [(key, [one for one in scores if str(getattr(one, by)) == key]) for key in keys]
    for name, group in [*groups, ("**all**", list(scores))]:
        true = sum(one.expected for one in group)
        found, false = sum(one.found for one in group), sum(one.false for one in group)
        delays = [delay for one in group for delay in one.delays_s]
        told = f"{median(delays):.1f} s" if delays else ""
        rows.append(
            f"| {name} | {len(group)} | {true} | {found} | {false} "
            f"| {_share(found, found + false)} | {_share(found, true)} | {told} |"
        )
    return "\n".join(rows)


def _rates(scores: Sequence[Score]) -> str:
    rows = [
        "| clips | hours | false alarms | an hour | at most (95 %) |",
        "| --- | --- | --- | --- | --- |",
    ]
    keys = sorted({(one.matter.value, one.look) for one in scores})
    groups = [
        (f"{matter}, {look}", [s for s in scores if (s.matter.value, s.look) == (matter, look)])
        for matter, look in keys
    ]
    for matter in sorted({one.matter.value for one in scores}):
        groups.append((f"**{matter}**", [s for s in scores if s.matter.value == matter]))
    for name, group in [*groups, ("**all**", list(scores))]:
        hours, false = sum(one.lasts_s for one in group) / 3600, sum(one.false for one in group)
        most = most_per_hour(false, hours)
        rows.append(f"| {name} | {hours:.1f} | {false} | {false / hours:.2f} | {most:.2f} |")
    return "\n".join(rows)


def _share(hits: int, of: int) -> str:
    if not of:
        return ""
    low, high = wilson(hits, of)
    return f"{hits / of:.3f} ({low:.3f}-{high:.3f})"
