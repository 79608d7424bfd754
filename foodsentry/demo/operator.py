"""The demo market's operator: registers each sample on the room's page before it is tested."""

import http.client
import itertools
import json
import logging
import random
import secrets
from typing import Any

_log = logging.getLogger(__name__)

OPERATORS = ("周伟强", "梁晓彤")
PIN = "260418"  # the demo's own, on loopback; nothing else has a default
STALLS = ("A-01", "A-03", "A-07", "B-02", "B-05", "C-11")
ORIGINS = ("江门新会", "江门开平", "佛山三水", "云南通海")
TWICE = "豆角"
"""Once it is brought from two stalls at a time, so that the page has something to ask."""
_LIMIT_S = 3.0


class DemoOperator:
    """Asks the page as a tablet does. With port 0 there is no page and nothing is registered."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._chance = random.Random(20261126)
        self._cookie = ""
        self._lots = itertools.count(1)
        self._asked = False

    def register(self, product: str) -> str:
        """Register a sample; returns its number, empty if the page cannot be had."""
        if not self._port:
            return ""
        try:
            self._sign_in()
            self._settle()
            if product == TWICE and not self._asked:
                self._asked = True
                self._post("/api/samples", self._form(product))
            return str(self._post("/api/samples", self._form(product))["number"])
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            _log.warning("demo: the testing room's page: %s", error)
            return ""

    def _form(self, product: str) -> dict[str, str]:
        stall = self._chance.choice(STALLS)
        return {
            "product": product,
            "stall": stall,
            "supplier": f"江门蔬菜批发 {stall[0]} 档",
            "origin": self._chance.choice(ORIGINS),
            "lot": f"L{next(self._lots):03d}",
        }

    def _sign_in(self) -> None:
        if self._cookie:
            return
        _, cookie = self._ask("POST", "/api/signin", {"name": OPERATORS[0], "pin": PIN})
        self._cookie = cookie.partition(";")[0]

    def _settle(self) -> None:
        """Results of before anything was registered are no sample's."""
        told, _ = self._ask("GET", "/api/state")
        for asked in told.get("asks", []):
            if not asked["candidates"]:
                self._post(f"/api/results/{asked['result_id']}/choose", {"sample_id": ""})

    def _post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        said, _ = self._ask("POST", path, {**body, "submit_id": secrets.token_hex(16)})
        return said

    def _ask(
        self, method: str, path: str, body: dict[str, str] | None = None
    ) -> tuple[dict[str, Any], str]:
        asking = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_LIMIT_S)
        try:
            payload = None if body is None else json.dumps(body)
            asking.request(method, path, payload, {"X-Room": "1", "Cookie": self._cookie})
            reply = asking.getresponse()
            said = json.loads(reply.read())
        finally:
            asking.close()
        if reply.status != 200:
            raise ValueError(f"{path}: {reply.status} {said.get('error', '')}")
        return said, reply.headers.get("Set-Cookie", "")
