"""A small OpenID Connect provider on a real port, for tests: honest unless told otherwise."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT, SECRET = "foodsentry", "a-secret-of-two"
CODE_S = 60


class Key:
    """A signing key with its name."""

    def __init__(self, name: str, algorithm: str) -> None:
        self.name, self.algorithm = name, algorithm
        self.private: Any = (
            rsa.generate_private_key(65537, 2048)
            if algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )

    def public(self) -> dict[str, Any]:
        kind = (
            jwt.algorithms.RSAAlgorithm
            if self.algorithm == "RS256"
            else (jwt.algorithms.ECAlgorithm)
        )
        told = json.loads(kind.to_jwk(self.private.public_key()))
        return told | {"kid": self.name, "use": "sig", "alg": self.algorithm}


class Provider:
    """What it knows; tests turn its knobs."""

    def __init__(self) -> None:
        self.issuer = ""
        self.key = Key("one", "RS256")
        self.shown = [self.key]
        """The keys that it publishes."""
        self.login = "baisha"
        self.claims: dict[str, Any] = {}
        """What it says otherwise than it should; None leaves a claim out."""
        self.codes: dict[str, dict[str, str]] = {}
        self.given = 0
        self.asked: dict[str, int] = {}
        self.algorithm = ""
        """Sign by this instead."""
        self.away = False
        self.says_issuer = ""

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.says_issuer or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/leave",
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Somebody signs in here: the address that the browser is sent back to."""
        assert asked["client_id"] == CLIENT and asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256" and "openid" in asked["scope"].split()
        self.given += 1
        code = f"code-{self.given}"
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def token(self, asked: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        begun = self.codes.pop(asked.get("code", ""), None)
        own = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            begun is None
            or authorization != f"Basic {own}"
            or begun["code_challenge"] != challenge
            or begun["redirect_uri"] != asked.get("redirect_uri")
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {"id_token": self.sign(begun["nonce"]), "token_type": "Bearer"}

    def sign(self, nonce: str) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": CLIENT, "sub": "4711", "iat": now, "exp": now + 300,
            "nonce": nonce, "preferred_username": self.login,
        } | self.claims  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        algorithm = self.algorithm or self.key.algorithm
        signed_by: Any = self.key.private
        if algorithm == "none":
            signed_by = None
        elif algorithm == "HS256":
            signed_by = SECRET * 4
        return jwt.encode(claims, signed_by, algorithm, headers={"kid": self.key.name})


@contextmanager
def provider() -> Iterator[Provider]:
    """It runs until the block ends."""
    told = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            told.asked[parts.path] = told.asked.get(parts.path, 0) + 1
            if told.away:
                self._say(503, {})
            elif parts.path == "/authorize":
                self.send_response(302)
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_header("location", told.authorize(asked))
                self.send_header("content-length", "0")
                self.end_headers()
            elif parts.path == "/keys":
                self._say(200, {"keys": [one.public() for one in told.shown]})
            elif parts.path == "/.well-known/openid-configuration":
                self._say(200, told.discovery())
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            asked = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*told.token(asked, self.headers.get("authorization", "")))

        def _say(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
