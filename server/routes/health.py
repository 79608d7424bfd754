"""Whether the process and its ledger are well, and its figures for Prometheus."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from ledger import journal
from ledger.engine import LedgerDown, reading
from server.metrics import MEDIA_TYPE
from server.needs import Need

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def healthz(state: Need) -> Response:
    """200 if the ledger answers, else 503; says nothing of what is in it."""
    try:
        with reading(state.engine) as conn:
            journal.last_id(conn)
    except LedgerDown:
        return JSONResponse({"status": "down", "ledger": "down"}, 503)
    return JSONResponse({"status": "ok", "ledger": "ok"})


@router.get("/metrics")
def metrics(state: Need) -> Response:
    """The process's figures."""
    return Response(state.metrics.text(), media_type=MEDIA_TYPE)
