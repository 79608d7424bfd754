"""Renewing the codes of public pages: of one establishment, or of all of a region."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta

from ledger import audit, establishments, public_codes, regions
from ledger.engine import Connection, reading, writing
from ledger.establishments import Establishment
from ledger.public_codes import Renewed
from server.problems import Problem, at_field, not_found
from server.signing import Visit
from server.state import State

MOST = 2000
"""Establishments whose codes are renewed, or printed, in one go."""
COLUMNS = ("id", "name", "region", "address")


def in_region(conn: Connection, visit: Visit, region: str) -> list[Establishment]:
    """Those in use in a region and below. Raises Problem (404, 422)."""
    if region not in visit.scope.regions or visit.scope.establishment_id is not None:
        raise not_found("region")
    found = establishments.list_in(conn, regions.subtree(conn, region), MOST + 1)
    if len(found) > MOST:
        said = f"more than {MOST} establishments; choose a smaller region"
        raise Problem(422, "invalid-request", said, faults=[at_field("region", detail=said)])
    return found


def renew_one(
    state: State, visit: Visit, establishment_id: str, reason: str, grace_days: int
) -> Renewed:
    """A new code for one place. Raises Problem (404, 409, 422)."""
    with writing(state.engine) as conn:
        one = establishments.get(conn, establishment_id)
        if one is None or not visit.scope.covers(one.region, one.id):
            raise not_found("establishment")
        made = _renew(conn, state, visit, [one], reason, grace_days)
    if not made:
        raise Problem(409, "row-changed", "its code was renewed a moment ago; look again")
    return made[0]


def renew_region(
    state: State, visit: Visit, region: str, reason: str, grace_days: int
) -> list[Renewed]:
    """New codes for every place in use of a region and below. Raises Problem (404, 422)."""
    with writing(state.engine) as conn:
        wanted = in_region(conn, visit, region)
        return _renew(conn, state, visit, wanted, reason, grace_days)


def _renew(
    conn: Connection,
    state: State,
    visit: Visit,
    wanted: Sequence[Establishment],
    reason: str,
    grace_days: int,
) -> list[Renewed]:
    if not reason.strip():
        said = "say why"
        raise Problem(422, "invalid-request", said, faults=[at_field("note", detail=said)])
    now = state.clock()
    grace = timedelta(days=grace_days)
    made = public_codes.renew(conn, wanted, visit.officer.id, reason.strip(), now, grace)
    detail = {"reason": reason.strip(), "grace_days": grace_days}
    for one in made:
        what = f"establishment/{one.id}"
        audit.append(conn, visit.actor, "public_code_renewed", what, detail, now)
    return made


def region_of(state: State, visit: Visit, region: str) -> list[Establishment]:
    """The same as `in_region`, in a look of its own."""
    with reading(state.engine) as conn:
        return in_region(conn, visit, region)


def address_of_code(state: State, code: str) -> str:
    """What a code's sticker carries."""
    return f"{state.settings.public_base_url}/p/{code}"


def codes_file(state: State, made: Sequence[Renewed]) -> bytes:
    """The new addresses as CSV (UTF-8 with byte order mark), for whoever prints stickers."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for one in made:
        name = f"'{one.name}" if one.name[:1] in ("=", "+", "-", "@") else one.name
        writer.writerow([one.id, name, one.region, address_of_code(state, one.new)])
    return b"\xef\xbb\xbf" + out.getvalue().encode()
