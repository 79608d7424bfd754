"""What the indicators' data say, as Markdown: each definition, the sets of records, populations."""

from contracts.indicator_sets import RECORD_SETS
from contracts.indicators import Indicator, Indicators


def markdown(data: Indicators) -> str:
    """Everything, each under its heading."""
    parts = [_definition(one) for one in data.all]
    sets = ["## Sets of records\n", "| set | holds | |", "| --- | --- | --- |"]
    sets += [f"| `{name}` | {one.en} | {one.zh} |" for name, one in RECORD_SETS.items()]
    people = [
        "## Populations\n",
        "| region | people | source | mark |",
        "| --- | --- | --- | --- |",
    ]
    people += [
        f"| `{one.region}` | {one.people} | {one.source} | [{one.mark}] |"
        for one in data.populations
    ]
    return "\n".join([*parts, "\n".join(sets) + "\n", "\n".join(people) + "\n"])


def _definition(one: Indicator) -> str:
    rows = [
        ("formula", f"{one.formula_en}<br>{one.formula_zh}"),
        ("counts", " of ".join(f"`{name}`" for name in (one.numerator, one.denominator) if name)),
        ("kind, unit", f"{one.kind}, {one.unit}"),
        ("target", _target(one)),
        ("source", f"{one.source} [{one.mark}]"),
        ("days", f"{one.effective_from or ''} – {one.effective_until or ''}".strip(" –")),
    ]
    lines = [f"## {one.title_zh} {one.title_en}\n", f"| `{one.id}` | |", "| --- | --- |"]
    lines += [f"| {name} | {text} |" for name, text in rows if text]
    return "\n".join(lines) + "\n"


def _target(one: Indicator) -> str:
    if one.target is None:
        return "none"
    sign = "≥" if one.better == "higher" else "≤"
    return f"{sign} {one.target:g} {one.unit} [{one.target_mark}] {one.target_source}".strip()
