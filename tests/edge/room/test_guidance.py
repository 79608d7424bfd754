"""What to do next after a result, from the shipped rules."""

import pytest
from room_parts import CONFIGS, INHIBITION

from contracts.products import read_notes
from contracts.words import Verdict
from edge_agent.room.guidance import advise, hint, load_next_steps

RULES = load_next_steps(CONFIGS / "rooms/next_steps.toml")
PASS, POSITIVE, SUSPECT, INVALID = (
    Verdict.PASS,
    Verdict.POSITIVE,
    Verdict.SUSPECT,
    Verdict.INVALID,
)


@pytest.mark.parametrize(
    ("verdicts", "code", "left"),
    [
        ([], None, 0),
        ([PASS], None, 0),
        ([Verdict.NONE], None, 0),
        ([POSITIVE], "rerun", 1),
        ([POSITIVE, POSITIVE], "confirmed", 0),
        ([POSITIVE, PASS], "cleared", 0),
        ([POSITIVE, SUSPECT], "doubtful", 0),
        ([POSITIVE, INVALID], "doubtful", 0),
        ([SUSPECT], "rerun", 2),
        ([SUSPECT, PASS], "rerun", 1),
        ([SUSPECT, PASS, PASS], "cleared", 0),
        ([SUSPECT, PASS, SUSPECT], "doubtful", 0),
        ([SUSPECT, POSITIVE, PASS], "confirmed", 0),
        ([INVALID], "rerun", 1),
        ([INVALID, INVALID], "confirmed", 0),
        ([INVALID, PASS], "cleared", 0),
        ([PASS, POSITIVE], "rerun", 1),
    ],
)
@pytest.mark.parametrize("item", [INHIBITION, "gold_strip", "an item nobody knows"])
def test_each_history_has_its_next_step(
    item: str, verdicts: list[Verdict], code: str | None, left: int
) -> None:
    advice = advise(RULES, item, verdicts)
    assert (advice and advice.code, advice.reruns_left if advice else 0) == (code, left)
    assert advice is None or (advice.say.zh and advice.say.en and advice.source)


def test_foods_that_mislead_the_enzyme_method_are_told_and_no_others() -> None:
    notes = read_notes(CONFIGS / "rooms/matrix_notes.csv")
    assert hint(notes, INHIBITION, frozenset({"韭菜"}))
    assert hint(notes, INHIBITION, frozenset({"西红柿", "番茄"}))
    assert hint(notes, INHIBITION, frozenset({"菜心"})) is None
    assert hint(notes, "gold_strip", frozenset({"韭菜"})) is None
