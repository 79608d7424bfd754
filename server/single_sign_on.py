"""Signing in by an identity provider: the way there, the way back, and which officer it is.

Only officers whom the ledger knows come in, by their login; nobody is added by a provider's word.
"""

import hmac
import logging
from datetime import timedelta
from typing import Literal

from ledger import officers, sign_in_requests
from ledger.engine import writing
from ledger.sign_in_requests import SignInRequest
from server.oidc import Provider, ProviderDown, TokenRefused, new_flow
from server.signing import Came, begin, token_hash
from server.state import State

log = logging.getLogger(__name__)
WAY_S = 600
"""Seconds that somebody may take at the provider."""
Refusal = Literal["denied", "state", "token", "unknown", "down"]


class SignOnRefused(Exception):
    """Nobody came in; `kind` says why."""

    def __init__(self, kind: Refusal) -> None:
        super().__init__(kind)
        self.kind: Refusal = kind


def callback_of(state: State) -> str:
    """The address that the provider sends browsers back to."""
    return f"{state.settings.public_base_url}/signin/oidc/callback"


def start(state: State, provider: Provider, target: str) -> tuple[str, str]:
    """Where to send the browser, and the state that ties the way back to it.

    Raises SignOnRefused.
    """
    now = state.clock()
    flow = new_flow()
    try:
        address = provider.address(flow, callback_of(state))
    except ProviderDown as error:
        log.error("single sign-on: %s", error)
        raise SignOnRefused("down") from None
    expires_at = now + timedelta(seconds=WAY_S)
    with writing(state.engine) as conn:
        new = SignInRequest(token_hash(flow.state), flow.nonce, flow.verifier, target, expires_at)
        sign_in_requests.put(conn, new, now)
    return address, flow.state


def finish(
    state: State, provider: Provider, code: str, returned: str, kept: str, came: Came
) -> tuple[str, str]:
    """Begin a session; returns its token and the page that was asked for.

    `returned`: the state that came back; `kept`: the one that this browser was given.
    Raises SignOnRefused.
    """
    now = state.clock()
    if not returned or not hmac.compare_digest(returned.encode(), kept.encode()):
        raise SignOnRefused("state")
    with writing(state.engine) as conn:
        asked = sign_in_requests.take(conn, token_hash(returned), now)
    if asked is None:
        raise SignOnRefused("state")
    try:
        login = provider.login_of(code, asked.verifier, asked.nonce, callback_of(state))
    except ProviderDown as error:
        log.error("single sign-on: %s", error)
        raise SignOnRefused("down") from None
    except TokenRefused as error:
        log.warning("single sign-on: %s", error)
        state.metrics.sign_ins.labels("refused").inc()
        raise SignOnRefused("token") from None
    with writing(state.engine) as conn:
        officer = officers.by_login(conn, login)
        if officer is None or not officer.active:
            log.warning("single sign-on: the provider vouches for %r, who may not come in", login)
            state.metrics.sign_ins.labels("refused").inc()
            raise SignOnRefused("unknown")
        token = begin(conn, state, officer, came, now, "oidc")
    state.metrics.sign_ins.labels("accepted").inc()
    return token, asked.target
