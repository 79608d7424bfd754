"""Files of a case: a picture to be shown, the file itself to be kept; every look is audited."""

import re
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from contracts.casework_data import Rules
from ledger import attachments, audit, cases
from ledger.attachments import Attachment
from ledger.engine import Connection, reading, writing
from server.case_moves import visible_case
from server.case_party import is_party, party_files
from server.needs import Need, Viewer
from server.problems import not_found
from server.signing import Visit
from server.state import State

router = APIRouter(include_in_schema=False)
SANDBOX = "sandbox; default-src 'none'"
"""Whatever a browser makes of the file, it runs nothing and loads nothing."""


@router.get("/cases/{case_id}/files/{file_id}")
def file(state: Need, visit: Viewer, case_id: str, file_id: str) -> Response:
    """The file as it came, as a download."""
    return download(state, visit, case_id, file_id)


@router.get("/cases/{case_id}/files/{file_id}/shown")
def shown(state: Need, visit: Viewer, case_id: str, file_id: str) -> Response:
    """The picture, drawn anew without what the camera wrote beside it."""
    with reading(state.engine) as conn:
        found = visible_file(conn, state.casework.rules, visit, case_id, file_id)
        if found.shown_sha256 is None:
            raise not_found("picture")
        content = attachments.content(conn, found.shown_sha256)
    _note_look(state, visit, found, "case_file_viewed")
    headers = {"content-security-policy": SANDBOX, "etag": f'"{found.shown_sha256}"'}
    return Response(content, media_type="image/jpeg", headers=headers)


def download(state: State, visit: Visit, case_id: str, file_id: str) -> Response:
    """A file as it came, named as it was. Raises Problem (404)."""
    with reading(state.engine) as conn:
        found = visible_file(conn, state.casework.rules, visit, case_id, file_id)
        content = attachments.content(conn, found.sha256)
    _note_look(state, visit, found, "case_file_downloaded")
    headers = {
        "content-disposition": disposition(found.name),
        "content-security-policy": SANDBOX,
        "etag": f'"{found.sha256}"',
    }
    return Response(content, media_type=found.media_type, headers=headers)


def visible_file(
    conn: Connection, rules: Rules, visit: Visit, case_id: str, file_id: str
) -> Attachment:
    """A file of a case that this officer can see. Raises Problem (404)."""
    row = visible_case(conn, visit, case_id)
    found = attachments.get(conn, file_id)
    if found is None or found.case_id != case_id:
        raise not_found("file")
    if is_party(visit.officer):
        known = party_files(conn, rules, cases.case(conn, row), visit.officer)
        if found.id not in known:
            raise not_found("file")
    return found


def disposition(name: str) -> str:
    """The header that has a browser save the file under its name (RFC 6266)."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _note_look(state: State, visit: Visit, found: Attachment, action: str) -> None:
    with writing(state.engine) as conn:
        detail = {"file": found.id, "sha256": found.sha256}
        what = f"case/{found.case_id}"
        audit.append(conn, visit.actor, action, what, detail, state.clock())
