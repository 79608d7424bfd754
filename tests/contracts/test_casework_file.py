"""Casework's data: what comes with FoodSentry is whole, and what contradicts itself is refused."""

import copy
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from case_parts import CALENDARS, RULES

from contracts.casework import CaseKind, Finding
from contracts.casework_file import FOLDER, json_schema, read_casework
from contracts.casework_tables import markdown
from contracts.settings import SettingsError

Data = dict[str, Any]


def whole() -> Data:
    """All files of the folder as one."""
    data: Data = {}
    for file in sorted(FOLDER.glob("*.toml")):
        data |= tomllib.loads(file.read_text("utf-8"))
    return copy.deepcopy(data)


def written(data: Data, path: Path) -> Path:
    """A TOML file of it; JSON's values are TOML's for what stands here."""
    lines = []
    for key, value in data.items():
        if not isinstance(value, list | dict) or key == "own_time":
            lines.append(f"{key} = {_value(value)}")
    for key, value in data.items():
        if isinstance(value, dict):
            lines += [f"[{key}]", *(f"{name} = {_value(one)}" for name, one in value.items())]
        elif isinstance(value, list) and key != "own_time":
            for entry in value:
                lines += [f"[[{key}]]", *(f"{n} = {_value(one)}" for n, one in entry.items())]
    path.write_text("\n".join(lines), "utf-8")
    return path


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_value(one) for one in value) + "]"
    return str(value)


def entry(data: Data, table: str, id_: str) -> Data:
    found: Data = next(one for one in data[table] if one["id"] == id_)
    return found


def change(table: str, id_: str, **values: Any) -> Callable[[Data], None]:
    """Set keys of an entry; None takes one out."""

    def work(data: Data) -> None:
        found = entry(data, table, id_)
        for key, value in values.items():
            name = "from" if key == "from_" else key
            found.pop(name, None)
            if value is not None:
                found[name] = value

    return work


def drop(table: str, id_: str) -> Callable[[Data], None]:
    return lambda data: data[table].remove(entry(data, table, id_))


def add(table: str, like: str, **values: Any) -> Callable[[Data], None]:
    def work(data: Data) -> None:
        data[table].append(entry(data, table, like) | values)

    return work


def top(**values: Any) -> Callable[[Data], None]:
    return lambda data: data.update(values)


def test_what_comes_with_it_is_whole(tmp_path: Path) -> None:
    assert read_casework(written(whole(), tmp_path / "all.toml")) == RULES
    assert read_casework(FOLDER) == RULES
    assert CALENDARS.is_dir()


FAULTS: dict[str, tuple[Callable[[Data], None], str]] = {
    "no start": (top(start="nowhere"), "start: there is no state 'nowhere'"),
    "state twice": (add("state", "lead"), "state.lead: stands twice"),
    "move twice": (add("move", "verify"), "move.verify: stands twice"),
    "unknown state": (
        change("move", "verify", to="filled"),
        "move.verify.to: there is no 'filled'",
    ),
    "unknown source": (
        change("move", "verify", from_=["led"]),
        "move.verify.from: there is no 'led'",
    ),
    "unknown basis": (change("move", "verify", basis=["x"]), "move.verify.basis: there is no 'x'"),
    "unknown clock": (
        change("move", "object", within="x"),
        "move.object.within: there is no 'x'",
    ),
    "unknown asked": (
        change("move", "order_retest", answers=["x"]),
        "move.order_retest.answers: there is no 'x'",
    ),
    "unknown outcome": (
        change("move", "annul", outcomes=["x"]),
        "move.annul.outcomes: there is no 'x'",
    ),
    "unknown need": (change("move", "verify", needs=["luck"]), "needs"),
    "unknown kind": (change("move", "object", kinds=["luck"]), "kinds"),
    "unknown key": (change("move", "verify", colour="red"), "colour"),
    "no basis": (change("outcome", "minor", basis=[]), "basis"),
    "cannot be reached": (
        add("state", "lead", id="limbo"),
        "state.limbo: no move leads there",
    ),
    "no way to an end": (
        change("state", "withdrawn", end=None),
        "state.annulled: leads to no end",
    ),
    "not reached by a kind": (
        change("move", "accept", kinds=["scene"]),
        "no move leads there in a case of kind produce_test",
    ),
    "a final state that is no end": (
        change("state", "cancelled", end=None),
        "state.cancelled",
    ),
    "a question without an answer": (
        drop("move", "check_rectification"),
        "clock.rectification.ends: there is no 'check_rectification'",
    ),
    "an answer out of reach": (
        change("move", "check_rectification", from_=["disposed"]),
        "move.order_rectification: cannot be answered in the state 'dispatched'",
    ),
    "an answer on the side only": (
        change("move", "refuse_appeal", answers=["appeal"], settles=["lodge_appeal"]),
        "move.lodge_appeal: cannot be answered in the state 'closed'",
    ),
    "open for nobody": (
        change("move", "prove_rectification", while_open=["verify"]),
        "move.prove_rectification.while_open: verify waits for no answer",
    ),
    "brought back by one": (
        change("move", "reopen", needs=["note"]),
        "move.reopen.needs: a case is brought back by two, with the reason",
    ),
    "brought back to an end": (
        change("move", "reopen", to="not_founded"),
        "move.reopen.to: what brings a case back leads to where work goes on",
    ),
    "brought back from its way": (
        change("move", "reopen", from_=["reviewed"]),
        "move.reopen.from: only what has come to an end is brought back",
    ),
    "what follows a right that is over": (
        change("clock", "objection", again="1 h"),
        "clock.objection.role: `party` and `again` are for duties",
    ),
    "a reminder of a publication's end": (
        change("clock", "publication_ends", soon="1 h"),
        "clock.publication_ends.role: `soon` is for duties and rights",
    ),
    "a question that moves": (
        change("move", "object", to="filed", from_=["lead"]),
        "move.object.to: a move that waits",
    ),
    "an endless pause": (
        change("move", "end_appeal", answers=None),
        "move.appeal.pauses: no move answers it",
    ),
    "a finding by screen": (
        change("move", "record_confirmation", needs=["report", "verdict", "time"]),
        "move.record_confirmation.finds: a finding rests on a statutory test",
    ),
    "a finding by one officer": (
        change("move", "inspect", needs=["time", "document", "verdict"]),
        "move.inspect.finds: a finding rests on",
    ),
    "an inspection that establishes a test": (
        change("move", "inspect", kinds=None),
        "move.inspect.finds: a finding rests on",
    ),
    "a verdict that finds nothing": (
        change("move", "inspect", finds=None),
        "move.inspect.finds: goes with the need",
    ),
    "a warning published": (
        change("outcome", "warning", publish=True),
        "outcome.warning.publish: a warning is never published",
    ),
    "published unestablished": (
        change("outcome", "minor", finding=["suspect"]),
        "outcome.minor.finding: what is published must be established",
    ),
    "a publishing move that asks no finding": (
        change("move", "publish", finding=None),
        "move.publish.finding: what is published must be established",
    ),
    "published for ever": (
        change("clock", "publication_ends", outcomes=["penalty"]),
        "outcome.minor.publish: no clock ends its publication",
    ),
    "two that publish": (
        add("move", "publish", id="publish_again"),
        "move: one move publishes",
    ),
    "no way to take it back": (
        lambda data: [entry(data, "move", one).pop("unpublishes") for one in ("annul", "expire")],
        "move: no move takes a publication back",
    ),
    "a clock without an end": (change("clock", "review", ends=[]), "ends"),
    "a clock that cannot end": (
        change("clock", "withdrawal", ends=["publish"]),
        "clock.withdrawal.ends: begun by annul, it has no end from 'annulled'",
    ),
    "no such length": (change("clock", "dispose", length="72 hours"), "length"),
    "no length at all": (change("clock", "dispose", length="0 h"), "length"),
    "a deadline nobody gives": (
        change("clock", "dispose", length="given"),
        "clock.dispose.length: not all moves that begin it give",
    ),
    "months held up": (
        change("clock", "publication_ends", pauses=True),
        "clock.publication_ends.pauses: months",
    ),
    "days held up at midnight": (
        change("clock", "publication", last_day=None),
        "clock.publication.last_day",
    ),
    "a right held up": (
        change("clock", "objection", pauses=True),
        "clock.objection.pauses",
    ),
    "a duty that makes a move": (
        change("clock", "dispose", makes="expire"),
        "clock.dispose.makes: goes with the role",
    ),
    "an expiry that makes none": (
        change("clock", "publication_ends", makes=None),
        "clock.publication_ends.makes: goes with the role",
    ),
    "an expiry by people": (
        change("clock", "publication_ends", makes="annul"),
        "clock.publication_ends.makes: annul is not made by a clock",
    ),
    "an expiry that does not end": (
        change("clock", "publication_ends", ends=["annul"]),
        "clock.publication_ends.ends: expire does not end it",
    ),
    "a clock that gives": (
        change("move", "expire", needs=["note"]),
        "move.expire.by: a clock makes a move alone",
    ),
    "a right that is a duty": (
        change("move", "object", within="dispose"),
        "move.object.within: dispose is no party's right",
    ),
    "two on one day": (
        add("clock", "review", length="5 working days"),
        "clock.review: two hold on the same day",
    ),
    "a day before the other": (
        change("clock", "review", effective_from="2026-02-01", effective_until="2026-01-01"),
        "clock.review.effective_until",
    ),
    "an order without time": (
        change("move", "withdraw", not_before=["annul"]),
        "move.withdraw.not_before: the move needs no `time`",
    ),
    "opened as a move": (add("move", "verify", id="opened"), "move.opened: is how a case begins"),
    "hours out of order": (
        lambda data: data["hours"].update(spans=[["14:00:00", "12:00:00"]]),
        "hours.spans",
    ),
}


@pytest.mark.parametrize("name", list(FAULTS))
def test_what_contradicts_itself_is_refused_with_file_and_key(name: str, tmp_path: Path) -> None:
    work, said = FAULTS[name]
    data = whole()
    work(data)
    path = written(data, tmp_path / "all.toml")
    text = (
        path.read_text("utf-8").replace('"14:00:00"', "14:00:00").replace('"12:00:00"', "12:00:00")
    )
    for day in ("2026-02-01", "2026-01-01"):
        text = text.replace(f'"{day}"', day)
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as caught:
        read_casework(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_key_stands_in_one_file(tmp_path: Path) -> None:
    written(whole(), tmp_path / "a.toml")
    (tmp_path / "b.toml").write_text('version = "2"\n', "utf-8")
    with pytest.raises(SettingsError, match=r"b\.toml: version: stands in a\.toml, too"):
        read_casework(tmp_path)
    (tmp_path / "b.toml").write_text('[[state]]\nid = "lead"\nzh = "线索"\nen = "lead"\n', "utf-8")
    with pytest.raises(SettingsError, match=r"b\.toml: state\.lead: stands twice"):
        read_casework(tmp_path)


def test_nothing_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no casework file"):
        read_casework(tmp_path)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_casework(tmp_path / "none.toml")
    data = whole()
    del data["hours"]
    with pytest.raises(SettingsError, match="hours: stands in no file"):
        read_casework(written(data, tmp_path / "all.toml"))


def test_what_the_law_says_is_in_the_data() -> None:
    """The figures of the domain, so that nobody changes one unnoticed."""
    lengths = {one.id: (one.length, one.role) for one in RULES.clocks}
    assert lengths["objection"] == ("4 h", "right")
    assert lengths["report_objection"] == ("7 working days", "right")
    assert lengths["dispose"] == ("72 h", "duty")
    assert lengths["publication"] == ("20 working days", "duty")
    assert lengths["withdrawal"] == ("3 working days", "duty")
    assert lengths["publication_ends"] == ("3 months", "expiry")
    assert lengths["publication_ends_late"] == ("3 years", "expiry")
    assert RULES.outcomes["warning"].warning and not RULES.outcomes["warning"].publish
    assert {one.id for one in RULES.outcomes.values() if one.publish} == {"minor", "penalty"}
    for move in ("order_retest", "record_retest", "order_confirmation", "record_confirmation"):
        assert "statutory" in RULES.moves[move].needs
    assert "other_lab" in RULES.moves["order_retest"].needs
    assert RULES.moves["object"].kinds == (CaseKind.PRODUCE_TEST,)
    for move in ("verify", "seal", "destroy", "inspect", "add_evidence"):
        assert "second" in RULES.moves[move].needs
    assert "photo" in RULES.moves["destroy"].needs
    assert RULES.moves["publish"].finding == (Finding.ESTABLISHED,)
    for basis in ("food_law_88_quick", "food_law_112", "publication_rules", "penalty_law_42"):
        assert RULES.basis[basis].mark == "V"


def test_every_entry_is_used_and_worded() -> None:
    used = {
        one
        for table in (RULES.moves.values(), RULES.outcomes.values(), RULES.clocks)
        for entry_ in table
        for one in entry_.basis
    }
    unused = set(RULES.basis) - used
    assert unused <= {"produce_law_50_51"}  # said there why a finding does not rest on it
    for one in (*RULES.states.values(), *RULES.moves.values(), *RULES.basis.values()):
        assert one.zh != one.en


def test_tables_and_schema_say_what_the_data_say() -> None:
    said = markdown(RULES)
    for one in (*RULES.states, *RULES.moves, *RULES.outcomes, *RULES.basis):
        assert f"| `{one}` |" in said
    assert "| 4 h |" in said
    names = json_schema()["$defs"]["Move"]["properties"]
    assert {"from", "by", "needs", "answers"} <= set(names)
