"""The party's own steps, reopened cases and reminders, as the data have them."""

from datetime import datetime, timedelta

import msgspec
import pytest
from case_parts import AT, CHEN, LI, PARTY, RULES, SECOND, WANG, WORK, beginning, complete, go, walk

from contracts.casework import Case, CaseKind, Finding, Refusal
from contracts.casework_clocks import clock_face, clocks
from contracts.casework_moves import apply, moves, outstanding
from contracts.casework_reminders import first_reminder, next_reminder, reminders

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def codes(case: Case, move: str, by: object = LI, **changes: object) -> list[str]:
    at = case.events[-1].at + MINUTE
    made = apply(WORK, case, move, complete(move, at, **changes), by, at, "e")  # type: ignore[arg-type]
    return [one.code for one in made.reasons] if isinstance(made, Refusal) else []


def ordered() -> Case:
    case = walk(beginning(CaseKind.SCENE), "verify", "dispatch", "accept")
    return go(case, "order_rectification", case.events[-1].at + MINUTE)


def state(case: Case, clock: str) -> str:
    face = clock_face(WORK, case, clock, case.events[-1].at)
    return face.state if face else ""


def test_the_party_makes_just_its_own_steps() -> None:
    offers = [one.move.id for one in moves(WORK, ordered(), PARTY, AT + DAY) if one.possible]
    assert offers == ["prove_rectification", "lodge_appeal"]
    by_party = {one.id for one in RULES.moves.values() if "operator" in one.by}
    assert by_party == {"object", "object_report", "prove_rectification", "lodge_appeal"}
    assert codes(ordered(), "prove_rectification", PARTY, second="li") == ["unwanted"]
    assert "unwanted" not in codes(ordered(), "prove_rectification", second="chen")


def test_a_proof_waits_for_an_answer_and_the_order_with_it() -> None:
    assert codes(beginning(CaseKind.SCENE), "prove_rectification", PARTY) == ["nothing_to_answer"]
    case = ordered()
    assert codes(case, "accept_proof") == ["nothing_to_answer"]
    at = case.events[-1].at + HOUR
    case = go(case, "prove_rectification", at, PARTY)
    assert outstanding(RULES, case) == ("order_rectification", "prove_rectification")
    assert (state(case, "rectification"), state(case, "proof_review")) == ("met", "running")
    assert codes(case, "prove_rectification", PARTY) == ["unanswered"]
    back = go(case, "return_proof", at + HOUR)
    assert outstanding(RULES, back) == ("order_rectification",)
    assert (state(back, "rectification"), state(back, "proof_review")) == ("running", "met")
    again = go(back, "prove_rectification", at + 2 * HOUR, PARTY)
    for answer in ("accept_proof", "check_rectification"):
        done = go(again, answer, at + 3 * HOUR)
        assert outstanding(RULES, done) == ()
        assert (state(done, "rectification"), state(done, "proof_review")) == ("met", "met")
    # On site without a proof, too; and a proof that comes late is late.
    assert outstanding(RULES, go(ordered(), "check_rectification", at)) == ()
    late = go(ordered(), "prove_rectification", at + 30 * DAY, PARTY)
    assert state(late, "rectification") == "late"


def test_an_appeal_of_the_party_holds_nothing_up_and_is_not_closed_over() -> None:
    case = walk(beginning(CaseKind.SCENE), "verify", "dispatch", "accept", "stop_sale", "report",
                "approve")  # fmt: skip
    at = case.events[-1].at + MINUTE
    lodged = go(case, "lodge_appeal", at, PARTY)
    assert state(lodged, "review") == "met" and state(lodged, "dispose") == "met"
    assert codes(lodged, "close", WANG) == ["unsettled"]
    assert codes(go(lodged, "refuse_appeal", at + MINUTE), "close", WANG) == []
    booked = go(lodged, "appeal", at + MINUTE)
    assert outstanding(RULES, booked) == ("appeal",)
    assert codes(booked, "close", WANG) == ["paused"]
    assert codes(booked, "lodge_appeal", PARTY) == []
    assert codes(case, "appeal") == []  # an officer needs none to book one


def closed() -> Case:
    case = walk(beginning(CaseKind.SCENE), "verify", "dispatch", "accept", "stop_sale", "report",
                "approve")  # fmt: skip
    return go(case, "close", case.events[-1].at + MINUTE, WANG)


def test_a_wrongly_closed_case_comes_back_by_others() -> None:
    case = closed()
    assert codes(case, "reopen", WANG) == ["four_eyes"]
    assert codes(case, "reopen", second="wang") == ["four_eyes"]
    assert codes(case, "reopen", PARTY) == ["role", "unwanted"]
    back = go(case, "reopen", case.events[-1].at + DAY, CHEN)
    assert back.state == "filed" and state(back, "redisposal") == "running"
    assert state(back, "dispose") == "met"  # what was in time stays so
    again = walk(back, "dispatch", "accept", "report", "approve")
    assert state(again, "redisposal") == "met"
    assert go(again, "close", again.events[-1].at + MINUTE, WANG).state == "closed"


def test_a_dismissed_lead_comes_back_unless_a_test_cleared_it() -> None:
    case = walk(beginning(CaseKind.SCENE), "dismiss")
    assert set(codes(case, "reopen_lead")) == {"four_eyes"}
    back = go(case, "reopen_lead", case.events[-1].at + DAY, WANG, second="chen")
    assert back.state == "lead" and codes(back, "verify", WANG) == []
    event = case.events[-1]
    cleared = Case(
        "c1",
        case.kind,
        (*case.events[:-1], msgspec.structs.replace(event, finding=Finding.CLEARED)),
    )
    assert codes(cleared, "reopen_lead", WANG, second="chen") == ["finding"]


@pytest.mark.parametrize("outcome", ["minor", "warning", "penalty"])
def test_what_was_decided_is_annulled_and_not_gone_back_on(outcome: str) -> None:
    case = walk(beginning(), "verify", "dispatch", "accept", "order_confirmation")
    case = walk(case, "record_confirmation", "serve_report", "stop_sale", "report", "approve")
    case = go(case, "close", case.events[-1].at + 14 * DAY, WANG, outcome=outcome)
    assert set(codes(case, "reopen", CHEN)) == {"outcome", "decided"}
    assert codes(case, "annul", CHEN) == []


def test_reminders_come_at_their_moment_one_stage_at_a_time() -> None:
    case = beginning(CaseKind.SCENE)
    due = AT + 72 * HOUR

    def stages(at: object) -> list[str]:
        return [one.stage for one in reminders(clocks(WORK, case, at), at)]  # type: ignore[arg-type]

    assert stages(AT) == [] and next_reminder(clocks(WORK, case, AT), AT) == due - 24 * HOUR
    assert stages(due - 24 * HOUR - SECOND) == []
    assert stages(due - 24 * HOUR) == ["soon"]
    assert stages(due) == ["over"]
    assert stages(due + 24 * HOUR) == ["again"]
    assert next_reminder(clocks(WORK, case, due), due) == due + 24 * HOUR
    assert next_reminder(clocks(WORK, case, due + DAY), due + DAY) is None
    ended = walk(case, "dismiss")
    assert reminders(clocks(WORK, ended, due), due) == []
    held = walk(case, "appeal")
    assert reminders(clocks(WORK, held, due), due) == []


def test_a_right_is_told_of_before_its_end_and_never_after() -> None:
    served = go(beginning(), "serve_result", AT, happened_at=AT)
    due = AT + 4 * HOUR

    def stages(case: Case, at: datetime) -> list[tuple[str, str]]:
        told = reminders(clocks(WORK, case, at), at)
        return [(one.face.clock.id, one.stage) for one in told if one.face.clock.role == "right"]

    soon = [("objection", "soon")]
    assert next_reminder(clocks(WORK, served, AT), AT) == due - HOUR
    assert stages(served, due - HOUR - SECOND) == []
    assert stages(served, due - HOUR) == stages(served, due) == soon
    assert stages(served, due + SECOND) == []
    objected = go(served, "object", due - 2 * HOUR, happened_at=due - 2 * HOUR)
    assert stages(objected, due - HOUR) == []
    # Entered three and a half hours after it was served: told at once.
    assert first_reminder(clocks(WORK, served, due - MINUTE), due - MINUTE) == due - MINUTE
    assert first_reminder(clocks(WORK, served, AT), AT) == due - HOUR
    over = due + SECOND
    assert first_reminder(clocks(WORK, served, over), over) == AT + 48 * HOUR


def test_of_a_short_time_nobody_is_reminded_before_its_end() -> None:
    case = walk(beginning(CaseKind.SCENE), "verify")
    at = case.events[-1].at + MINUTE
    for hours, stages in ((47, []), (48, ["soon"])):
        due = at + hours * HOUR
        short = go(case, "order_rectification", at, deadline=due)
        faces = [
            face for face in clocks(WORK, short, due - HOUR) if face.clock.id == "rectification"
        ]
        assert [one.stage for one in reminders(faces, due - HOUR)] == stages
    keys = {one.key for one in reminders(faces, due)} | {one.key for one in reminders(faces, at)}
    assert len(keys) == 1
