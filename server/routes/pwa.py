"""The console as an app: manifest, service worker, the page for the time without a connection."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from server import pwa
from server.needs import Need
from server.pages import words_of
from server.problems import not_found

router = APIRouter(include_in_schema=False)


@router.get("/manifest.webmanifest")
def manifest(request: Request, state: Need) -> Response:
    """What a phone needs to install the console."""
    headers = {"vary": "Accept-Language, Cookie", "cache-control": "no-cache"}
    told = pwa.manifest(state, words_of(request))
    return JSONResponse(told, media_type="application/manifest+json", headers=headers)


@router.get("/worker.js")
@router.get("/push-worker.js")
def worker(state: Need) -> Response:
    """The service worker, at the root, so that it stands before every page.

    Browsers that registered it under its old name go on asking for that.
    """
    text = pwa.worker(state)
    if text is None:
        raise not_found("page")
    return Response(text, media_type="text/javascript", headers={"cache-control": "no-cache"})


@router.get("/offline")
def offline(
    request: Request,
    state: Need,
    language: Annotated[Literal["zh_CN", "en"] | None, Query()] = None,
) -> Response:
    """The page that the worker keeps; it holds nothing of anybody."""
    words = state.words[language] if language else words_of(request)
    headers = {"content-language": words.tag}
    return HTMLResponse(pwa.offline_page(state, words), headers=headers)
