"""Figures of a benchmark: several runs, their median and spread, and the machine they came from."""

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec


class Figure(msgspec.Struct, frozen=True):
    """One measured quantity over several runs."""

    name: str
    unit: str
    median: float
    low: float
    high: float
    runs: int
    ratio: float | None = None
    """How many times as fast as what it is compared with, in the same runs."""


def figure(name: str, unit: str, values: Sequence[float]) -> Figure:
    """Sum up the runs of one quantity."""
    return Figure(name, unit, statistics.median(values), min(values), max(values), len(values))


def at_share(ordered: Sequence[float], share: float) -> float:
    """The value that so large a share of them is below; `ordered` is sorted, and not empty."""
    return ordered[min(len(ordered) - 1, round(share * len(ordered)))]


def rate(name: str, unit: str, work: Callable[[], int], runs: int, least_s: float = 0.3) -> Figure:
    """Units of work per second: `work` does some and returns how many; each run lasts a while."""
    work()  # warm
    values = []
    for _ in range(runs):
        done = 0
        begun = time.perf_counter()
        while (spent := time.perf_counter() - begun) < least_s:
            done += work()
        values.append(done / spent)
    return figure(name, unit, values)


def machine() -> str:
    """The processor, its cores and Python's version, in words."""
    model = platform.machine()
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _short(value: float) -> str:
    """Three significant digits, thousands apart."""
    if abs(value) >= 100:
        digits = len(str(int(abs(value)))) - 3
        return f"{round(value, -digits):,.0f}"
    return f"{value:.3g}"


def spread(one: Figure) -> str:
    """A figure as median, lowest and highest with its unit."""
    between = "" if one.runs == 1 else f" ({_short(one.low)} – {_short(one.high)})"
    return f"{_short(one.median)}{between} {one.unit}"


def compare(
    names: tuple[str, str], unit: str, works: tuple[Callable[[], int], Callable[[], int]], runs: int
) -> tuple[Figure, Figure]:
    """Two ways to do the same, in turns; the first bears the median ratio to the second."""
    pairs = []
    for _ in range(runs):
        first, second = (rate("", "", work, 1).median for work in works)
        pairs.append((first, second))
    ours, other = (figure(name, unit, [pair[i] for pair in pairs]) for i, name in enumerate(names))
    ratio = statistics.median(first / second for first, second in pairs)
    return msgspec.structs.replace(ours, ratio=ratio), other


def table(title: str, figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table; with a column of ratios if there are any."""
    ratios = any(f.ratio is not None for f in figures)
    last = (" × the other |", " ---: |") if ratios else ("", "")
    lines = [f"### {title}", "", f"| what | median | lowest – highest | runs |{last[0]}"]
    lines.append(f"| --- | ---: | ---: | ---: |{last[1]}")
    for f in figures:
        spread = f"{_short(f.low)} – {_short(f.high)}"
        ratio = "" if not ratios else f" {f.ratio:.2f} |" if f.ratio is not None else " |"
        lines.append(f"| {f.name} | {_short(f.median)} {f.unit} | {spread} | {f.runs} |{ratio}")
    return "\n".join(lines) + "\n"
