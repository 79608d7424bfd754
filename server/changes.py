"""What an officer changes: acknowledging and closing alerts, each with its audit entry."""

from ledger import alerts, audit
from ledger.alerts import AlertConflict, AlertRow
from ledger.engine import Connection, writing
from server.problems import Problem, not_found
from server.signing import Visit
from server.state import State


def visible_alert(conn: Connection, visit: Visit, alert_id: str) -> AlertRow:
    """The alert, if this officer can see it. Raises Problem (404)."""
    row = alerts.get(conn, alert_id)
    if row is None or not visit.scope.covers(row.region, row.establishment_id):
        raise not_found("alert")
    return row


def acknowledge(state: State, visit: Visit, alert_id: str) -> AlertRow:
    """Take an alert on. Somebody else's being first is no error. Raises Problem (404, 409)."""
    now = state.clock()
    with writing(state.engine) as conn:
        visible_alert(conn, visit, alert_id)
        try:
            changed = alerts.acknowledge(conn, alert_id, visit.officer.id, now)
        except AlertConflict as error:
            raise Problem(409, "alert-closed", str(error)) from None
        if changed:
            who, what = visit.officer.id, f"alert/{alert_id}"
            audit.append(conn, who, "alert_acknowledged", what, {}, now)
        return visible_alert(conn, visit, alert_id)


def close(state: State, visit: Visit, alert_id: str, note: str) -> AlertRow:
    """Say that an alert is done, and how. Raises Problem (404, 409 if it was closed already)."""
    now = state.clock()
    with writing(state.engine) as conn:
        visible_alert(conn, visit, alert_id)
        try:
            changed = alerts.close(conn, alert_id, visit.officer.id, now, note)
        except AlertConflict as error:
            raise Problem(409, "alert-unready", str(error)) from None
        if not changed:
            raise Problem(409, "alert-closed", f"alert {alert_id} is closed already")
        who, what = visit.officer.id, f"alert/{alert_id}"
        audit.append(conn, who, "alert_closed", what, {"note": note}, now)
        return visible_alert(conn, visit, alert_id)
