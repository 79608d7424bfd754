"""Who may have to do with a case: officers who are active, of a role, and answer for its region."""

from collections.abc import Iterable

from sqlalchemy import Connection

from contracts.casework import Given, Reason
from contracts.casework_data import Rules
from ledger import officers, regions
from ledger.case_types import CaseRefused
from ledger.officers import Officer, Role


def check_mover(
    conn: Connection, officer: Officer, region: str, establishment_id: str | None
) -> None:
    """Raises CaseRefused unless the officer is active and the case lies in their part."""
    own = officer.role is not Role.OPERATOR or (
        establishment_id is not None and officer.establishment_id == establishment_id
    )
    if not (officer.active and own and officer.region in regions.ancestors(conn, region)):
        raise CaseRefused(Reason("not_here"))


def check_named(conn: Connection, rules: Rules, move_id: str, given: Given, region: str) -> None:
    """Raises CaseRefused if the second officer or the assignee could not act in the case."""
    found = rules.moves.get(move_id)
    above = regions.ancestors(conn, region) if given.second or given.assignee else []
    reasons = []
    if given.second and found is not None:
        seconds = set(found.by) - rules.own_time
        if not _fit(conn, given.second, seconds, above):
            reasons.append(Reason("second_unfit"))
    if given.assignee:
        takers = {role for one in rules.moves.values() if one.assignee for role in one.by}
        if not _fit(conn, given.assignee, takers, above):
            reasons.append(Reason("assignee_unfit"))
    if reasons:
        raise CaseRefused(*reasons)


def _fit(conn: Connection, officer_id: str, roles: Iterable[str], above: list[str]) -> bool:
    officer = officers.get(conn, officer_id)
    return (
        officer is not None
        and officer.active
        and officer.role.value in set(roles)
        and officer.region in above
    )
