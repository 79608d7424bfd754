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


def figure(name: str, unit: str, values: Sequence[float]) -> Figure:
    """Sum up the runs of one quantity."""
    return Figure(name, unit, statistics.median(values), min(values), max(values), len(values))


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


def table(title: str, figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    lines = [f"### {title}", "", "| what | median | lowest – highest | runs |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for f in figures:
        spread = f"{_short(f.low)} – {_short(f.high)}"
        lines.append(f"| {f.name} | {_short(f.median)} {f.unit} | {spread} | {f.runs} |")
    return "\n".join(lines) + "\n"
