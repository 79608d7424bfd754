"""The one door to `influxdb-client`: requests to a server that speaks InfluxDB's HTTP API.

Lines go out compressed at the fastest level: the client's own gzip is the slowest one, and costs
more than all the rest of a write.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService

V2_WRITE = "/api/v2/write"
_GZIP = 16 + zlib.MAX_WBITS
LEVEL = 1


class Unreachable(Exception):
    """No answer: nobody there, the connection broke, or it took too long."""


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.status = status
        self.body = body
        self.headers = headers
        super().__init__(f"HTTP {status}")


class Answer(msgspec.Struct, frozen=True):
    """A success."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    """Names in lower case."""


class InfluxClient:
    """A connection pool to one server; several threads may use it at once."""

    def __init__(
        self,
        url: str,
        *,
        org: str = "",
        username: str = "",
        token: str = "",
        timeout_s: float = 10.0,
        gzip: bool = True,
        tls_ca_file: str = "",
        v1_database: str = "",
    ) -> None:
        """With `username` the token is its password (HTTP basic); else it is sent as a token.

        With `v1_database`, writes go to InfluxDB 1.x's /write of that database.
        """
        self.url = url.rstrip("/")
        self._gzip = gzip
        self._org = org or "-"
        self._client = InfluxDBClient(
            url=url,
            token=f"{username}:{token}" if username else token,
            org=self._org,
            timeout=max(1, round(timeout_s * 1000)),
            auth_basic=bool(username),
            ssl_ca_cert=tls_ca_file or None,
        )
        if v1_database:
            rest = self._client.api_client.rest_client
            self._client.api_client.rest_client = _V1Rest(rest, v1_database)  # type: ignore[assignment]
        self._writer = WriteService(self._client.api_client)  # type: ignore[no-untyped-call]

    def write(self, bucket: str, lines: bytes) -> None:
        """Post line protocol with times in nanoseconds. Raises Unreachable or Refused."""
        encoding = {}
        if self._gzip:
            packer = zlib.compressobj(LEVEL, wbits=_GZIP)
            lines = packer.compress(lines) + packer.flush()
            encoding = {"content_encoding": "gzip"}
        try:
            self._writer.post_write(  # type: ignore[no-untyped-call]
                org=self._org,
                bucket=bucket,
                body=lines,
                precision="ns",
                content_type="text/plain; charset=utf-8",
                **encoding,
            )
        except ApiException as error:
            raise _told(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(str(error)) from error

    def ask(
        self,
        method: str,
        path: str,
        parameters: Sequence[tuple[str, str]] = (),
        body: object = None,
    ) -> Answer:
        """Any other request; `body` is sent as JSON. Raises Unreachable or Refused."""
        try:
            answer = self._client.api_client.call_api(  # type: ignore[no-untyped-call]
                path,
                method,
                query_params=list(parameters),
                body=body,
                _preload_content=False,
                _return_http_data_only=True,
                urlopen_kw={},
            )
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, answer.data, headers)
        except ApiException as error:
            raise _told(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise Unreachable(str(error)) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()  # type: ignore[no-untyped-call]


class _V1Rest:
    """The client's HTTP layer, with v2's write path mapped to InfluxDB 1.x's."""

    def __init__(self, inner: Any, database: str) -> None:
        self._inner = inner
        self._database = database

    def POST(self, url: str, *, query_params: Any = None, **others: Any) -> Any:
        if url.endswith(V2_WRITE):
            url = url.removesuffix(V2_WRITE) + "/write"
            query_params = [("db", self._database), ("precision", "ns")]
        return self._inner.POST(url, query_params=query_params, **others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _told(error: ApiException) -> Exception:
    """What the library raises as ours; without a status it is TLS that failed."""
    if not error.status:
        return Unreachable(" ".join(str(error.reason).split()))
    body = error.body or b""
    headers = {str(name).lower(): str(value) for name, value in dict(error.headers or {}).items()}
    return Refused(error.status, body.encode() if isinstance(body, str) else body, headers)
