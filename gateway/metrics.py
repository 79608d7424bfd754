"""The gateway's figures for Prometheus; the only door to prometheus_client here."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_P = "foodsentry_gateway"
LATENCY_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
NOTIFY_S = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 86_400.0)
SIZES = (1, 3, 10, 30, 100, 300, 1000, 3000, 10_000)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counters of one gateway process, in a registry of their own."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.messages = Counter(
            f"{_P}_messages", "Messages received from the broker.", registry=registry
        )
        self.dropped = Counter(
            f"{_P}_unasked_dropped", "QoS 0 messages turned away.", registry=registry
        )
        self.events = Counter(
            f"{_P}_events", "Events taken in for the first time.", ["kind"], registry=registry
        )
        self.duplicates = Counter(
            f"{_P}_duplicates", "Events that had been taken in before.", registry=registry
        )
        self.dead_letters = Counter(
            f"{_P}_dead_letters", "Messages put to the dead letters.", ["reason"], registry=registry
        )
        self.batch_messages = Histogram(
            f"{_P}_batch_messages", "Messages of a batch.", buckets=SIZES, registry=registry
        )
        self.batch_s = Histogram(
            f"{_P}_batch_seconds",
            "Ledger transaction of a batch.",
            buckets=LATENCY_S,
            registry=registry,
        )
        self.series_queue = Gauge(
            f"{_P}_series_queue_batches", "Batches waiting for the series store.", registry=registry
        )
        self.series_points = Counter(
            f"{_P}_series_points", "Points written to the series store.", registry=registry
        )
        self.series_errors = Counter(
            f"{_P}_series_errors", "Failed writes to the series store.", registry=registry
        )
        self.series_rejected = Counter(
            f"{_P}_series_rejected_points",
            "Points that the store will never take: too_old (beyond its retention), too_new, "
            "type, unreadable, fault, other. Their messages are dead letters.",
            ["why"],
            registry=registry,
        )
        self.series_dropped = Counter(
            f"{_P}_series_dropped_batches",
            "Batches not written because the queue was full; the edge sends them again.",
            registry=registry,
        )
        self.receipts = Counter(f"{_P}_receipted_events", "Events receipted.", registry=registry)
        self.taken_in = Counter(
            f"{_P}_taken_in_events",
            "Events told to be taken in, while the time series is down or does not keep up.",
            registry=registry,
        )
        self.ledger_errors = Counter(
            f"{_P}_ledger_errors", "Failed ledger transactions.", registry=registry
        )
        self.alerts = Counter(
            f"{_P}_alerts", "Alerts raised and resolved.", ["rule", "change"], registry=registry
        )
        self.rule_faults = Counter(
            f"{_P}_rule_faults",
            "Events on which a rule's expression failed; it did not fire.",
            ["rule"],
            registry=registry,
        )
        self.alert_s = Histogram(
            f"{_P}_alert_latency_seconds",
            "From an event's receipt to its alert in the ledger (stored), from there to MQTT "
            "(published), and for class 1 to the messages about it (notified).",
            ["stage"],
            buckets=LATENCY_S,
            registry=registry,
        )
        self.decided = Counter(
            f"{_P}_notifications_decided",
            "Notifications that the pipeline made: to be sent (queued), or for a digest (held).",
            ["state"],
            registry=registry,
        )

        self.webhook_posts = Counter(
            f"{_P}_webhook_posts",
            "Messages posted to webhooks, by outcome: sent, failed.",
            ["outcome"],
            registry=registry,
        )
        self.missed = Counter(
            f"{_P}_deadlines_missed",
            "Deadlines of alerts that ran out, by what was due and the level that is asked now.",
            ["due", "level"],
            registry=registry,
        )
        self.cards = Counter(
            f"{_P}_cards", "Cards given to establishments.", ["colour"], registry=registry
        )

        self.notifications = Counter(
            f"{_P}_notifications",
            "Notifications by channel: sent, to be tried again (retried), or given up (failed) and "
            "left to the recipient's next channel.",
            ["channel", "outcome"],
            registry=registry,
        )
        self.undelivered = Counter(
            f"{_P}_notifications_undelivered",
            "Notifications that no channel took; the next level is told.",
            registry=registry,
        )
        self.notify_s = Histogram(
            f"{_P}_notify_seconds",
            "From a notification's making until a channel's service took it.",
            ["channel", "severity"],
            buckets=NOTIFY_S,
            registry=registry,
        )
        self.notify_up = Gauge(
            f"{_P}_notify_channel_up",
            "0 if a channel took none of its last few messages.",
            ["channel"],
            registry=registry,
        )
        self.notify_queue = Gauge(
            f"{_P}_notify_queue", "Messages waiting for a channel.", ["channel"], registry=registry
        )

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)
