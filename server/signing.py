"""Signing in and out: the rate limit, the password, the session and its cookie.

An attempt is charged before the password is looked at, in one transaction with the count, so that
a hundred attempts at the same time are a hundred attempts. Unknown, locked and known logins take
the same way and the same time.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from ledger import audit, logins, officers, regions, sessions
from ledger.api_tokens import ApiToken
from ledger.engine import Connection, Engine, reading, writing
from ledger.officers import Officer
from ledger.regions import Region
from ledger.sessions import Session
from server.access import Scope, scope_of
from server.settings import OidcSettings
from server.state import State

TOUCH_EVERY_S = 60.0
"""A session's last use is noted at most this often."""
TOKEN_BYTES = 32


class Refused(Exception):
    """A wrong login or password, or an officer who may not sign in; which is not told."""


class TooManyAttempts(Exception):
    """Too many wrong passwords for this login or from this address; `wait_s` says how long."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"wait {wait_s:.0f} s")
        self.wait_s = wait_s


class Visit(msgspec.Struct, frozen=True):
    """An officer's request, or a token's in their name: who, seeing what."""

    officer: Officer
    session: Session
    scope: Scope
    region: Region
    token: ApiToken | None = None
    """Another system asks; the session is an empty one then."""

    @property
    def actor(self) -> str:
        """Who it was, for the audit: the officer's id, or the token by its id and name."""
        if self.token is None:
            return self.officer.id
        return f"token/{self.token.id} {self.token.name}"


def token_hash(token: str) -> str:
    """What the ledger knows a session's token by."""
    return hashlib.sha256(token.encode()).hexdigest()


class Came(msgspec.Struct, frozen=True):
    """How somebody came to the sign-in: from where, with which browser and which old session."""

    address: str
    browser: str = ""
    old_token: str = ""
    """Of the session that this browser had until now; it ends."""


def sign_in(state: State, login: str, password: str, came: Came | str) -> tuple[str, Officer]:
    """Check and begin a session; returns its token. Raises Refused and TooManyAttempts."""
    came = Came(came) if isinstance(came, str) else came
    now = state.clock()
    login = login.strip()
    try:
        charge(state, login, came.address, now)
    except TooManyAttempts:
        state.metrics.sign_ins.labels("limited").inc()
        raise
    with reading(state.engine) as conn:
        officer = officers.by_login(conn, login)
    usable = (
        officer is not None
        and officer.active
        and bool(officer.password_hash)
        and password_allowed(state.settings.oidc, login)
    )
    stored = officer.password_hash if officer is not None and usable else None
    if not state.passwords.check(stored, password) or officer is None:
        state.metrics.sign_ins.labels("refused").inc()
        raise Refused
    fresh = (
        state.passwords.hash(password) if state.passwords.outdated(officer.password_hash) else ""
    )
    with writing(state.engine) as conn:
        logins.clear(conn, login)
        if fresh:
            officers.set_password(conn, officer.id, fresh)
        token = begin(conn, state, officer, came, now)
    state.metrics.sign_ins.labels("accepted").inc()
    return token, officer


def password_allowed(oidc: OidcSettings, login: str) -> bool:
    """Whether that login may use a password here: always, unless that is switched off."""
    return not oidc.issuer or oidc.local_sign_in or login in oidc.break_glass


def begin(
    conn: Connection,
    state: State,
    officer: Officer,
    came: Came,
    now: datetime,
    way: Literal["password", "oidc"] = "password",
) -> str:
    """Begin a session of an officer who has proved who they are; returns its token.

    A token is never carried over: the session that the browser had ends.
    """
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session = Session(
        token_hash=token_hash(token),
        officer_id=officer.id,
        csrf=secrets.token_urlsafe(TOKEN_BYTES),
        created_at=now,
        expires_at=now + timedelta(seconds=state.settings.sessions.lifetime_s),
        last_seen_at=now,
        address=came.address,
        browser=came.browser,
        way=way,
    )
    sessions.purge(conn, now)
    if came.old_token:
        sessions.remove(conn, token_hash(came.old_token))
    sessions.add(conn, session)
    detail = {"from": came.address, "way": way}
    audit.append(conn, officer.id, "signed_in", f"officer/{officer.id}", detail, now)
    return token


def charge(state: State, login: str, address: str, now: datetime) -> None:
    """Count an attempt before it is looked at. Raises TooManyAttempts."""
    limits = state.settings.sign_in
    window = timedelta(seconds=limits.window_s)
    with writing(state.engine) as conn:
        lately = logins.recent_failures(conn, login, address, now - window)
        if lately.by_login >= limits.per_login or lately.by_address >= limits.per_address:
            until = (lately.last_at or now) + window
            raise TooManyAttempts(max(1.0, (until - now).total_seconds()))
        logins.purge(conn, now - 10 * window)
        logins.failed(conn, login, address, now)


def sign_out(state: State, visit: Visit) -> None:
    """End the session."""
    now = state.clock()
    with writing(state.engine) as conn:
        sessions.remove(conn, visit.session.token_hash)
        who = visit.officer.id
        audit.append(conn, who, "signed_out", f"officer/{who}", {}, now)


def find_visit(state: State, hashed: str, *, used: bool = True) -> Visit | None:
    """Whose session has this token hash, unless it has ended or its officer may not be here.

    `used`: the officer did something; an open live stream alone keeps no session alive.
    """
    now = state.clock()
    with reading(state.engine) as conn:
        visit = _visit(conn, hashed, now)
    idle_s = state.settings.sessions.idle_s
    if visit is None or (now - visit.session.last_seen_at).total_seconds() > idle_s:
        return None
    if used and (now - visit.session.last_seen_at).total_seconds() > TOUCH_EVERY_S:
        _touch(state.engine, hashed, now)
    return visit


def _visit(conn: Connection, hashed: str, now: datetime) -> Visit | None:
    session = sessions.get(conn, hashed, now)
    officer = officers.get(conn, session.officer_id) if session else None
    if session is None or officer is None or not officer.active:
        return None
    region = regions.get(conn, officer.region)
    if region is None:
        return None
    return Visit(officer, session, scope_of(conn, officer), region)


def _touch(engine: Engine, hashed: str, now: datetime) -> None:
    with writing(engine) as conn:
        sessions.touch(conn, hashed, now)


def cookie_name(state: State) -> str:
    """The session cookie's name; `__Host-` lets no other host or path set it."""
    return "__Host-fs_session" if state.settings.secure else "fs_session"


def token_of(state: State, connection: HTTPConnection) -> str | None:
    """The session token that the request carries."""
    return connection.cookies.get(cookie_name(state))


def give_cookie(state: State, answer: Response, token: str) -> None:
    """Hand the token to the browser: no script can read it, no other site sends it along."""
    answer.set_cookie(
        cookie_name(state),
        token,
        max_age=int(state.settings.sessions.lifetime_s),
        path="/",
        secure=state.settings.secure,
        httponly=True,
        samesite="lax",
    )


def take_cookie(state: State, answer: Response) -> None:
    """Have the browser forget the token."""
    answer.delete_cookie(
        cookie_name(state), path="/", secure=state.settings.secure, httponly=True, samesite="lax"
    )
