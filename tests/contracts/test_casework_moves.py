"""A case's machine: every state, move, role, kind and finding as the data say, and no other way."""

import itertools
import tomllib
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from case_parts import (
    AT,
    CHEN,
    FILES,
    LI,
    PARTY,
    RULES,
    SECOND,
    WANG,
    WORK,
    beginning,
    complete,
    go,
    put,
    walk,
)

from contracts.casework import (
    CLOCK,
    Case,
    CaseEvent,
    CaseKind,
    Finding,
    Given,
    Mover,
    Need,
    Refusal,
)
from contracts.casework_file import FOLDER
from contracts.casework_moves import after, apply, case_of, moves, offer, opened, outstanding
from contracts.casework_words import REASONS

DATA: dict[str, dict[str, Any]] = {
    move["id"]: move for move in tomllib.loads((FOLDER / "machine.toml").read_text("utf-8"))["move"]
}
"""The data as they stand in the file, read past our own types."""
ROLES = ("town", "county", "city", "admin", "operator", "auditor", "nobody", CLOCK)
NOW = AT + timedelta(days=2)
LATER = NOW + timedelta(days=3 * 366)


def ripe(kind: CaseKind, state: str, finding: Finding, outcome: str, move: dict[str, Any]) -> Case:
    """A case in which nothing but state, role, kind, finding and outcome can hinder the move."""
    case = beginning(kind)
    case = put(case, "dispatch", AT, given=Given(assignee="li"))
    case = put(case, "stop_sale", AT)
    for asked in (*move.get("answers", ())[:1], *move.get("while_open", ())[:1]):
        case = put(case, asked, AT)
    if "within" in move:
        served = {"objection": "serve_result", "report_objection": "serve_report"}
        case = put(case, served[move["within"]], NOW, given=Given(happened_at=NOW))
    if outcome:
        case = put(case, "close", NOW, given=Given(outcome=outcome))
    if "clock" in move["by"]:
        case = put(case, "publish", NOW)
    return put(case, "add_evidence", NOW, state=state, finding=finding)


def expected(
    move: dict[str, Any], kind: CaseKind, state: str, role: str, finding: Finding, outcome: str
) -> bool:
    return (
        state in move["from"]
        and role in move["by"]
        and kind in move.get("kinds", list(CaseKind))
        and finding in move.get("finding", list(Finding))
        and (not move.get("outcomes") or outcome in move["outcomes"])
    )


@pytest.mark.parametrize("move_id", list(DATA))
def test_every_state_role_kind_and_finding(move_id: str) -> None:
    move = DATA[move_id]
    at = LATER if "clock" in move["by"] else NOW
    given = complete(move_id, at)
    outcomes = ("", *RULES.outcomes) if move.get("outcomes") else ("",)
    if "clock" in move["by"]:
        outcomes = ("minor", "penalty")
    made = 0
    for kind, state, finding, outcome in itertools.product(
        CaseKind, RULES.states, Finding, outcomes
    ):
        case = ripe(kind, state, finding, outcome, move)
        for role in ROLES:
            mover = Mover("li", role)
            wanted = expected(move, kind, state, role, finding, outcome)
            at_once = msgspec.structs.replace(given, happened_at=at if given.happened_at else None)
            event = apply(WORK, case, move_id, at_once, mover, at, "e")
            assert isinstance(event, CaseEvent) == wanted, (kind, state, role, finding, outcome)
            if isinstance(event, CaseEvent):
                made += 1
                assert event.state == (move.get("to") or state)
                assert event.seq == case.version + 1
                changed = Finding.ESTABLISHED if move.get("finds") else finding
                assert event.finding is changed
            assert offer(WORK, case, RULES.moves[move_id], mover, at).possible == wanted
    assert made


def test_what_is_offered() -> None:
    for kind, role in itertools.product(CaseKind, ROLES):
        case, mover = walk(beginning(kind), "verify"), Mover("li", role)
        offers = moves(WORK, case, mover, NOW)
        assert [one.move.id for one in offers] == [
            move["id"]
            for move in DATA.values()
            if kind in move.get("kinds", list(CaseKind)) and CLOCK not in move["by"]
        ]
        assert all(one == offer(WORK, case, one.move, mover, NOW) for one in offers)
        assert all(one.possible == (not one.why) for one in offers)
        own = {Need.TIME} if role == "operator" else set()
        assert all(set(one.needs) == set(one.move.needs) - own for one in offers)


NEEDS = [(move.id, need) for move in RULES.moves.values() for need in move.needs]
EMPTY: dict[Need, dict[str, Any]] = {
    Need.NOTE: {"note": " "},
    Need.SECOND: {"second": ""},
    Need.TIME: {"happened_at": None},
    Need.DEADLINE: {"deadline": None},
    Need.LAB: {"lab": " "},
    Need.OTHER_LAB: {"lab": ""},
    Need.STATUTORY: {"method": ""},
    Need.VERDICT: {"verdict": ""},
    Need.ASSIGNEE: {"assignee": ""},
    Need.OUTCOME: {"outcome": ""},
    **{need: {"files": ()} for need in FILES},
}


def case_for(move_id: str) -> tuple[Case, Mover]:
    move = DATA[move_id]
    kind = CaseKind(move.get("kinds", ["produce_test"])[0])
    finding = Finding(move.get("finding", ["suspect"])[-1])
    outcome = move.get("outcomes", [""])[-1]
    return ripe(kind, move["from"][0], finding, outcome, move), Mover("li", "county")


@pytest.mark.parametrize(("move_id", "need"), NEEDS)
def test_what_a_move_needs_it_does_not_go_without(move_id: str, need: Need) -> None:
    case, mover = case_for(move_id)
    whole = complete(move_id, NOW)
    assert isinstance(apply(WORK, case, move_id, whole, mover, NOW, "e"), CaseEvent)
    lacking = msgspec.structs.replace(whole, **EMPTY[need])
    refused = apply(WORK, case, move_id, lacking, mover, NOW, "e")
    assert isinstance(refused, Refusal)
    assert [reason.code for reason in refused.reasons] == ["missing"]
    if need in (Need.PHOTO, Need.DOCUMENT, Need.REPORT):
        # A file of another kind is none.
        other = FILES[Need.PHOTO if need is not Need.PHOTO else Need.DOCUMENT]
        wrong = msgspec.structs.replace(whole, files=(other,))
        assert isinstance(apply(WORK, case, move_id, wrong, mover, NOW, "e"), Refusal)


@pytest.mark.parametrize("move_id", [one for one in DATA if "clock" not in DATA[one]["by"]])
def test_what_a_move_does_not_take_is_refused(move_id: str) -> None:
    case, mover = case_for(move_id)
    whole = complete(move_id, NOW)
    takes = {*RULES.moves[move_id].needs, *RULES.moves[move_id].takes}
    more: dict[Need, dict[str, Any]] = {
        Need.TIME: {"happened_at": NOW},
        Need.DEADLINE: {"deadline": NOW + SECOND},
        Need.LAB: {"lab": "另一家"},
        Need.STATUTORY: {"method": "statutory"},
        Need.VERDICT: {"verdict": "passes"},
        Need.ASSIGNEE: {"assignee": "li"},
        Need.OUTCOME: {"outcome": "no_penalty"},
    }
    for need, extra in more.items():
        given = msgspec.structs.replace(whole, **extra)
        refused = apply(WORK, case, move_id, given, mover, NOW, "e")
        taken = need in takes or (need is Need.LAB and Need.OTHER_LAB in takes)
        assert isinstance(refused, CaseEvent) == taken, need
        if isinstance(refused, Refusal):
            assert [reason.code for reason in refused.reasons] == ["unwanted"]


def codes(case: Case, move: str, at: Any, by: Mover = LI, **changes: Any) -> list[str]:
    """Why a move is refused; empty if it is not."""
    refused = apply(WORK, case, move, complete(move, at, **changes), by, at, "e")
    return [one.code for one in refused.reasons] if isinstance(refused, Refusal) else []


def disposing() -> Case:
    return walk(beginning(), "verify", "dispatch", "accept")


def test_a_measure_before_the_report_and_other_eyes_after_it() -> None:
    case = disposing()
    at = case.events[-1].at + timedelta(minutes=5)
    assert codes(case, "report", at) == ["no_action"]
    case = walk(case, "stop_sale", "report")
    assert codes(case, "approve", at) == ["four_eyes"]
    assert codes(case, "send_back", at) == ["four_eyes"]
    assert codes(case, "approve", at, WANG, second="li") == ["four_eyes"]
    assert codes(case, "approve", at, WANG) == []
    again = walk(case, "send_back", "report")
    # Who was second at the report does not review it either.
    event = msgspec.structs.replace(again.events[-1], given=Given(second="wang"))
    again = msgspec.structs.replace(again, events=(*again.events[:-1], event))
    later = again.events[-1].at
    assert codes(again, "approve", later, WANG) == ["four_eyes"]
    assert codes(again, "approve", later, CHEN) == []


def test_only_the_officer_in_charge_accepts() -> None:
    case = walk(beginning(), "verify", "dispatch")
    at = case.events[-1].at
    assert codes(case, "accept", at, WANG) == ["assignee_only"]
    assert codes(case, "accept", at) == []


def test_two_officers_are_two() -> None:
    assert codes(beginning(), "verify", AT, second="li") == ["same_officer"]


def test_a_question_waits_for_its_answer() -> None:
    case = walk(disposing(), "order_confirmation")
    at = case.events[-1].at
    assert outstanding(RULES, case) == ("order_confirmation",)
    assert codes(case, "order_confirmation", at) == ["unanswered"]
    case = walk(case, "record_confirmation")
    assert codes(case, "record_confirmation", at + timedelta(hours=1)) == [
        "unanswered", "nothing_to_answer"]  # fmt: skip
    # The party has a right to the report before anything is closed.
    assert outstanding(RULES, case) == ("record_confirmation",)
    case = walk(case, "stop_sale", "report", "approve")
    at = case.events[-1].at
    assert codes(case, "close", at) == ["unsettled"]
    case = go(case, "serve_report", at)
    assert codes(case, "close", at) == ["right_running"]
    assert codes(case, "close", at + timedelta(days=12)) == []


def test_the_retest_is_by_another_laboratory_and_no_screen() -> None:
    case = walk(beginning(), "serve_result", "object")
    at = case.events[-1].at + timedelta(hours=1)
    assert codes(case, "order_retest", at, lab=" 棠下 快检室") == ["same_lab"]
    assert codes(case, "order_retest", at, method="rapid") == ["rapid_method"]
    assert codes(case, "order_retest", at) == []
    tested = walk(beginning(), "order_confirmation", "record_confirmation", "serve_report",
                  "object_report")  # fmt: skip
    at = tested.events[-1].at + timedelta(hours=1)
    assert codes(tested, "order_retest", at) == ["same_lab"]
    tested = go(tested, "order_retest", at, lab="省检验院")
    assert codes(tested, "record_retest", at, method="rapid") == ["rapid_method"]
    cleared = go(tested, "record_retest", at, verdict="passes")
    assert cleared.finding is Finding.CLEARED
    assert codes(cleared, "dismiss", at) == ["unsettled"]
    assert codes(go(cleared, "serve_retest", at), "dismiss", at) == []


def test_an_objection_counts_from_the_service() -> None:
    case = beginning()
    assert codes(case, "object", AT) == ["right_over"]
    served = AT + timedelta(hours=1)
    # It is typed in two hours after it was served; the hours ran all the while.
    typed = served + timedelta(hours=2)
    case = go(case, "serve_result", typed, happened_at=served)
    due = served + timedelta(hours=4)
    assert codes(case, "object", due, PARTY) == []
    assert codes(case, "object", due + SECOND, PARTY) == ["right_over"]
    # What came in time may be written down later, by an officer; the party cannot say so itself.
    late = due + timedelta(hours=1)
    assert codes(case, "object", late, happened_at=due) == []
    assert codes(case, "object", late, happened_at=due + SECOND) == ["right_over"]
    assert "too_early" in codes(case, "object", late, happened_at=served - SECOND)
    assert codes(case, "object", late, PARTY, happened_at=due) == ["own_time"]
    case = go(case, "object", late, happened_at=due)
    assert set(codes(case, "object", late, happened_at=due)) == {"unanswered"}
    assert codes(case, "serve_result", late) == ["once"]


def test_a_party_hands_in_now() -> None:
    case = walk(beginning(), "serve_result")
    at = case.events[-1].at + timedelta(hours=1)
    event = apply(WORK, case, "object", Given(), PARTY, at, "e")
    assert isinstance(event, CaseEvent)
    assert event.counts_at == at
    (offer,) = (one for one in moves(WORK, case, PARTY, at) if one.move.id == "object")
    assert offer.possible
    assert offer.needs == ()


def test_no_other_kind_has_the_four_hours() -> None:
    case = walk(beginning(CaseKind.FOOD_TEST), "serve_result")
    assert codes(case, "object", case.events[-1].at) == ["kind"]


def test_times_come_in_their_order() -> None:
    case = beginning()
    assert codes(case, "serve_result", AT, happened_at=AT + SECOND) == ["future"]
    assert codes(case, "serve_result", AT, happened_at=AT - SECOND) == ["too_early"]
    assert codes(case, "verify", AT - SECOND) == ["earlier"]
    filed = walk(case, "verify")
    at = filed.events[-1].at
    assert codes(filed, "order_rectification", at, deadline=at) == ["deadline_past"]
    assert codes(filed, "order_rectification", at, deadline=at + SECOND) == []


def test_a_cleared_case_is_not_closed_with_a_penalty_nor_a_suspect_one() -> None:
    case = walk(disposing(), "stop_sale", "report", "approve")
    at = case.events[-1].at
    for outcome in ("warning", "minor", "penalty"):
        assert codes(case, "close", at, outcome=outcome) == ["finding"]
    assert codes(case, "close", at, outcome="no_penalty") == []
    unknown = msgspec.structs.replace(complete("close", at), outcome="acquittal")
    refused = apply(WORK, case, "close", unknown, LI, at, "e")
    assert isinstance(refused, Refusal)
    assert [one.code for one in refused.reasons] == ["unknown_outcome"]
    cleared = put(case, "inspect", at, finding=Finding.CLEARED)
    for outcome in RULES.outcomes:
        assert "finding" in codes(cleared, "close", at, outcome=outcome)
    assert codes(cleared, "clear", at) == []


def closed(outcome: str) -> Case:
    case = walk(disposing(), "order_confirmation", "record_confirmation", "serve_report",
                "stop_sale", "report", "approve")  # fmt: skip
    return go(case, "close", case.events[-1].at + timedelta(days=14), outcome=outcome)


@pytest.mark.parametrize("outcome", list(RULES.outcomes))
def test_what_may_be_published(outcome: str) -> None:
    case = closed(outcome)
    wanted = [] if outcome in ("minor", "penalty") else ["outcome", "not_published"]
    assert codes(case, "publish", case.events[-1].at) == wanted
    if wanted:
        return
    for finding in (Finding.SUSPECT, Finding.CLEARED):
        doubtful = put(case, "add_evidence", case.events[-1].at, finding=finding)
        assert "not_published" in codes(doubtful, "publish", case.events[-1].at)


def test_an_appeal_stops_closing_and_publishing_and_nothing_else() -> None:
    case = closed("minor")
    at = case.events[-1].at
    assert codes(case, "appeal", at, PARTY) == ["role"]
    case = go(case, "appeal", at)
    assert codes(case, "publish", at) == ["paused"]
    assert codes(case, "appeal", at) == ["unanswered"]
    assert codes(case, "annul", at) == []
    assert codes(go(case, "end_appeal", at), "publish", at) == []
    reviewed = walk(disposing(), "stop_sale", "report", "approve")
    at = reviewed.events[-1].at
    reviewed = go(reviewed, "appeal", at)
    assert codes(reviewed, "close", at) == ["paused"]
    assert codes(reviewed, "add_evidence", at) == []


def test_the_clock_alone_ends_a_publication() -> None:
    case = walk(closed("minor"), "publish")
    at = case.events[-1].at
    clock = Mover("", CLOCK)
    assert codes(case, "expire", at, clock) == ["clock_running"]
    assert codes(case, "expire", at + timedelta(days=95), clock) == []
    assert codes(case, "expire", at + timedelta(days=95), LI) == ["role"]


def test_events_in_any_order_and_twice_make_the_same_case() -> None:
    case = walk(closed("minor"), "publish")
    shuffled = [*reversed(case.events), *case.events[::3]]
    assert case_of("c1", case.kind, shuffled) == case
    with pytest.raises(ValueError, match="missing"):
        case_of("c1", case.kind, case.events[1:])
    with pytest.raises(ValueError, match="missing"):
        case_of("c1", case.kind, (*case.events[:2], *case.events[3:]))
    with pytest.raises(ValueError, match="missing"):
        case_of("c1", case.kind, [])
    other = msgspec.structs.replace(case.events[1], actor="mallory")
    with pytest.raises(ValueError, match="claim place 2"):
        case_of("c1", case.kind, [*case.events, other])


def test_a_case_is_known_after_it_occurred() -> None:
    for known, occurred in ((AT + SECOND, AT), (AT, AT + SECOND)):
        with pytest.raises(ValueError, match="known after"):
            opened(WORK, by=LI, at=AT, known_at=known, occurred_at=occurred, event_id="e")


def test_every_reason_has_words_in_both_languages() -> None:
    refused = apply(WORK, beginning(), "fly", Given(), LI, AT, "e")
    assert isinstance(refused, Refusal)
    assert "fly" in refused.zh and "fly" in refused.en
    case = go(walk(beginning(), "serve_result"), "verify", AT + timedelta(hours=1))
    refused = apply(WORK, case, "object", complete("object", AT + timedelta(hours=9)), LI,
                    AT + timedelta(hours=9), "e")  # fmt: skip
    assert isinstance(refused, Refusal)
    assert "快检异议" in refused.zh and "Objection" in refused.en
    assert all(zh and en and zh != en for zh, en in REASONS.values())


def test_moves_do_not_change_what_they_are_given() -> None:
    case = beginning()
    before = msgspec.json.encode(case)
    walk(case, "verify", "dispatch")
    moves(WORK, case, LI, AT)
    assert msgspec.json.encode(case) == before
    assert after(case, case.events[0]).version == 2
