"""Which verdicts still speak for a proposal: nobody decided upon them, no narrower one has them."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from ledger import regions
from ledger.proposal_types import Proposal, ProposalKind, ProposalState, Scope
from ledger.schema import suppression_proposals
from ledger.scorecards import Judged
from ledger.sql import typed


class Others:
    """The proposals on a rule that take verdicts out of the count of further ones."""

    def __init__(self, conn: Connection, kind: ProposalKind, rule: str, chain: Iterable[Scope]):
        keys = {scope.key for scope in chain}
        known = select(suppression_proposals).where(
            suppression_proposals.c.rule == rule,
            suppression_proposals.c.kind == kind.value,
            suppression_proposals.c.state != ProposalState.WITHDRAWN.value,
        )
        rows = [typed(row, Proposal) for row in conn.execute(known)]
        self.decided = [one for one in rows if one.decided_at is not None]
        self.waiting = [one for one in rows if one.decided_at is None and one.scope.key not in keys]
        self.below = {one.region: set(regions.subtree(conn, one.region)) for one in rows}

    def left(self, scope: Scope, found: Sequence[Judged], at: datetime) -> list[Judged]:
        """What speaks for this scope: nobody has decided upon it, no narrower proposal has it."""
        narrower = [one for one in self.waiting if scope.holds(one.scope)]
        return [
            one
            for one in found
            if scope.covers(one)
            and not any(
                self._reaches(past, one) and _settles(past, one, at) for past in self.decided
            )
            and not any(self._reaches(other, one) for other in narrower)
        ]

    def _reaches(self, proposal: Proposal, one: Judged) -> bool:
        return proposal.scope.covers(one) and one.region in self.below[proposal.region]


def _settles(past: Proposal, one: Judged, at: datetime) -> bool:
    decided_at = past.decided_at or at
    holds = past.until is not None and past.until > at
    return holds or (one.judged_at or one.raised_at) <= decided_at
