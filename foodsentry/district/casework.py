"""Cases of the made-up district: opened by towns' officers from young alerts, some verified."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from contracts.casework import Given
from contracts.casework_clocks import Casework
from contracts.casework_file import FOLDER, read_casework
from contracts.workdays import Calendar
from foodsentry.district.lives import Life
from ledger import cases, officers
from ledger.engine import Connection

COUNT = 40


def open_cases(conn: Connection, made: Sequence[Life], now: datetime) -> None:
    """Open so many; every other one is verified by two and dispatched."""
    work = Casework(read_casework(FOLDER), Calendar.read(FOLDER.parent / "calendars"))
    young = [one for one in made if one.state == "acknowledged"][-COUNT:]
    for number, one in enumerate(young):
        officer = officers.get(conn, one.town)
        assert officer is not None
        at = min(one.changed_at + timedelta(minutes=5), now)
        row, _ = cases.open_from_alert(conn, work, one.alert_id, officer, at)
        if number % 2 == 0:
            given = Given(note="现场核实，情况属实。", second=one.county)
            cases.move(conn, work, row.case_id, "verify", given, officer, at, version=row.version)
