"""An HTTP server that answers writes as InfluxDB 2.x and 3 Core are documented to.

Debian packages neither. This one has a line-protocol reader of its own (nothing of ours is in it)
and keeps to InfluxData's public pages: "Troubleshoot issues writing data" of v2 and of 3 Core,
"Line protocol", "Manage DBRP mappings", the v2 API reference (buckets, orgs, tasks, dbrps) and 3
Core's "Create a database". It cannot prove that a real server does what it is documented to do.
"""

import gzip
import json
import re
import secrets
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

TOKEN = "a-token"
Fields = dict[str, float | bool | str]
Key = tuple[str, tuple[tuple[str, str], ...]]


class Unparsed(Exception):
    """A line that is not line protocol."""


def _split(text: str, at: str, escapes: str, quotes: bool = False) -> list[str]:
    """Parts of a text between unescaped separators."""
    parts, start, quoted, n = [], 0, False, 0
    while n < len(text):
        if text[n] == "\\" and n + 1 < len(text) and (text[n + 1] in escapes or quoted):
            n += 2
            continue
        if quotes and text[n] == '"':
            quoted = not quoted
        elif text[n] == at and not quoted:
            parts.append(text[start:n])
            start = n + 1
        n += 1
    return [*parts, text[start:]]


def _plain(text: str, escapes: str = ",= ") -> str:
    return re.sub(rf"\\([{re.escape(escapes)}])", r"\1", text)


def _field(text: str) -> float | bool | str:
    if text in {"t", "T", "true", "True", "TRUE"}:
        return True
    if text in {"f", "F", "false", "False", "FALSE"}:
        return False
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1:
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if re.fullmatch(r"-?\d+i", text):
        return int(text[:-1])
    if not re.fullmatch(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", text):
        raise Unparsed("invalid number")
    return float(text)


def parse(line: str) -> tuple[Key, Fields, int]:
    """One line of the protocol with a time. Raises Unparsed."""
    start = _split(line, " ", ",= ")[0]
    parts = [start, *_split(line[len(start) + 1 :], " ", ",= ", quotes=True)]
    if len(parts) != 3 or not parts[1]:
        raise Unparsed("missing fields")
    measurement, *tags = _split(parts[0], ",", ",= ")
    pairs = [_split(tag, "=", ",= ") for tag in tags]
    if any(len(pair) != 2 or not all(pair) for pair in pairs) or not measurement:
        raise Unparsed("missing tag value")
    fields = {}
    for one in _split(parts[1], ",", ",= ", quotes=True):
        name, *value = _split(one, "=", ",= ")
        if not name or not value:
            raise Unparsed("missing field value")
        fields[_plain(name)] = _field("=".join(value))
    named = tuple(sorted((_plain(name), _plain(value)) for name, value in pairs))
    return (_plain(measurement, ", "), named), fields, int(parts[2])


def _type(value: float | bool | str) -> str:
    kinds = {bool: "boolean", str: "string", int: "integer", float: "float"}
    return kinds[type(value)]


class InfluxContract:
    """InfluxDB `version` 2 or 3 in a thread; `with` starts and ends it."""

    def __init__(self, version: int, *, retention_s: float = 0, org: str = "city") -> None:
        self.version = version
        self.retention_s = retention_s
        self.org = org
        self.points: dict[tuple[Key, int], Fields] = {}
        self.buckets: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, dict[str, Any]] = {}
        self.dbrps: list[dict[str, Any]] = []
        self.types: dict[tuple[str, str], str] = {}
        self.requests: list[tuple[str, str, Any]] = []
        """Method, path with query, and JSON body of each request."""
        self.failing: list[tuple[int, dict[str, str], bytes]] = []
        """Answers for the next writes, instead of what they deserve."""
        self.poison = ""
        """A line with this makes the server answer 500."""
        self._lock = threading.Lock()
        contract = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                with contract._lock:
                    status, headers, said = contract.answer(
                        self.command, self.path, dict(self.headers), body
                    )
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_POST = do_PATCH = do_DELETE = _answer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(
        self, method: str, where: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        path, _, query = where.partition("?")
        asked = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        is_json = body[:1] in (b"{", b"[") and path != "/api/v2/write"
        table = json.loads(body) if is_json else None
        self.requests.append((method, where, table))
        version = {"x-influxdb-version": "2.7.12" if self.version == 2 else "3.2.0"}
        if path in ("/ping", "/health"):
            return 200, version, json.dumps({"version": version["x-influxdb-version"]}).encode()
        given = next((v for n, v in headers.items() if n.lower() == "authorization"), "")
        if given not in (f"Token {TOKEN}", f"Bearer {TOKEN}"):
            said = {"code": "unauthorized", "message": "unauthorized access"}
            return 401, version, json.dumps(said).encode()
        if path == "/api/v2/write":
            if self.failing:
                return self.failing.pop(0)
            return self._write(asked, body)
        if self.version == 3 and path == "/api/v3/configure/database":
            return self._databases(method, asked, table)
        if self.version == 2:
            return self._v2(method, path, asked, table or {})
        return 404, version, b""

    def _write(self, asked: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        bucket = asked.get("bucket", "")
        if self.version == 2 and bucket not in self.buckets:
            said = {"code": "not found", "message": f'bucket "{bucket}" not found'}
            return 404, {}, json.dumps(said).encode()
        lines = body.decode().split("\n")
        if self.poison and any(self.poison in line for line in lines):
            return 500, {}, b'{"code":"internal error","message":"unexpected error"}'
        parsed, faults = [], []
        for number, line in enumerate(lines, 1):
            try:
                parsed.append((number, line, parse(line)))
            except Unparsed as error:
                faults.append((number, line, f"unable to parse '{line}': {error}"))
        if self.version == 2 and faults:
            said = {"code": "invalid", "message": faults[0][2]}
            return 400, {}, json.dumps(said).encode()
        refused = [*faults]
        for number, line, (key, fields, at_ns) in parsed:
            trouble = self._trouble(key, fields, at_ns)
            if trouble:
                refused.append((number, line, trouble))
            else:
                self.points.setdefault((key, at_ns), {}).update(fields)
        if not refused:
            return 204, {}, b""
        if self.version == 2:
            dropped = f"partial write: {refused[0][2]} dropped={len(refused)}"
            text = f"failure writing points to database: {dropped}"
            said_: dict[str, Any] = {"code": "unprocessable entity", "message": text}
            return 422, {}, json.dumps(said_).encode()
        named = [
            {"error_message": why, "line_number": number, "original_line": line}
            for number, line, why in sorted(refused)[:100]
        ]
        said_ = {"error": "partial write of line protocol occurred", "data": named}
        return 400, {}, json.dumps(said_).encode()

    def _trouble(self, key: Key, fields: Fields, at_ns: int) -> str | None:
        oldest_ns = time.time_ns() - self.retention_s * 1e9 if self.retention_s else at_ns
        if self.version == 2 and at_ns < oldest_ns:
            return "points beyond retention policy"
        for name, value in fields.items():
            has, old = _type(value), self.types.setdefault((key[0], name), _type(value))
            if has != old and self.version == 2:
                return (
                    f'field type conflict: input field "{name}" on measurement "{key[0]}" is type '
                    f"{has}, already exists as type {old}"
                )
            if has != old:
                return f"invalid column type for column '{name}', expected {old}, got {has}"
        return None

    def _databases(
        self, method: str, asked: dict[str, str], table: Any
    ) -> tuple[int, dict[str, str], bytes]:
        if method == "GET":
            rows = [{"iox::database": name} for name in self.buckets]
            return 200, {}, json.dumps(rows).encode()
        if table["db"] in self.buckets:
            return 409, {}, b"attempted to create a resource that already exists"
        self.buckets[table["db"]] = table
        return 200, {}, b""

    def _v2(
        self, method: str, path: str, asked: dict[str, str], table: dict[str, Any]
    ) -> tuple[int, dict[str, str], bytes]:
        found: Any
        if path == "/api/v2/orgs":
            if asked.get("org") != self.org:
                said = {"code": "not found", "message": f'organization name "{asked.get("org")}"'}
                return 404, {}, json.dumps(said).encode()
            return 200, {}, json.dumps({"orgs": [{"id": "0a", "name": self.org}]}).encode()
        kind, _, one = path.removeprefix("/api/v2/").partition("/")
        store: dict[str, dict[str, Any]] = {"buckets": self.buckets, "tasks": self.tasks}.get(
            kind, {}
        )
        if kind == "dbrps":
            if method == "POST":
                self.dbrps.append({"id": secrets.token_hex(4), "virtual": False, **table})
                return 201, {}, json.dumps(self.dbrps[-1]).encode()
            if method == "PATCH":
                (found,) = [row for row in self.dbrps if row["id"] == one]
                found.update(table)
                return 200, {}, json.dumps(found).encode()
            return 200, {}, json.dumps({"content": self.dbrps}).encode()
        if kind not in ("buckets", "tasks"):
            return 404, {}, b'{"code":"not found","message":"path not found"}'
        if method == "GET":
            rows = [row for name, row in store.items() if asked.get("name") in (None, name)]
            return 200, {}, json.dumps({kind: rows}).encode()
        if method == "PATCH":
            (found,) = [row for row in store.values() if row["id"] == one]
            found.update(table)
            return 200, {}, json.dumps(found).encode()
        name = table.get("name") or re.findall(r'name: "([^"]+)"', table["flux"])[0]
        if kind == "buckets" and name in store:
            said = {"code": "conflict", "message": f"bucket with name {name} already exists"}
            return 422, {}, json.dumps(said).encode()
        store[name] = {"id": secrets.token_hex(8), "name": name, **table}
        return 201, {}, json.dumps(store[name]).encode()
