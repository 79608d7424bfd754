"""Any sequence of moves by anybody, right or wrong: no forbidden place, nothing lost."""

from datetime import timedelta
from typing import Any

import msgspec
from case_parts import AT, LI, RULES, WANG, WORK, beginning, complete
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

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
    lab_name,
)
from contracts.casework_clocks import clocks
from contracts.casework_moves import after, apply, case_of, moves, offer, outstanding

WHO = st.sampled_from(
    [
        *(Mover(name, "county") for name in ("li", "wang", "zhao")),
        Mover("chen", "town"),
        Mover("stall", "operator"),
        Mover("", CLOCK),
        Mover("hu", "auditor"),
    ]
)
SPANS = st.sampled_from([0, 1, 60, 600, 4 * 3600, 86400, 9 * 86400, 40 * 86400, 800 * 86400])
MOVES = st.sampled_from(list(RULES.moves))
OUTCOMES = st.sampled_from(["minor", "penalty", "warning", "no_penalty"])
VERDICTS = st.sampled_from(["fails", "fails", "passes"])
CLOCKS = Mover("", CLOCK)
WAY = (
    *("record_confirmation", "serve_report", "order_retest", "record_retest", "serve_retest"),
    *("serve_result", "order_confirmation", "inspect", "end_appeal", "accept_proof"),
    *("check_rectification", "prove_rectification"),
    *("expire", "withdraw", "publish", "close", "approve", "report", "destroy", "accept"),
    *("verify", "dispatch", "annul"),
)
"""The way that cases usually go: the first of these that can be made."""
AGAIN = ("report", "approve", "end_appeal", "check_rectification", "accept")


class Office(RuleBasedStateMachine):
    case: Case

    @initialize(kind=st.sampled_from(CaseKind))
    def begin(self, kind: CaseKind) -> None:
        self.case = beginning(kind)
        self.at = AT
        self.seen = [self.case]

    def _do(self, move: str, given: Given, who: Mover) -> CaseEvent | Refusal:
        possible = {one.move.id: one.possible for one in moves(WORK, self.case, who, self.at)}
        event = apply(WORK, self.case, move, given, who, self.at, f"e{self.case.version + 1}")
        if isinstance(event, CaseEvent):
            assert possible.get(move, CLOCK in RULES.moves[move].by)
            self._check(event, who)
            self.case = after(self.case, event)
            self.seen.append(self.case)
            self._check_clocks()
        else:
            assert event.reasons and event.zh and event.en
        return event

    def _check(self, event: CaseEvent, who: Mover) -> None:
        """By the law, past the data."""
        case, move, given = self.case, RULES.moves[event.move], event.given
        assert case.state in move.sources and who.role in move.by
        assert event.state == (move.to or case.state)
        if event.finding is not case.finding:
            by_test = given.method == "statutory" and any(f.kind == "report" for f in given.files)
            on_site = case.kind is CaseKind.SCENE and given.second not in ("", who.id)
            assert by_test or on_site
        if event.move == "order_retest":
            assert given.method == "statutory" and lab_name(given.lab) not in case.labs
            assert {"object", "object_report"} & set(outstanding(RULES, case))
        if event.move == "object":
            served = case.last("serve_result")
            assert served is not None and case.kind is CaseKind.PRODUCE_TEST
            waited = event.counts_at - served.counts_at
            assert timedelta(0) <= waited <= timedelta(hours=4)
        if event.move == "prove_rectification":
            assert "order_rectification" in outstanding(RULES, case)
            assert "order_rectification" in outstanding(RULES, after(case, event))
        if who.role == "operator":
            assert not given.second and given.happened_at in (None, event.at)
        if event.move == "destroy":
            assert any(f.kind == "photo" for f in given.files) and given.second != who.id
        if event.state == "published" and case.state != "published":
            assert case.finding is Finding.ESTABLISHED
            assert case.outcome in ("minor", "penalty")
        if event.move in ("approve", "send_back"):
            reported = case.last("report")
            assert reported is not None
            assert not {who.id, given.second} & {reported.actor, reported.given.second} - {""}
        if event.move == "close":
            assert outstanding(RULES, case) == ()
            if given.outcome != "no_penalty":
                assert case.finding is Finding.ESTABLISHED

    @rule(steps=st.integers(1, 12), span=SPANS, outcome=OUTCOMES, verdict=VERDICTS)
    def onward(self, steps: int, span: int, outcome: str, verdict: str) -> None:
        """Some steps along the way that cases usually go, by whoever may."""
        for _ in range(steps):
            self.at += timedelta(seconds=span)
            for move, who in ((move, who) for move in WAY for who in (LI, WANG, CLOCKS)):
                done = self.case.last(move) and move not in AGAIN
                if not done and self._offered(move, who):
                    found = self.case.finding is Finding.ESTABLISHED
                    changes = {"outcome": outcome} if move == "close" and found else {}
                    if Need.VERDICT in RULES.moves[move].needs:
                        changes["verdict"] = verdict
                    self._do(move, complete(move, self.at, **changes), who)
                    break

    def _offered(self, move: str, who: Mover) -> bool:
        rule_ = RULES.moves[move]
        return rule_.is_of(self.case.kind) and offer(WORK, self.case, rule_, who, self.at).possible

    @rule(who=WHO, span=SPANS, choice=st.integers(0, 99), outcome=OUTCOMES, verdict=VERDICTS,
          second=st.sampled_from(["zhao", "chen", "li"]))  # fmt: skip
    def rightly(
        self, who: Mover, span: int, choice: int, outcome: str, verdict: str, second: str
    ) -> None:
        """Any move that is offered, with all that it asks for."""
        self.at += timedelta(seconds=span)
        offers = [one.move for one in moves(WORK, self.case, who, self.at) if one.possible]
        if choice % 5:
            offers = [one for one in offers if one.id not in ("cancel", "dismiss")]
        if not offers:
            return
        move = offers[choice % len(offers)]
        changes = {
            Need.ASSIGNEE: {"assignee": who.id},
            Need.OUTCOME: {"outcome": outcome},
            Need.VERDICT: {"verdict": verdict},
            Need.OTHER_LAB: {"lab": f"实验室 {choice % 3}"},
            Need.SECOND: {"second": second},
        }
        given: dict[str, Any] = {}
        for need, values in changes.items():
            given |= values if need in move.needs else {}
        self._do(move.id, complete(move.id, self.at, **given), who)

    @rule(who=WHO, span=SPANS, move=MOVES, other=MOVES)
    def anyhow(self, who: Mover, span: int, move: str, other: str) -> None:
        """Any move by anybody, with what another one asks for."""
        self.at += timedelta(seconds=span)
        self._do(move, complete(other, self.at), who)

    @rule(who=WHO, move=MOVES, back=SPANS)
    def backdated(self, who: Mover, move: str, back: int) -> None:
        """A move with all that it asks for, of which somebody says that it was before."""
        changes: dict[str, Any] = {}
        if Need.TIME in RULES.moves[move].needs:
            changes["happened_at"] = self.at - timedelta(seconds=back)
        self._do(move, complete(move, self.at, **changes), who)

    def teardown(self) -> None:
        """Nothing has disappeared, no order matters, and what is final stayed so."""
        if not hasattr(self, "case"):
            return
        for n, case in enumerate(self.seen):
            assert self.case.events[: n + 1] == case.events
        again = case_of("c1", self.case.kind, [*self.case.events, *reversed(self.case.events)])
        assert again == self.case
        kept = msgspec.json.decode(msgspec.json.encode(self.case), type=Case)
        assert kept == self.case
        for before, now in zip(self.seen, self.seen[1:], strict=False):
            made = RULES.moves[now.events[-1].move]
            if before.state in RULES.final and not made.reopens:
                assert now.state == before.state
            if made.reopens:  # by two others than who had closed it, and nothing decided
                event, ended = now.events[-1], before.last("close", "dismiss", "clear")
                assert ended is not None and before.outcome in ("", "no_penalty")
                who = {ended.actor, ended.given.second} - {""}
                assert event.given.note and event.given.second
                assert not who & {event.actor, event.given.second}
            if before.finding is Finding.ESTABLISHED:
                assert now.state != "cancelled"

    def _check_clocks(self) -> None:
        for face in clocks(WORK, self.case, self.at):
            assert face.state != "unknown" or "cn_" in face.missing
            if face.state == "paused":
                assert face.clock.pauses and face.due_at is None


TestOffice = Office.TestCase
TestOffice.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
