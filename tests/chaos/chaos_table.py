"""Writes what the chaos suite found into docs/chaos.md, between two marks."""

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chaos_count import Row

PAGE = Path(__file__).parents[2] / "docs" / "chaos.md"
BEGIN, END = "<!-- written by make chaos: begin -->", "<!-- written by make chaos: end -->"
HEAD = (
    "| during load | facts | sent again | points | alerts | promises audited | missing | twice "
    "| unexpected | false receipts | drained in s |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown, with a sum."""
    lines = [HEAD]
    for row in rows:
        cells = (
            row.facts,
            row.again,
            row.points,
            row.alerts,
            row.promises,
            row.missing,
            row.twice,
            row.unexpected,
            row.false,
        )
        figures = " | ".join(f"{cell:,}" for cell in cells)
        lines.append(f"| {row.name} | {figures} | {row.drained_s:.1f} |")
    names = ("facts", "again", "points", "alerts", "promises")
    names += ("missing", "twice", "unexpected", "false")
    sums = " | ".join(f"**{sum(getattr(row, name) for row in rows):,}**" for name in names)
    return "\n".join([*lines, f"| **{len(rows)} scenarios** | {sums} | |"])


def write_table(rows: Sequence[Row]) -> None:
    """Put the table where the page has its marks."""
    if not rows:
        return
    head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    when = f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}"
    PAGE.write_text(f"{head}{BEGIN}\n\n{when}\n\n{table(rows)}\n\n{END}{tail}", "utf-8")
