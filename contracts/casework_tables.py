"""What casework's data say, as Markdown tables: the machine, its outcomes, its clocks, its law."""

from collections.abc import Iterable

from contracts.casework_data import Move, Rules

MOVE_HEADS = ("move", "", "from → to", "by", "needs", "only", "party sees", "told", "law")
CLOCK_HEADS = ("clock", "", "whose", "begins → ends", "length", "told before", "missed", "law")


def markdown(rules: Rules) -> str:
    """All tables, each under its heading."""
    return "\n".join(
        (
            _table("States", ("state", "", "rests"), _states(rules)),
            _table("Moves", MOVE_HEADS, _moves(rules)),
            _table("Outcomes", ("outcome", "", "published", "only", "law"), _outcomes(rules)),
            _table("Clocks", CLOCK_HEADS, _clocks(rules)),
            _table("Law", ("basis", "", "source", "mark", "days"), _law(rules)),
        )
    )


def _states(rules: Rules) -> Iterable[tuple[str, ...]]:
    for one in rules.states.values():
        yield f"`{one.id}`", f"{one.zh} {one.en}", "yes" if one.end else ""


def _moves(rules: Rules) -> Iterable[tuple[str, ...]]:
    for one in rules.moves.values():
        way = f"{', '.join(one.sources)} → {one.to or 'the same'}"
        needs = ", ".join((*one.needs, *(f"({need})" for need in one.takes)))
        name = f"{one.zh} {one.en}"
        yield (
            f"`{one.id}`",
            name,
            way,
            ", ".join(one.by),
            needs,
            _only(one),
            one.party,
            ", ".join(one.tells),
            _basis(rules, one.basis),
        )


def _only(move: Move) -> str:
    said = (
        ("of " + ", ".join(move.kinds), move.kinds),
        ("once", move.once),
        ("answers " + ", ".join(move.answers), move.answers),
        ("answers too " + ", ".join(move.settles), move.settles),
        ("while open " + ", ".join(move.while_open), move.while_open),
        (f"while `{move.within}` runs", move.within),
        ("held to be " + " or ".join(move.finding), move.finding),
        ("of outcome " + ", ".join(move.outcomes), move.outcomes),
        ("nothing unanswered", move.settled),
        ("no party's right running", move.quiet),
        ("not during an appeal", not move.while_paused),
        ("the officer in charge", move.assignee),
        ("not by who made " + ", ".join(move.not_by), move.not_by),
        ("after a measure", move.after_action),
        ("a measure", move.action),
        ("establishes or clears", move.finds),
        ("holds clocks up", move.pauses),
        ("brings the case back", move.reopens),
    )
    return "; ".join(text for text, is_so in said if is_so)


def _outcomes(rules: Rules) -> Iterable[tuple[str, ...]]:
    for one in rules.outcomes.values():
        only = ", ".join((*one.finding, *one.needs))
        published = "yes" if one.publish else "never" if one.warning else "no"
        yield f"`{one.id}`", f"{one.zh} {one.en}", published, only, _basis(rules, one.basis)


def _clocks(rules: Rules) -> Iterable[tuple[str, ...]]:
    for one in rules.clocks:
        way = f"{', '.join(one.starts)} → {', '.join(one.ends)}"
        if one.reopens:
            way += f"; goes on after {', '.join(one.reopens)}"
        of = ", ".join((*one.kinds, *one.outcomes, *(["the party's to do"] if one.party else [])))
        length = one.length + (", until work ends" if one.last_day == "work" else "")
        whose = (
            one.role + (f" ({of})" if of else "") + ("; an appeal holds it" if one.pauses else "")
        )
        missed = f"{one.missed_zh} {one.missed_en}"
        law = _basis(rules, one.basis)
        name, before = f"{one.zh} {one.en}", one.soon
        yield f"`{one.id}`", name, whose, way, length, before, missed, law


def _law(rules: Rules) -> Iterable[tuple[str, ...]]:
    for one in rules.basis.values():
        days = f"{one.effective_from or ''} – {one.effective_until or ''}".strip(" –")
        yield f"`{one.id}`", f"{one.zh} {one.en}", one.source, f"[{one.mark}]", days


def _basis(rules: Rules, ids: Iterable[str]) -> str:
    return ", ".join(f"`{one}` [{rules.basis[one].mark}]" for one in ids)


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"## {title}\n", _row(heads), _row("---" for _ in heads)]
    return "\n".join([*lines, *(_row(row) for row in rows)]) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
