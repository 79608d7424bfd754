"""A few cases of the town: a lead, one in hand, one closed with a warning, one published."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from case_steps import DAY, HOUR, close, dispose, establish, of_alert, of_result, step
from console_facts import kitchen_picture

from ledger.engine import Connection
from ledger.results import NewResult

BAISHA, PENGJIANG, XINHUI = "officer-baisha", "officer-pengjiang", "officer-xinhui"


def add_cases(
    conn: Connection, now: datetime, made: Mapping[str, str], tests: Mapping[str, NewResult]
) -> dict[str, str]:
    """Write them; returns their ids by a short name."""
    photo = kitchen_picture()[0]
    found = {}
    for name, outcome in (("warned", "warning"), ("published", "minor")):
        at = tests[name].received_at + 2 * HOUR
        row = of_result(conn, tests[name].result_id, BAISHA, at)
        row = dispose(conn, row, BAISHA, PENGJIANG, at)
        row = establish(conn, row, BAISHA, PENGJIANG, at + 4 * HOUR, photo)
        # After the seven working days in which the party may object to the report.
        row = close(conn, row, PENGJIANG, now - 6 * DAY, outcome)
        if name == "published":
            row = step(conn, row, "publish", PENGJIANG, now - 5 * DAY)
        found[name] = row.case_id
    row = of_alert(conn, made["suspect"], BAISHA, now - timedelta(hours=100))
    row = dispose(conn, row, BAISHA, PENGJIANG, now - timedelta(hours=98))
    at = now - timedelta(hours=3)
    row = step(conn, row, "serve_result", BAISHA, at, "document", happened_at=at)
    row = step(conn, row, "stop_sale", BAISHA, at + HOUR, note="同批次菜心暂停销售。")
    found["inhand"] = row.case_id
    row = of_result(conn, tests["van"].result_id, XINHUI, now - timedelta(hours=20))
    found["lead"] = row.case_id
    return found
