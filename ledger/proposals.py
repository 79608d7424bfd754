"""Proposals that follow from verdicts: to silence what is mostly wrong here, or to digest a rule.

The system proposes, a person decides, and nothing happens before. A proposal is opened when the
verdicts that stand leave no doubt: the whole 95 % interval of the precision lies below a bar. It is
as narrow as the verdicts allow (zone, else device, else site; town before county before city), is
withdrawn when they no longer say so, and is not repeated on the verdicts that a person has decided
upon. Class 1 is never in one.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select, text, update

from contracts.words import Severity, both
from ledger import regions, rule_modes, scorecards, silences
from ledger.alerts import AlertRow
from ledger.ids import new_id
from ledger.precision import precision
from ledger.proposal_counts import Others
from ledger.proposal_types import (
    LONGEST,
    Policy,
    Proposal,
    ProposalConflict,
    ProposalKind,
    ProposalState,
    Scope,
)
from ledger.schema import suppression_proposals
from ledger.scorecards import Judged, read_judged, tally
from ledger.silences import Matchers
from ledger.sql import insert_into, typed, typed_or_none
from ledger.tables.worth import WAITING

__all__ = [
    "LONGEST",
    "Policy",
    "Proposal",
    "ProposalConflict",
    "ProposalKind",
    "ProposalState",
    "Scope",
    "accept",
    "decline",
    "effect",
    "get",
    "list_in",
    "renew",
]
_table = suppression_proposals


def renew(
    conn: Connection, alert: AlertRow, at: datetime, policy: Policy | None = None
) -> list[Proposal]:
    """After a verdict on `alert`: open, renew and withdraw what follows; returns what is open."""
    if alert.severity is Severity.AT_ONCE:
        return []
    policy = policy or Policy()
    since, until = at - timedelta(days=policy.window_days), at + timedelta.resolution
    zone = str(alert.facts.get("zone") or "")
    narrow = [
        Scope(alert.rule, alert.region, alert.site, alert.device, zone),
        Scope(alert.rule, alert.region, alert.site, alert.device),
        Scope(alert.rule, alert.region, alert.site),
    ][0 if zone else 1 :]
    here = read_judged(
        conn, [alert.region], since, until, rule=alert.rule, site=alert.site, judged_only=True
    )
    silences = [(scope, here) for scope in narrow]
    told = _renew(conn, ProposalKind.SILENCE, silences, alert, at, policy, policy.least_judged, 1)
    wide = []
    for code in regions.ancestors(conn, alert.region):
        below = regions.subtree(conn, code)
        found = read_judged(conn, below, since, until, rule=alert.rule, judged_only=True)
        wide.append((Scope(alert.rule, code), found))
    least = 2 * policy.least_judged
    return told + _renew(conn, ProposalKind.DIGEST, wide, alert, at, policy, least, 2)


def get(conn: Connection, proposal_id: str) -> Proposal | None:
    """The proposal of that id."""
    found = select(_table).where(_table.c.id == proposal_id)
    return typed_or_none(conn.execute(found).one_or_none(), Proposal)


def list_in(
    conn: Connection,
    codes: Sequence[str],
    states: Iterable[ProposalState] = (ProposalState.OPEN,),
    limit: int = 100,
) -> list[Proposal]:
    """Proposals for these regions, the newest first."""
    found = select(_table).where(
        _table.c.region.in_(codes), _table.c.state.in_([one.value for one in states])
    )
    rows = conn.execute(found.order_by(_table.c.changed_at.desc(), _table.c.id).limit(limit))
    return [typed(row, Proposal) for row in rows]


def effect(
    conn: Connection, proposal: Proposal, at: datetime, policy: Policy | None = None
) -> tuple[list[Judged], list[Judged]]:
    """The rule's stored alerts of the window, in its regions or at its site: those that it would
    have reached, and the others. Class 1 is never reached.
    """
    since = at - timedelta(days=(policy or Policy()).window_days)
    codes = regions.subtree(conn, proposal.region)
    reached: list[Judged] = []
    others: list[Judged] = []
    for one in read_judged(conn, codes, since, at, rule=proposal.rule, site=proposal.site):
        covered = proposal.scope.covers(one) and one.severity is not Severity.AT_ONCE
        (reached if covered else others).append(one)
    return reached, others


def accept(
    conn: Connection, proposal_id: str, officer: str, at: datetime, until: datetime, note: str = ""
) -> Proposal:
    """An officer (id) lets it happen until then: a silence, or a rule moved to the digest.

    Raises ProposalConflict if it waits no longer, or would not end within 30 days.
    """
    if not at < until <= at + LONGEST:
        raise ProposalConflict("it must end, after now and within 30 days")
    waiting = get(conn, proposal_id)
    if waiting is None or waiting.state is not ProposalState.OPEN:
        raise _settled(proposal_id)
    made = new_id()
    right, wrong = waiting.figures["true"], waiting.figures["false"]
    reason = both(
        f"据判定提议：属实 {right} 条，误报 {wrong} 条。{note}",
        f"Proposed from verdicts: {right} right, {wrong} wrong. {note}",
    )
    if waiting.kind is ProposalKind.SILENCE:
        matchers = Matchers(
            rule=waiting.rule,
            region=waiting.region,
            site=waiting.site,
            device=waiting.device,
            zone=waiting.zone,
        )
        silences.add(
            conn,
            silences.Silence(
                id=made, matchers=matchers, starts_at=at, ends_at=until, reason=reason,
                author=officer, created_at=at,
            ),
        )  # fmt: skip
    else:
        rule_modes.add(
            conn,
            rule_modes.RuleMode(
                id=made, rule=waiting.rule, region=waiting.region, starts_at=at, until=until,
                author=officer, reason=reason, created_at=at,
            ),
        )  # fmt: skip
    return _decide(conn, proposal_id, officer, at, ProposalState.ACCEPTED, note, until, made)


def decline(
    conn: Connection, proposal_id: str, officer: str, at: datetime, note: str = ""
) -> Proposal:
    """An officer (id) does not want it. Raises ProposalConflict if it waits no longer."""
    return _decide(conn, proposal_id, officer, at, ProposalState.DECLINED, note, None, "")


def _decide(
    conn: Connection,
    proposal_id: str,
    officer: str,
    at: datetime,
    state: ProposalState,
    note: str,
    until: datetime | None,
    made: str,
) -> Proposal:
    changed = (
        update(_table)
        .where(_table.c.id == proposal_id, _table.c.state == ProposalState.OPEN.value)
        .values(
            state=state.value, changed_at=at, decided_at=at, decided_by=officer,
            note=note, until=until, made=made,
        )
        .returning(*_table.c)
    )  # fmt: skip
    row = typed_or_none(conn.execute(changed).one_or_none(), Proposal)
    if row is None:
        raise _settled(proposal_id)
    return row


def _settled(proposal_id: str) -> ProposalConflict:
    return ProposalConflict(f"proposal {proposal_id[:80]!r} does not wait for a decision")


def _renew(
    conn: Connection,
    kind: ProposalKind,
    cases: Sequence[tuple[Scope, Sequence[Judged]]],
    alert: AlertRow,
    at: datetime,
    policy: Policy,
    least: int,
    sites: int,
) -> list[Proposal]:
    """The first scope with reason enough has an open proposal; the others have none."""
    chosen: Scope | None = None
    others = Others(conn, kind, alert.rule, (scope for scope, _ in cases))
    for scope, judged in cases:
        found = others.left(scope, judged, at)
        true, false = tally(found)
        told = precision(true, true + false)
        enough = (
            chosen is None
            and told is not None
            and true + false >= least
            and told.high < policy.precision_below
            and len({one.site for one in found if scorecards.said_of(one) == "false"}) >= sites
            and not any(one.severity is Severity.AT_ONCE for one in found)
        )
        if enough:
            chosen = scope
            figures = {
                "true": true,
                "false": false,
                "sites": len({one.site for one in found}),
                "window_days": policy.window_days,
                "precision_below": policy.precision_below,
            }
            _open(conn, kind, scope, alert, figures, at)
        else:
            _withdraw(conn, kind, scope, at)
    if chosen is None:
        return []
    row = conn.execute(select(_table).where(_waiting(kind, chosen))).one_or_none()
    return [typed(row, Proposal)] if row else []


def _waiting(kind: ProposalKind, scope: Scope) -> ColumnElement[bool]:
    return and_(
        _table.c.kind == kind.value,
        _table.c.scope == scope.key,
        _table.c.state == ProposalState.OPEN.value,
    )


def _open(
    conn: Connection,
    kind: ProposalKind,
    scope: Scope,
    alert: AlertRow,
    figures: dict[str, Any],
    at: datetime,
) -> None:
    row = {
        "id": new_id(), "kind": kind.value, "scope": scope.key, "rule": scope.rule,
        "region": scope.region, "site": scope.site, "device": scope.device, "zone": scope.zone,
        "establishment_id": alert.establishment_id if scope.site else None, "figures": figures,
        "state": ProposalState.OPEN.value, "proposed_at": at, "changed_at": at, "note": "",
        "made": "",
    }  # fmt: skip
    # Two who judge at once may both find the reason; one proposal is enough.
    again = insert_into(conn, _table).values(row)
    conn.execute(
        again.on_conflict_do_update(
            index_elements=["kind", "scope"],
            index_where=text(WAITING),
            set_={"figures": again.excluded.figures, "changed_at": at},
        )
    )


def _withdraw(conn: Connection, kind: ProposalKind, scope: Scope, at: datetime) -> None:
    gone = update(_table).where(_waiting(kind, scope))
    conn.execute(gone.values(state=ProposalState.WITHDRAWN.value, changed_at=at))
