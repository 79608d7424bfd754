"""Pictures that belong to observations; every look at one is audited."""

from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from ledger import audit, evidence
from ledger.engine import reading, writing
from server.needs import Need, Viewer
from server.problems import not_found

router = APIRouter(include_in_schema=False)
SHOWN = frozenset({"image/jpeg", "image/png", "image/webp"})
"""What a browser may show; anything else is handed out as a file."""
SMALL_AGE_S = 600


@router.get("/evidence/{site}/{evidence_id}")
def picture(
    state: Need, visit: Viewer, site: str, evidence_id: str, size: Literal["small", "full"] = "full"
) -> Response:
    """The picture. In lists (`small`) a browser may keep it for ten minutes; else it never does."""
    with reading(state.engine) as conn:
        found = evidence.get(conn, evidence_id, site)
    if found is None or not visit.scope.covers_site(found.region, found.site):
        raise not_found("evidence")
    with writing(state.engine) as conn:
        action = "picture_viewed" if size == "full" else "picture_listed"
        subject = f"evidence/{found.site}/{found.evidence_id}"
        detail = {"sha256": found.sha256}
        audit.append(conn, visit.actor, action, subject, detail, state.clock())
    headers = {"etag": f'"{found.sha256}"'}
    if size == "small":
        headers["cache-control"] = f"private, max-age={SMALL_AGE_S}"
    if found.media_type not in SHOWN:
        headers["content-disposition"] = "attachment"
    kind = found.media_type if found.media_type in SHOWN else "application/octet-stream"
    return Response(found.content, media_type=kind, headers=headers)
