"""Writes what the chaos suite found into docs/chaos.md, between two marks.

What was not run this time keeps its row.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from chaos_count import Row

PAGE = Path(__file__).parents[2] / "docs" / "chaos.md"
BEGIN, END = "<!-- written by make chaos: begin -->", "<!-- written by make chaos: end -->"
COLUMNS = (
    "facts",
    "sent again",
    "points",
    "alerts",
    "promises audited",
    "missing",
    "twice",
    "unexpected",
    "false receipts",
)
"""All are summed up."""
LAST = ("drained in s", "date")


def cells(row: Row) -> list[str]:
    """A scenario's line, in cells."""
    counts = (
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
    figures = [f"{count:,}" for count in counts]
    return [row.name, *figures, f"{row.drained_s:.1f}", f"{datetime.now(UTC):%Y-%m-%d}"]


def write_table(rows: Sequence[Row], order: Sequence[str]) -> None:
    """Put the rows where the page has its marks, in the order of the scenarios' names."""
    head, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    before, _, tail = rest.partition(END)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in before.splitlines()]
    known = {line[0]: line for line in lines if line} | {row.name: cells(row) for row in rows}
    table = [known[name] for name in order if name in known]
    sums = [
        sum(int(line[place].replace(",", "")) for line in table)
        for place in range(1, len(COLUMNS) + 1)
    ]
    written = [
        ["during load", *COLUMNS, *LAST],
        ["---", *["---:"] * (len(COLUMNS) + len(LAST))],
        *table,
        [f"**{len(table)} scenarios**", *(f"**{count:,}**" for count in sums), "", ""],
    ]
    text = "\n".join(f"| {' | '.join(line)} |" for line in written)
    PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", "utf-8")
