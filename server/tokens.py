"""Tokens of other city systems: made, shown once, checked with each request, revoked.

A token asks in the name of the officer who made it: with their right as it is now, in the part of
their region that it was made for, for its scopes only. When they may no longer sign in, it is over.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import msgspec

from ledger import api_tokens, audit, officers, regions
from ledger.api_tokens import ApiToken
from ledger.engine import Connection, reading, writing
from ledger.officers import Officer
from ledger.sessions import Session
from server.access import scope_of
from server.problems import Problem, not_found
from server.scopes import SCOPES, allows
from server.signing import TOKEN_BYTES, Visit, token_hash
from server.state import State

PREFIX = "fst_"
"""By which a leaked token is known for one."""
SHOWN = len(PREFIX) + 6
NAME_MOST = 64
_REFUSED = {"www-authenticate": 'Bearer realm="foodsentry", error="invalid_token"'}


class TokenWish(msgspec.Struct, frozen=True):
    """What is asked for."""

    name: str
    scopes: tuple[str, ...]
    region: str
    days: int


class TokenRefused(ValueError):
    """Why such a token cannot be; `kind` is its name among the words of the page."""

    def __init__(self, kind: str, said: str) -> None:
        super().__init__(said)
        self.kind = kind


def make(
    conn: Connection, officer: Officer, wish: TokenWish, now: datetime, *, longest_days: int
) -> tuple[ApiToken, str]:
    """Add a token of this officer's; returns it and its secret, which nobody can read again.

    Raises TokenRefused.
    """
    name = " ".join(wish.name.split())
    if not 0 < len(name) <= NAME_MOST:
        raise TokenRefused("name", f"a token needs a name of at most {NAME_MOST} characters")
    unknown = sorted(set(wish.scopes) - set(SCOPES))
    if unknown or not wish.scopes:
        raise TokenRefused("scopes", f"no scope {', '.join(unknown)}" if unknown else "no scope")
    if wish.region not in regions.subtree(conn, officer.region):
        raise TokenRefused("region", f"region {wish.region!r} is not within the officer's own")
    if not 1 <= wish.days <= longest_days:
        raise TokenRefused("days", f"a token ends within {longest_days} days")
    secret = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    new = ApiToken(
        token_hash=token_hash(secret),
        shown=secret[:SHOWN],
        name=name,
        scopes=tuple(sorted(set(wish.scopes))),
        region=wish.region,
        officer_id=officer.id,
        created_at=now,
        expires_at=now + timedelta(days=wish.days),
    )
    api_tokens.add(conn, new)
    return new, secret


def note_made(conn: Connection, actor: str, token: ApiToken, at: datetime) -> None:
    """Audit that it was made; the secret is not in it."""
    detail = {
        "name": token.name,
        "scopes": list(token.scopes),
        "region": token.region,
        "officer": token.officer_id,
        "until": token.expires_at.isoformat(),
    }
    audit.append(conn, actor, "token_made", f"token/{token.id}", detail, at)


def revoke(conn: Connection, actor: str, token: ApiToken, at: datetime) -> bool:
    """End it and audit that; False if it had been revoked before."""
    ended = api_tokens.revoke(conn, token.id, actor, at)
    if ended:
        audit.append(conn, actor, "token_revoked", f"token/{token.id}", {"name": token.name}, at)
    return ended


def visible_token(conn: Connection, seen: Collection[str], token_id: str) -> ApiToken:
    """The token, if it is over one of these regions. Raises Problem (404)."""
    found = api_tokens.get(conn, token_id)
    if found is None or found.region not in seen:
        raise not_found("token")
    return found


def visit_of(state: State, header: str, asked: Sequence[str]) -> Visit:
    """Who asks by this Authorization header, for a route that names the scopes `asked`.

    Raises Problem (401, 403, 429).
    """
    scheme, _, secret = header.partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not secret.startswith(PREFIX):
        raise _refused("the Authorization header holds no token of ours")
    now = state.clock()
    with reading(state.engine) as conn:
        token = api_tokens.by_hash(conn, token_hash(secret))
        visit = _visit(conn, token, now) if token is not None else None
    if token is None or visit is None:
        raise _refused("the token is unknown, expired or revoked, or its maker has left")
    wait_s = state.rates.take(token.id, now)
    if wait_s > 0:
        retry = {"retry-after": str(max(1, round(wait_s + 0.5)))}
        raise Problem(429, "too-many-requests", "this token asks too often", retry)
    missing = [one for one in asked if not allows(token.scopes, one)]
    if missing or not asked:
        said = f"the token has not the scope {missing[0]}" if missing else "no token may do this"
        raise Problem(403, "scope-missing", said)
    if token.last_used_at is None or now - token.last_used_at > api_tokens.USED_EVERY:
        with writing(state.engine) as conn:
            api_tokens.used(conn, token, now)
    return visit


def _visit(conn: Connection, token: ApiToken, now: datetime) -> Visit | None:
    maker = officers.get(conn, token.officer_id)
    region = regions.get(conn, token.region)
    if maker is None or region is None or not (maker.active and token.usable(now)):
        return None
    if token.region not in regions.subtree(conn, maker.region):
        return None
    narrowed = msgspec.structs.replace(maker, region=token.region)
    session = Session(
        token_hash="",
        officer_id=maker.id,
        csrf="",
        created_at=token.created_at,
        expires_at=token.expires_at,
        last_seen_at=now,
    )
    return Visit(narrowed, session, scope_of(conn, narrowed), region, token)


def _refused(said: str) -> Problem:
    return Problem(401, "token-refused", said, _REFUSED)
