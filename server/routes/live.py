"""What live routes share: the process's renderer of rows, and the answer that goes on."""

from typing import Annotated, cast

from fastapi import Depends, Request
from starlette.responses import Response, StreamingResponse

from server.signing import Visit, find_visit
from server.state import State
from server.streams import Rows, Select, follow


async def _rows(request: Request) -> Rows:
    return cast(Rows, request.app.state.rows)


LiveRows = Annotated[Rows, Depends(_rows)]
"""One a process: what it has rendered for one stream serves the others."""


def event_stream(state: State, visit: Visit, cursor: int, select: Select) -> Response:
    """The answer that goes on: server-sent events from journal id `cursor`."""
    hashed = visit.session.token_hash

    def still() -> bool:
        return find_visit(state, hashed, used=False) is not None

    return StreamingResponse(
        follow(state, cursor, select, still),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )
