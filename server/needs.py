"""What a route can ask for in its signature: the state, an officer who sees, an officer who acts.

A route that asks for no officer is public, and a test holds the list of those. A right of its own
is asked for by `Annotated[Visit, Depends(Looker(Right.…))]`, for a change with `Changer`.
A route of the API says besides which scope a token needs: `Annotated[Visit, reads("alerts:read")]`
(or `acts`, for a change); both take a right of their own.
"""

import secrets
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPBearer, SecurityScopes
from fastapi.security.http import HTTPAuthorizationCredentials

from server import tokens
from server.access import Right, may
from server.browsers import browser_of
from server.problems import PasswordChangeNeeded, Problem, SignInNeeded, is_api
from server.rates import Rates
from server.scopes import NAMED
from server.signing import Came, Visit, find_visit, token_hash, token_of
from server.state import State, state_of

OWN_PASSWORD = frozenset({"/me", "/me/password", "/signout"})
"""All that somebody may do who must choose a new password first."""
_cookie = APIKeyCookie(
    name="fs_session",
    scheme_name="session",
    description="Cookie of a signed-in officer (`__Host-fs_session` where served by https).",
    auto_error=False,
)
_csrf = APIKeyHeader(
    name="X-CSRF-Token",
    scheme_name="csrf",
    description="The session's CSRF token; every change needs it. `GET /api/v1/me` tells it.",
    auto_error=False,
)
_bearer = HTTPBearer(
    scheme_name="token",
    bearerFormat="fst_…",
    description="Token of another city system, made at /admin/tokens. It needs the scope that the "
    "operation names, and no CSRF token; cookies are ignored.",
    auto_error=False,
)


# What waits for nothing is `async`: a plain function would be handed to another thread and back.
async def _state(request: Request) -> State:
    return state_of(request)


Need = Annotated[State, Depends(_state)]
"""The process's settings, stores and words."""


def viewer(
    request: Request,
    state: Need,
    asked: SecurityScopes,
    _cookie: Annotated[str | None, Security(_cookie)],
    _token: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Visit:
    """The signed-in officer, or below /api the token's. Raises SignInNeeded,
    PasswordChangeNeeded; Problem if the token is no good, or the role may not even look.
    """
    header = request.headers.get("authorization")
    if header is not None and is_api(request.url.path):
        visit = tokens.visit_of(state, header, asked.scopes)
    else:
        token = token_of(state, request)
        found = find_visit(state, token_hash(token)) if token else None
        if found is None:
            raise SignInNeeded
        visit = found
    if not may(visit.officer, Right.VIEW):
        raise Problem(403, "forbidden", "your role does not allow this")
    request.state.visit = visit
    due = visit.officer.must_change and visit.token is None
    if due and request.url.path not in OWN_PASSWORD:
        raise PasswordChangeNeeded
    return visit


Viewer = Annotated[Visit, Depends(viewer)]
"""A signed-in officer; what it sees is in `visit.scope`."""


async def sender(
    request: Request, state: Need, visit: Viewer, header: Annotated[str | None, Security(_csrf)]
) -> Visit:
    """The same, for a change: it comes from our own page, or by a token. Raises Problem."""
    if visit.token is not None:
        return visit
    check_origin(request, state)
    given = header
    if given is None and not request.url.path.startswith("/api/"):
        field = (await request.form()).get("csrf")
        given = field if isinstance(field, str) else None
    if not secrets.compare_digest((given or "").encode(), visit.session.csrf.encode()):
        await request.close()  # what a form's files were written to
        raise Problem(403, "csrf", "the form is out of date; load the page again")
    try:
        limit(state.change_rates, visit, state)
    except Problem:
        await request.close()
        raise
    return visit


Sender = Annotated[Visit, Depends(sender)]
"""A signed-in officer's own change of what is its own (signing out)."""


def limit(rates: Rates, visit: Visit, state: State) -> None:
    """Charge one request to the session, or to the token. Raises Problem (429)."""
    key = visit.session.token_hash if visit.token is None else visit.token.id
    wait_s = rates.take(key, state.clock())
    if wait_s > 0:
        retry = {"retry-after": str(max(1, round(wait_s + 0.5)))}
        raise Problem(429, "too-many-requests", "too many requests in a short time", retry)


async def costly(state: Need, visit: Viewer) -> None:
    """Charge what costs much. Raises Problem (429)."""
    limit(state.costly_rates, visit, state)


Costly = Depends(costly)
"""For a route's `dependencies`: what costs much is limited by session."""


class Looker:
    """Asks for a signed-in officer whose role has a right beyond looking at the subtree."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, visit: Viewer) -> Visit:
        """The officer. Raises Problem."""
        return _entitled(visit, self.right)


class Changer:
    """Asks the same for a change, on a request that came from our own page."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(self, request: Request, visit: Sender) -> Visit:
        """The officer. Raises Problem."""
        try:
            return _entitled(visit, self.right)
        except Problem:
            await request.close()  # what a form's files were written to
            raise


def _entitled(visit: Visit, right: Right) -> Visit:
    if not may(visit.officer, right):
        raise Problem(403, "forbidden", "your role does not allow this")
    return visit


actor = Changer(Right.ACT)
Actor = Annotated[Visit, Depends(actor)]
"""A signed-in officer who may act, on a request that came from our own page."""
Mover = Annotated[Visit, Depends(Changer(Right.MOVE))]
"""The same for one to whom casework's data give steps of cases."""
Acknowledger = Annotated[Visit, Depends(Changer(Right.ACKNOWLEDGE))]
"""The same for one who may take an alert on."""
Answerer = Annotated[Visit, Depends(Changer(Right.ANSWER))]
"""The same for one who may say something on an alert."""


def reads(scope: str, right: Right = Right.VIEW) -> Any:
    """For a route of the API that shows something: what a token needs. Raises ValueError."""
    looker = viewer if right is Right.VIEW else Looker(right)
    return Security(looker, scopes=[_named(scope)])


def sends(scope: str) -> Any:
    """For a change of what is one's own. Raises ValueError."""
    return Security(sender, scopes=[_named(scope)])


def acts(scope: str, right: Right = Right.ACT) -> Any:
    """For a change that the role must allow. Raises ValueError."""
    return Security(Changer(right), scopes=[_named(scope)])


def _named(scope: str) -> str:
    if scope not in NAMED:
        raise ValueError(f"{scope!r} is no scope of server/scopes.py")
    return scope


def check_origin(request: Request, state: State) -> None:
    """Refuse what another site's page sends. Raises Problem."""
    origin = request.headers.get("origin")
    if origin is None:
        return
    ours = {request.headers.get("host", ""), urlsplit(state.settings.public_base_url).netloc}
    if urlsplit(origin).netloc not in ours:
        raise Problem(403, "csrf", "the request comes from another site")


def came_of(request: Request, state: State) -> Came:
    """How this browser came to the sign-in."""
    browser = browser_of(request.headers.get("user-agent", ""))
    return Came(address_of(request), browser, token_of(state, request) or "")


def address_of(request: Request) -> str:
    """The browser's address, as far as trusted proxies tell it."""
    return request.client.host if request.client else ""
