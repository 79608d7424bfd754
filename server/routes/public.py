"""The page that an establishment's QR code opens: no sign-in, no cookie, no script."""

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response

from ledger import establishments
from ledger.engine import reading
from server.needs import Need
from server.pages import render
from server.problems import not_found
from server.public_file import read_public_file

router = APIRouter(include_in_schema=False)
AGE_S = 60


@router.get("/p/{public_code}")
def public_page(
    request: Request,
    state: Need,
    public_code: str,
    language: Annotated[Literal["zh_CN", "en", ""], Query(alias="lang")] = "",
    known: Annotated[str, Header(alias="If-None-Match")] = "",
) -> Response:
    """The page, good for a minute in any cache; its language is in its address."""
    with reading(state.engine) as conn:
        one = establishments.by_public_code(conn, public_code)
        if one is None:
            raise not_found("page")
        file = read_public_file(conn, state.series, state.limit_lines, one, state.clock())
    # Chinese unless the address says otherwise, so that a shared cache holds one page an address.
    answer = render(
        request,
        "public.html",
        words=state.words[language or "zh_CN"],
        file=file,
        outcomes=state.casework.rules.outcomes,
    )
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": f"public, max-age={AGE_S}"}
    if known == tag:
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    del answer.headers["vary"]
    return answer
