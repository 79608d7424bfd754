"""The publication of a case: made by one move, ended by another or by its own last moment."""

from datetime import datetime

from sqlalchemy import Connection, select, update

from contracts.casework import Case, CaseEvent
from contracts.casework_clocks import Casework, clocks
from contracts.casework_data import Move
from ledger.case_types import CaseRow
from ledger.schema import case_publications


def keep_publication(
    conn: Connection, work: Casework, row: CaseRow, whole: Case, made: Move, event: CaseEvent
) -> None:
    """Publish, or end the publication, as the move says."""
    if made.publishes:
        ends = [
            face.due_at
            for face in clocks(work, whole, event.at)
            if face.clock.role == "expiry" and face.due_at is not None
        ]
        closing = whole.last(*(one.id for one in work.rules.moves.values() if _decides(one)))
        publication = {
            "case_id": row.case_id,
            "establishment_id": row.establishment_id,
            "case_number": row.case_number,
            "title_zh": row.title_zh,
            "title_en": row.title_en,
            "outcome": row.outcome,
            "decided_at": closing.counts_at if closing else None,
            "published_at": event.at,
            "published_by": event.actor,
            # The reader refuses rules under which a published outcome has no end.
            "expires_at": min(ends),
            "ended_by_move": "",
            "reason": "",
        }
        conn.execute(case_publications.insert(), publication)
    elif made.unpublishes:
        conn.execute(
            update(case_publications)
            .where(
                case_publications.c.case_id == row.case_id,
                case_publications.c.ended_at.is_(None),
            )
            .values(ended_at=event.at, ended_by_move=event.move, reason=event.given.note)
        )


def waiting_to_expire(conn: Connection, at: datetime, limit: int) -> list[str]:
    """Cases whose publication is over at `at` and was not booked so yet, the oldest first."""
    found = select(case_publications.c.case_id).where(
        case_publications.c.expires_at <= at, case_publications.c.ended_at.is_(None)
    )
    return list(conn.scalars(found.order_by(case_publications.c.expires_at).limit(limit)))


def _decides(move: Move) -> bool:
    return any(need.value == "outcome" for need in move.needs)
