"""The page that an establishment's QR code opens: no sign-in, no cookie, no script."""

import hashlib
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request
from starlette.responses import HTMLResponse, Response

from ledger import public_codes
from ledger.engine import LedgerDown, reading
from ledger.public_codes import Opened
from server.languages import Words
from server.needs import Need, address_of
from server.pages import render
from server.public_file import PublicFile, as_of_then, read_public_file, without_numbers
from server.state import State

router = APIRouter(include_in_schema=False)
AGE_S = 60
STALE_S = 120
"""A cache may show a page that is so much older while it fetches the next."""
LONGEST_CODE = 32
Said = Literal["unknown", "renewed", "away", "often"]


@router.get("/p/{public_code}")
def public_page(
    request: Request,
    state: Need,
    public_code: str,
    language: Annotated[Literal["zh_CN", "en", ""], Query(alias="lang")] = "",
    known: Annotated[str, Header(alias="If-None-Match")] = "",
) -> Response:
    """The page, good for a minute in any cache; its language is in its address.

    404: there is no such code. 410: it was renewed. 429: this address asks for many that are none.
    503: the ledger is away; what was last known is said with its age, or that nothing is.
    """
    # Chinese unless the address says otherwise, so that a shared cache holds one page an address.
    words = state.words[language or "zh_CN"]
    try:
        opened, file = _read(state, public_code)
    except LedgerDown:
        return _away(request, state, words, public_code)
    if opened is None:
        return _unknown(request, state, words)
    if file is None:
        state.public_files.drop(public_code)
        return _instead(request, words, 410, "renewed", opened)
    answer = _page(request, state, words, file)
    tag = f'"{hashlib.sha256(answer.body).hexdigest()[:24]}"'
    headers = {
        "etag": tag,
        "cache-control": f"public, max-age={AGE_S}, stale-while-revalidate={STALE_S}",
    }
    if tag in {one.strip().removeprefix("W/") for one in known.split(",")}:
        return Response(status_code=304, headers=headers)
    answer.headers.update(headers)
    return answer


def _read(state: State, code: str) -> tuple[Opened | None, PublicFile | None]:
    """What a code leads to, and the file if it still opens one. Raises LedgerDown."""
    if len(code) > LONGEST_CODE or not code.isascii():
        return None, None
    now = state.clock()
    with reading(state.engine) as conn:
        opened = public_codes.opened(conn, code, now)
        if opened is None or opened.establishment is None:
            return opened, None
        file = read_public_file(
            conn, state.series, state.limit_lines, opened.establishment, now, opened.good_until
        )
    state.public_files.keep(code, file)
    return opened, file


def _page(
    request: Request, state: State, words: Words, file: PublicFile, status: int = 200
) -> HTMLResponse:
    answer = render(
        request,
        "public.html",
        status=status,
        words=words,
        file=file,
        public=without_numbers,
        outcomes=state.casework.rules.outcomes,
    )
    del answer.headers["vary"]
    return answer


def _away(request: Request, state: State, words: Words, code: str) -> Response:
    kept: PublicFile | None = state.public_files.of(code)
    file = as_of_then(kept, state.clock()) if kept is not None else None
    if file is None:
        return _instead(request, words, 503, "away")
    answer = _page(request, state, words, file, 503)
    answer.headers["retry-after"] = "30"
    return answer


def _unknown(request: Request, state: State, words: Words) -> Response:
    """Charge whoever guesses; a code that is right is answered however often others guessed."""
    wait_s = state.public_misses.take(address_of(request), state.clock())
    if wait_s > 0:
        answer = _instead(request, words, 429, "often")
        answer.headers["retry-after"] = str(max(1, round(wait_s + 0.5)))
        return answer
    return _instead(request, words, 404, "unknown")


def _instead(
    request: Request, words: Words, status: int, said: Said, opened: Opened | None = None
) -> Response:
    answer = render(
        request, "public_instead.html", status=status, words=words, said=said, opened=opened
    )
    del answer.headers["vary"]
    if status == 503:
        answer.headers["retry-after"] = "30"
    return answer
