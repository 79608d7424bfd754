"""Reads casework's data and refuses what contradicts itself, or what no data may allow.

Errors name file and key: a state that cannot be reached or that leads to no end, a clock without an
end, a question without an answer; a warning that is published, a finding that rests on a screen.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from contracts.casework import CLOCK, OPENED, CaseKind, Finding, Need
from contracts.casework_data import CaseworkFile, Clock, Move, Outcome, Rules
from contracts.effect import overlap
from contracts.settings import SettingsError, load_settings

FOLDER = Path(__file__).parent.parent / "firmware_configs" / "casework"
TABLES = ("state", "move", "outcome", "clock", "basis")


def read_casework(folder: Path = FOLDER) -> Rules:
    """The rules of a folder (all its ``*.toml``) or of one file. Raises SettingsError."""
    files = sorted(folder.glob("*.toml")) if folder.is_dir() else [folder]
    if not files:
        raise SettingsError(f"{folder}: there is no casework file (*.toml)")
    read = {file: load_settings(file, CaseworkFile) for file in files}
    where: dict[tuple[str, str], Path] = {}
    for file, content in read.items():
        for table in TABLES:
            for entry in getattr(content, table):
                other = where.setdefault((table, entry.id), file)
                if table != "clock" and (other is not file or _twice(content, table, entry.id)):
                    raise SettingsError(f"{file}: {table}.{entry.id}: stands twice")
    hours = _only(read, "hours", folder)
    states = _by_id(one.state for one in read.values())
    moves: dict[str, Move] = _by_id(one.move for one in read.values())
    pausing = {move.id for move in moves.values() if move.pauses}
    rules = Rules(
        version=_only(read, "version", folder),
        start=_only(read, "start", folder),
        own_time=frozenset(role for one in read.values() for role in one.own_time),
        hours=hours.spans,
        states=states,
        moves=moves,
        outcomes=_by_id(one.outcome for one in read.values()),
        clocks=tuple(clock for one in read.values() for clock in one.clock),
        basis=_by_id(one.basis for one in read.values()),
        asking=frozenset(
            asked for move in moves.values() for asked in (*move.answers, *move.settles)
        ),
        pausing=frozenset(pausing),
        resuming=frozenset(one.id for one in moves.values() if pausing & set(one.answers)),
        final=frozenset(states)
        - {
            source
            for move in moves.values()
            if move.to and not move.reopens
            for source in move.sources
        },
    )
    for table, key, message in _faults(rules):
        file = where.get((table, key.partition(".")[0]), folder)
        raise SettingsError(f"{file}: {'.'.join(filter(None, (table, key)))}: {message}")
    return rules


Fault = tuple[str, str, str]
"""Table, id with key, and what is wrong with it."""


def _twice(content: CaseworkFile, table: str, id_: str) -> bool:
    return [entry.id for entry in getattr(content, table)].count(id_) > 1


def _only(read: Mapping[Path, CaseworkFile], key: str, folder: Path) -> Any:
    found = [(file, getattr(one, key)) for file, one in read.items() if getattr(one, key)]
    if not found:
        raise SettingsError(f"{folder}: {key}: stands in no file")
    if len(found) > 1:
        raise SettingsError(f"{found[1][0]}: {key}: stands in {found[0][0].name}, too")
    return found[0][1]


def _by_id(entries: Iterable[Iterable[Any]]) -> dict[str, Any]:
    return {entry.id: entry for some in entries for entry in some}


def _faults(rules: Rules) -> Iterator[Fault]:
    """What is wrong, the simplest first."""
    yield from _hours(rules)
    yield from _unknown(rules)
    yield from _moves(rules)
    yield from _paths(rules)
    yield from _questions(rules)
    yield from _reopening(rules)
    yield from _outcomes(rules)
    yield from _clocks(rules)


def _hours(rules: Rules) -> Iterator[Fault]:
    last = None
    for begins, ends in rules.hours:
        if begins >= ends or (last is not None and begins < last):
            yield "hours", "spans", f"{begins}–{ends} is out of order"
        last = ends


def _unknown(rules: Rules) -> Iterator[Fault]:
    """Names that stand for nothing."""
    clocks = {clock.id for clock in rules.clocks}
    if rules.start not in rules.states:
        yield "start", "", f"there is no state {rules.start!r}"
    for move in rules.moves.values():
        if move.id == OPENED:
            yield "move", move.id, "is how a case begins, and no move"
        yield from _names("move", f"{move.id}.from", move.sources, rules.states)
        yield from _names("move", f"{move.id}.to", (move.to,) if move.to else (), rules.states)
        for key in ("answers", "settles", "while_open", "not_before", "not_by"):
            yield from _names("move", f"{move.id}.{key}", getattr(move, key), rules.moves)
        yield from _names("move", f"{move.id}.within", filter(None, (move.within,)), clocks)
        yield from _names("move", f"{move.id}.outcomes", move.outcomes, rules.outcomes)
        yield from _names("move", f"{move.id}.basis", move.basis, rules.basis)
    for outcome in rules.outcomes.values():
        yield from _names("outcome", f"{outcome.id}.basis", outcome.basis, rules.basis)
    for clock in rules.clocks:
        for key in ("starts", "ends", "reopens"):
            known = {*rules.moves, OPENED} if key == "starts" else set(rules.moves)
            yield from _names("clock", f"{clock.id}.{key}", getattr(clock, key), known)
        yield from _names("clock", f"{clock.id}.makes", filter(None, (clock.makes,)), rules.moves)
        yield from _names("clock", f"{clock.id}.outcomes", clock.outcomes, rules.outcomes)
        yield from _names("clock", f"{clock.id}.basis", clock.basis, rules.basis)
    for basis in rules.basis.values():
        if (
            basis.effective_from
            and basis.effective_until
            and basis.effective_until < basis.effective_from
        ):
            yield "basis", f"{basis.id}.effective_until", "is before effective_from"


def _names(table: str, key: str, named: Iterable[str], known: Iterable[str]) -> Iterator[Fault]:
    missing = sorted(set(named) - set(known))
    if missing:
        yield table, key, f"there is no {missing[0]!r}"


def _moves(rules: Rules) -> Iterator[Fault]:
    for move in rules.moves.values():
        needs = {*move.needs, *move.takes}
        if CLOCK in move.by and (len(move.by) > 1 or move.needs or move.within):
            yield "move", f"{move.id}.by", "a clock makes a move alone and gives nothing"
        if move.finds != (Need.VERDICT in needs):
            yield "move", f"{move.id}.finds", "goes with the need `verdict`, and neither alone"
        if move.finds and not _establishes(move):
            yield (
                "move",
                f"{move.id}.finds",
                "a finding rests on a statutory test (`statutory`, `report`), or of a scene on "
                "an inspection by two officers (`second`, `document`)",
            )
        if move.not_before and Need.TIME not in needs:
            yield "move", f"{move.id}.not_before", "the move needs no `time`"
        if move.publishes and (move.finding != (Finding.ESTABLISHED,) or move.kinds):
            yield "move", f"{move.id}.finding", "what is published must be established"
    if sum(move.publishes for move in rules.moves.values()) != 1:
        yield "move", "", "one move publishes, and no other"


def _establishes(move: Move) -> bool:
    needs = set(move.needs)
    if {Need.STATUTORY, Need.REPORT} <= needs:
        return True
    return move.kinds == (CaseKind.SCENE,) and {Need.SECOND, Need.DOCUMENT} <= needs


def _paths(rules: Rules) -> Iterator[Fault]:
    """Each state is reached, and leads to an end; for every kind of case."""
    for kind in CaseKind:
        edges = {
            (source, move.to)
            for move in rules.moves.values()
            if move.to and move.is_of(kind)
            for source in move.sources
        }
        reached = _closure({rules.start}, edges)
        for state in sorted(set(rules.states) - reached):
            yield "state", state, f"no move leads there in a case of kind {kind}"
        ends = {state.id for state in rules.states.values() if state.end}
        back = _closure(ends, {(to, source) for source, to in edges})
        for state in sorted(set(rules.states) - back):
            yield "state", state, f"leads to no end in a case of kind {kind}"
    for state in sorted(rules.final):
        if not rules.states[state].end:
            yield "state", f"{state}.end", "nothing leaves it, so it is an end"


def _closure(start: set[str], edges: set[tuple[str, str]]) -> set[str]:
    reached, more = set(start), True
    while more:
        new = {to for source, to in edges if source in reached} - reached
        reached |= new
        more = bool(new)
    return reached


def _questions(rules: Rules) -> Iterator[Fault]:
    """Whoever asks can be answered wherever they may ask."""
    for asked in sorted(rules.asking):
        asking = rules.moves[asked]
        if asking.to:
            yield "move", f"{asked}.to", "a move that waits for an answer leaves the state alone"
        answers = [move for move in rules.moves.values() if asked in move.answers]
        for kind in CaseKind:
            if asking.is_of(kind):
                able = {state for move in answers if move.is_of(kind) for state in move.sources}
                for state in sorted(set(asking.sources) - able):
                    yield "move", asked, f"cannot be answered in the state {state!r} ({kind})"
    for move in rules.moves.values():
        if move.pauses and move.id not in rules.asking:
            yield "move", f"{move.id}.pauses", "no move answers it: the pause would never end"


def _reopening(rules: Rules) -> Iterator[Fault]:
    """A case is brought back from an end, for a reason, by people."""
    for move in rules.moves.values():
        if move.reopens and not (move.to and not rules.states[move.to].end):
            yield "move", f"{move.id}.to", "what brings a case back leads to where work goes on"
        if move.reopens and not all(rules.states[one].end for one in move.sources):
            yield "move", f"{move.id}.from", "only what has come to an end is brought back"
        if move.reopens and not {Need.NOTE, Need.SECOND} <= {*move.needs}:
            yield "move", f"{move.id}.needs", "a case is brought back by two, with the reason"
        for asked in move.while_open:
            if asked not in rules.asking:
                yield "move", f"{move.id}.while_open", f"{asked} waits for no answer"


def _outcomes(rules: Rules) -> Iterator[Fault]:
    for outcome in rules.outcomes.values():
        if outcome.warning and outcome.publish:
            yield "outcome", f"{outcome.id}.publish", "a warning is never published"
        if outcome.publish and outcome.finding != (Finding.ESTABLISHED,):
            yield "outcome", f"{outcome.id}.finding", "what is published must be established"
        if outcome.publish and not _expires(rules, outcome):
            yield "outcome", f"{outcome.id}.publish", "no clock ends its publication"
    if any(outcome.publish for outcome in rules.outcomes.values()) and not any(
        move.unpublishes for move in rules.moves.values()
    ):
        yield "move", "", "no move takes a publication back"


def _expires(rules: Rules, outcome: Outcome) -> bool:
    return any(
        clock.role == "expiry" and (not clock.outcomes or outcome.id in clock.outcomes)
        for clock in rules.clocks
    )


def _clocks(rules: Rules) -> Iterator[Fault]:
    for number, clock in enumerate(rules.clocks):
        unit = clock.span[1]
        if clock.pauses and unit == "month":
            yield "clock", f"{clock.id}.pauses", "months are not held up"
        if clock.pauses and unit == "working day" and clock.last_day != "work":
            yield "clock", f"{clock.id}.last_day", "days that are held up end with work"
        if clock.pauses and clock.role != "duty":
            yield "clock", f"{clock.id}.pauses", "an appeal holds up officers' duties only"
        if unit == "given" and any(
            start == OPENED
            or Need.DEADLINE not in (*rules.moves[start].needs, *rules.moves[start].takes)
            for start in clock.starts
        ):
            yield "clock", f"{clock.id}.length", "not all moves that begin it give a `deadline`"
        if clock.role != "duty" and (clock.party or clock.again):
            yield "clock", f"{clock.id}.role", "`party` and `again` are for duties"
        if clock.role == "expiry" and clock.soon:
            yield "clock", f"{clock.id}.role", "`soon` is for duties and rights"
        if (clock.role == "expiry") != bool(clock.makes):
            yield "clock", f"{clock.id}.makes", "goes with the role `expiry`"
        if clock.makes and CLOCK not in rules.moves[clock.makes].by:
            yield "clock", f"{clock.id}.makes", f"{clock.makes} is not made by a clock"
        if clock.makes and clock.makes not in clock.ends:
            yield "clock", f"{clock.id}.ends", f"{clock.makes} does not end it"
        yield from _can_end(rules, clock)
        if (
            clock.effective_from
            and clock.effective_until
            and clock.effective_until < clock.effective_from
        ):
            yield "clock", f"{clock.id}.effective_until", "is before effective_from"
        for other in rules.clocks[:number]:
            if other.id == clock.id and overlap(other, clock):
                yield "clock", clock.id, "two hold on the same day"
    rights = {clock.id for clock in rules.clocks if clock.role == "right"}
    for move in rules.moves.values():
        if move.within and move.within not in rights:
            yield "move", f"{move.id}.within", f"{move.within} is no party's right"


def _can_end(rules: Rules, clock: Clock) -> Iterator[Fault]:
    """From each state in which it begins, a move that ends it can be reached, for each kind."""
    for kind in CaseKind:
        if clock.kinds and kind not in clock.kinds:
            continue
        edges = {
            (source, move.to)
            for move in rules.moves.values()
            if move.to and move.is_of(kind)
            for source in move.sources
        }
        ending = {
            source
            for end in clock.ends
            if rules.moves[end].is_of(kind)
            for source in rules.moves[end].sources
        }
        able = _closure(ending, {(to, source) for source, to in edges})
        for start in clock.starts:
            if start == OPENED:
                begins = {rules.start}
            elif not rules.moves[start].is_of(kind):
                continue
            else:
                move = rules.moves[start]
                begins = {move.to} if move.to else set(move.sources)
            for state in sorted(begins - able):
                yield "clock", f"{clock.id}.ends", f"begun by {start}, it has no end from {state!r}"


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a file of the folder."""
    return msgspec.json.schema(CaseworkFile)
