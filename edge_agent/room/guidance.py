"""What to do next after a sample's results of one item: rules as data, each with its source.

Rules are in ``firmware_configs/rooms/next_steps.toml``, notes on foods in ``matrix_notes.csv``
beside it. Nothing here judges food: a quick test screens.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from contracts.products import Note
from contracts.settings import load_settings
from contracts.words import Verdict

ENZYME_TEST = "pesticide_inhibition"
"""The item that the notes on matrices are about."""

Said = Annotated[str, msgspec.Meta(min_length=1, max_length=400)]


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something said in both languages."""

    zh: Said
    en: Said


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one verdict asks for."""

    verdict: Verdict
    reruns: Annotated[int, msgspec.Meta(ge=1, le=5)]
    now: Words
    confirmed: Words
    """When a rerun is positive (or invalid again)."""
    doubtful: Words
    """When no rerun is positive, and not all of them pass."""
    cleared: Words
    """When all reruns pass."""
    source: Said
    mark: Literal["V", "S", "U"]
    """Read in a primary text, seen in a secondary one, or unverified."""
    items: tuple[str, ...] = ()
    """Codes of the items that it holds for; empty: every item."""


class NextSteps(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    step: tuple[Step, ...]


class Advice(msgspec.Struct, frozen=True):
    """What to do next."""

    code: Literal["rerun", "confirmed", "doubtful", "cleared"]
    say: Words
    source: str
    reruns_left: int = 0


def load_next_steps(file: Path) -> NextSteps:
    """Read the rules. Raises SettingsError."""
    return load_settings(file, NextSteps)


def advise(rules: NextSteps, item: str, verdicts: Sequence[Verdict]) -> Advice | None:
    """What a sample's verdicts of one item, in order, ask for; None: nothing.

    What counts is the first that asks for a rerun; all after it are its reruns.
    """
    for at, verdict in enumerate(verdicts):
        step = _step(rules, item, verdict)
        if step is None:
            continue
        reruns = verdicts[at + 1 :]
        left = step.reruns - len(reruns)
        if left > 0:
            return Advice("rerun", step.now, step.source, left)
        if Verdict.POSITIVE in reruns or (
            verdict is Verdict.INVALID and set(reruns) == {Verdict.INVALID}
        ):
            return Advice("confirmed", step.confirmed, step.source)
        if all(one is Verdict.PASS for one in reruns):
            return Advice("cleared", step.cleared, step.source)
        return Advice("doubtful", step.doubtful, step.source)
    return None


def wants_rerun(rules: NextSteps, item: str, verdicts: Sequence[Verdict]) -> bool:
    """True while a rerun of the item is due."""
    advice = advise(rules, item, verdicts)
    return advice is not None and advice.code == "rerun"


def hint(notes: Sequence[Note], item: str, names: frozenset[str]) -> Note | None:
    """What is known of a food whose own juice disturbs the enzyme test, by any of its names."""
    if item != ENZYME_TEST:
        return None
    return next((note for note in notes if note.name in names), None)


def _step(rules: NextSteps, item: str, verdict: Verdict) -> Step | None:
    for step in rules.step:
        if step.verdict is verdict and (not step.items or item in step.items):
            return step
    return None
