"""An OpenID Connect provider as we ask it: discovery, keys, the code's exchange, the ID token.

Authorization code flow with PKCE (S256), state and nonce. An ID token counts if it is signed by
RS256 or ES256 with a key of the provider's, for us, by that issuer, now, and with our nonce.
"""

import base64
import hashlib
import secrets
import threading
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import msgspec
import requests

from server.settings import OidcSettings

ALGORITHMS = ("RS256", "ES256")
ANSWER_MOST = 1_000_000
"""Bytes of an answer that are read."""
REFETCH_S = 30.0
"""A key that is not known has the keys fetched anew, at most this often."""


class ProviderDown(Exception):
    """The provider cannot be reached, or answers nonsense; the text says where."""


class TokenRefused(Exception):
    """The provider refused the code, or its ID token does not hold; the text says why."""


class Discovery(msgspec.Struct, frozen=True):
    """What of the provider's own description is needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str = ""


class Flow(msgspec.Struct, frozen=True):
    """The secrets of one sign-in on its way."""

    state: str
    nonce: str
    verifier: str


def new_flow() -> Flow:
    """Fresh ones."""
    return Flow(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))


class Provider:
    """One provider. What it says of itself and its keys are kept for a while; safe for threads."""

    def __init__(self, settings: OidcSettings, secret: str = "") -> None:
        self.settings = settings
        self._secret = secret
        self._lock = threading.Lock()
        self._found: tuple[float, Discovery] | None = None
        self._keys: tuple[float, dict[str, jwt.PyJWK]] | None = None

    def address(self, flow: Flow, callback: str) -> str:
        """Where the browser goes to sign in. Raises ProviderDown."""
        digest = hashlib.sha256(flow.verifier.encode()).digest()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": callback,
            "scope": self.settings.scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        endpoint = self.discovery().authorization_endpoint
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    def leave_address(self, back: str) -> str:
        """Where a browser ends its session at the provider; empty if there is no such place.

        Raises ProviderDown.
        """
        endpoint = self.discovery().end_session_endpoint
        told = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        return f"{endpoint}?{urlencode(told)}" if endpoint else ""

    def login_of(self, code: str, verifier: str, nonce: str, callback: str) -> str:
        """The login that the provider vouches for. Raises ProviderDown, TokenRefused."""
        claims = self.checked(self._exchange(code, verifier, callback), nonce)
        login = claims.get(self.settings.claim)
        if not isinstance(login, str) or not login.strip():
            raise TokenRefused(f"the ID token has no claim {self.settings.claim}")
        return login.strip()

    def checked(self, token: str, nonce: str) -> dict[str, Any]:
        """The claims of an ID token that holds. Raises ProviderDown, TokenRefused."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as error:
            raise TokenRefused(f"the ID token cannot be read: {error}") from None
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise TokenRefused(f"the ID token is signed by {str(algorithm)[:20]!r}")
        key = self._key(str(header.get("kid", "")), algorithm)
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=self.settings.client_id,
                issuer=self.settings.issuer,
                leeway=self.settings.leeway_s,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise TokenRefused(f"the ID token does not hold: {error}") from None
        audience = claims["aud"]
        party = claims.get("azp", self.settings.client_id)
        several = isinstance(audience, list) and len(audience) > 1
        if party != self.settings.client_id or (several and "azp" not in claims):
            raise TokenRefused("the ID token is for another party")
        if not secrets.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
            raise TokenRefused("the ID token has another nonce")
        return claims

    def discovery(self) -> Discovery:
        """What the provider says of itself. Raises ProviderDown."""
        with self._lock:
            if self._found and time.monotonic() - self._found[0] < self.settings.cache_s:
                return self._found[1]
        issuer = self.settings.issuer
        url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            found = msgspec.convert(self._get(url), Discovery)
        except msgspec.ValidationError as error:
            raise ProviderDown(f"{url}: {error}") from None
        if found.issuer != issuer:
            raise ProviderDown(f"{url}: says that it is the issuer {found.issuer[:200]!r}")
        for address in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if urlsplit(issuer).scheme == "https" and urlsplit(address).scheme != "https":
                raise ProviderDown(f"{url}: names an address without https")
        with self._lock:
            self._found = (time.monotonic(), found)
        return found

    def _key(self, name: str, algorithm: str) -> jwt.PyJWK:
        """The key of that id; a name that is not known may be a new key's."""
        with self._lock:
            kept = self._keys
        age_s = time.monotonic() - kept[0] if kept else float("inf")
        fresh_s = self.settings.cache_s
        if kept is not None and name not in kept[1]:
            fresh_s = min(fresh_s, REFETCH_S)
        if kept is None or age_s >= fresh_s:
            kept = self._fetch_keys()
        key = kept[1].get(name)
        if key is None and not name and len(kept[1]) == 1:
            key = next(iter(kept[1].values()))
        wanted = "RSA" if algorithm.startswith("RS") else "EC"
        if key is None or key.key_type != wanted:
            raise TokenRefused(f"the provider has no {algorithm} key {name[:80]!r}")
        return key

    def _fetch_keys(self) -> tuple[float, dict[str, jwt.PyJWK]]:
        url = self.discovery().jwks_uri
        told = self._get(url)
        found: dict[str, jwt.PyJWK] = {}
        listed = told.get("keys", []) if isinstance(told, dict) else []
        for one in listed if isinstance(listed, list) else []:
            if not isinstance(one, dict) or one.get("use", "sig") != "sig":
                continue
            try:
                found[str(one.get("kid", ""))] = jwt.PyJWK(one)
            except jwt.PyJWTError:
                continue  # of a kind that we do not take
        kept = (time.monotonic(), found)
        with self._lock:
            self._keys = kept
        return kept

    def _exchange(self, code: str, verifier: str, callback: str) -> str:
        url = self.discovery().token_endpoint
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "client_id": self.settings.client_id,
            "code_verifier": verifier,
        }
        sign = (self.settings.client_id, self._secret) if self._secret else None
        status, told = self._ask("POST", url, data=body, auth=sign)
        if status >= 500:
            raise ProviderDown(f"{url}: answers HTTP {status}")
        token = told.get("id_token") if status == 200 and isinstance(told, dict) else None
        if not isinstance(token, str):
            raise TokenRefused(f"the provider refused the code (HTTP {status})")
        return token

    def _get(self, url: str) -> Any:
        status, told = self._ask("GET", url)
        if status != 200:
            raise ProviderDown(f"{url}: answers HTTP {status}")
        return told

    def _ask(self, method: str, url: str, **more: Any) -> tuple[int, Any]:
        ca = self.settings.ca_file or True
        try:
            with requests.request(
                method,
                url,
                timeout=self.settings.timeout_s,
                allow_redirects=False,
                verify=ca,
                stream=True,
                headers={"accept": "application/json"},
                **more,
            ) as answer:
                content = answer.raw.read(ANSWER_MOST, decode_content=True)
                return answer.status_code, msgspec.json.decode(content or b"null")
        except (requests.RequestException, OSError) as error:
            raise ProviderDown(f"{url}: {type(error).__name__}") from None
        except msgspec.DecodeError:
            raise ProviderDown(f"{url}: its answer is no JSON") from None
