"""The console's Prometheus metrics; nothing else in `server/` touches prometheus_client."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MEDIA_TYPE = CONTENT_TYPE_LATEST
_WAITS = (30, 60, 180, 600, 1800, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 72 * 3600, 240 * 3600)
"""Seconds within which alerts are taken on and dealt with: from half a minute to ten days."""
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """One process's figures, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "foodsentry_server_request_seconds",
            "Time to the answer's first byte, by route.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.acknowledge_s = Histogram(
            "foodsentry_server_alert_acknowledge_seconds",
            "From an alert's booking to its acknowledgement through this process, by class.",
            ("severity",),
            buckets=_WAITS,
            registry=self.registry,
        )
        self.dispose_s = Histogram(
            "foodsentry_server_alert_dispose_seconds",
            "From an alert's booking to its disposal or closing through this process, by class.",
            ("severity",),
            buckets=_WAITS,
            registry=self.registry,
        )
        self.sign_ins = Counter(
            "foodsentry_server_sign_ins",
            "Attempts to sign in, by outcome.",
            ("outcome",),
            registry=self.registry,
        )
        self.streams = Gauge(
            "foodsentry_server_live_streams", "Open live streams.", registry=self.registry
        )
        self.streams_dropped = Counter(
            "foodsentry_server_live_streams_dropped",
            "Live streams ended because the browser was too slow.",
            registry=self.registry,
        )
        self.journal_position = Gauge(
            "foodsentry_server_journal_position",
            "Id of the last journal row that was sent to the live streams.",
            registry=self.registry,
        )
        self.journal_failures = Counter(
            "foodsentry_server_journal_failures",
            "Looks into the journal that failed.",
            registry=self.registry,
        )

    def text(self) -> bytes:
        """The figures as Prometheus reads them."""
        return generate_latest(self.registry)


class Measured:
    """Measures every answer by the route's pattern, so that ids don't make series.

    The browser is told, too (`Server-Timing`): what of a wait was the server's shows in its tools.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()

        async def send_measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "(none)")
                spent_s = time.perf_counter() - start
                self.metrics.requests.labels(
                    scope["method"], route, str(message["status"])
                ).observe(spent_s)
                timing = f"app;dur={spent_s * 1000:.1f}".encode()
                message["headers"] = [*message["headers"], (b"server-timing", timing)]
            await send(message)

        await self.app(scope, receive, send_measured)
