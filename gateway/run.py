"""Puts a gateway together from its settings, runs it, and ends it in order.

In order means: no new messages, intake drains, the series store gets what is queued, receipts and
alerts go out, and only then the connection ends. What could not be drained was not acknowledged or
not receipted, and comes again.
"""

import gc
import hashlib
import logging
import socket
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from contracts.clock import Clock, utc_now
from contracts.settings import SettingsError, load_settings
from contracts.topics import UPLINK_CHANNELS, Channel, channel_filter, shared
from contracts.workdays import Calendar
from gateway.alerts.book import RuleBook
from gateway.alerts.check import check_limits, check_schedules
from gateway.alerts.day_times import read_timetable
from gateway.alerts.faults import Faults
from gateway.alerts.limits import read_limits
from gateway.alerts.rules import read_rules, rule_files
from gateway.broker import Broker, Inbound
from gateway.casework import CaseBooking, read_work
from gateway.checkpoint import checkpoint_until
from gateway.escalate import Escalation, read_keeper
from gateway.freezing import Freezing, read_freezing
from gateway.health import Health
from gateway.http import HttpServer
from gateway.intake.inbox import Inbox
from gateway.intake.intake import Intake
from gateway.intake.series import SeriesWriter
from gateway.metrics import Metrics
from gateway.notify.opening import open_sender
from gateway.notify.pipeline import Pipeline
from gateway.notify.policy import PolicyFile
from gateway.notify.settings import NotifySettings
from gateway.orders import Orders
from gateway.publish import Publisher
from gateway.registry import Devices
from gateway.rooms import RoomKeeper
from gateway.settings import AlertSettings, GatewaySettings
from gateway.supervise import supervised
from gateway.watch import Watch
from gateway.webhooks.opening import open_deliverer
from ledger import loaded_rules, migrate
from ledger.engine import LedgerDown, writing
from timeseries.settings import open_store

log = logging.getLogger(__name__)

CONFIGS = Path(__file__).resolve().parents[1] / "firmware_configs"
DRAIN_S = 10.0
TICK_S = 0.5
SWITCH_S = 0.001
"""How long a thread may compute while others wait: an alert takes a dozen such waits."""
GARBAGE_EVERY = 50_000
"""Objects made, more than were let go, after which Python looks for circles among the young."""


class Gateway:
    """The parts of one gateway process."""

    def __init__(
        self, settings: GatewaySettings, settings_file: Path, clock: Clock = utc_now
    ) -> None:
        """Put it together. Raises SettingsError; starts nothing and connects to nothing."""
        book = read_book(settings.alerts, settings_file.parent)
        intake = settings.intake
        name = settings.mqtt.client_id or default_client_id(settings_file)
        self.health = Health()
        self.metrics = Metrics()
        self._loaded = loaded_rules.Loaded(
            name,
            clock(),
            [
                loaded_rules.RuleFile(one.name, hashlib.sha256(one.read_bytes()).hexdigest())
                for one in rule_files(rules_of(settings.alerts, settings_file.parent))
            ],
            [(rule.id, rule.version) for rule in book.rules],
        )
        book.on_fault = Faults(lambda rule: self.metrics.rule_faults.labels(rule).inc())
        self.engine = settings.ledger.open(settings_file)
        self.store = open_store(settings.series, settings_file.parent)
        self._accepting = True
        self._inbox = Inbox(intake.receive_maximum, self.metrics.dropped.inc)
        self.broker = Broker(
            settings.mqtt,
            client_id=name,
            password=settings.mqtt.password(settings_file),
            tls=settings.mqtt.tls(settings_file),
            subscriptions=subscriptions(intake.group),
            receive_maximum=intake.receive_maximum,
            session_expiry_s=intake.session_expiry_s,
            deliver=self._deliver,
            full=self._full,
            clock=clock,
        )
        devices = Devices(self.engine)
        self._series = SeriesWriter(
            self.store,
            self.engine,
            publish=self.broker.publish,
            queue_bytes=intake.series_queue_bytes,
            receipt_every_s=intake.receipt_every_s,
            retry_most_s=intake.retry_most_s,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._publisher = Publisher(
            self.engine,
            self.broker,
            name=name,
            group=intake.group,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._orders = Orders(
            self.engine,
            self.broker,
            name=name,
            group=intake.group,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._sender = open_sender(
            settings.notify,
            settings_file,
            self.engine,
            publish=self.broker.publish_and_wait,
            name=name,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._deliverer = open_deliverer(
            settings.webhooks,
            settings_file,
            self.engine,
            name=name,
            group=intake.group,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        policy = PolicyFile(settings_file, _read_notify, settings.notify, book.rules, self.health)
        self._pipeline = Pipeline(
            self.engine,
            policy,
            group=intake.group,
            on_queued=self._sender.wake,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._intake = Intake(
            self._inbox,
            self.engine,
            devices,
            book,
            self._series,
            settings=intake,
            acknowledge=self.broker.acknowledge,
            on_alerts=self._alerts_changed,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._watch = Watch(
            self.engine,
            devices,
            book,
            every_s=settings.alerts.watch_every_s,
            gaps_every_s=settings.alerts.gaps_every_s,
            listening_since=self._listening_since,
            on_alerts=self._alerts_changed,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._escalation = Escalation(
            read_keeper(settings.alerts, settings_file.parent, self.engine),
            every_s=settings.alerts.deadlines_every_s,
            on_alerts=self._alerts_changed,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._casework = CaseBooking(
            self.engine,
            read_work(settings.alerts, settings_file.parent),
            group=intake.group,
            settings=lambda: policy().settings,
            on_queued=self._sender.wake,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._rooms = RoomKeeper(
            self.engine,
            self.broker,
            name=name,
            group=intake.group,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self._freezing = Freezing(
            self.engine,
            read_freezing(settings.alerts, settings_file.parent),
            name=name,
            metrics=self.metrics,
            health=self.health,
            clock=clock,
        )
        self.http = HttpServer(settings.http.host, settings.http.port, self.health, self.metrics)

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; returns when everything is drained and closed."""
        try:
            self._check_tables()
            self._run(stop)
        finally:
            self.store.close()
            self.engine.dispose()

    def _run(self, stop: threading.Event) -> None:
        # In the order in which they end: each is told to stop after what feeds it has ended.
        runs: dict[str, Callable[[threading.Event], None]] = {
            "deadlines": self._escalation.run,
            "casework": self._casework.run,
            "rooms": self._rooms.run,
            "indicators": self._freezing.run,
            "watch": self._watch.run,
            "intake": self._intake.run,
            "series": self._series.run,
            "pipeline": self._pipeline.run,
            "publisher": self._publisher.run,
            "orders": self._orders.run,
            "webhooks": self._deliverer.run,
            "sender": self._sender.run,
            "checkpoints": partial(checkpoint_until, self.engine),
        }
        parts = {name: threading.Event() for name in runs}
        self._tell_broker_health()
        self.http.start()
        threads = {
            name: supervised(name, run, parts[name], self.health) for name, run in runs.items()
        }
        self.broker.start()
        log.info("gateway runs, health on port %d", self.http.port)
        while not stop.wait(TICK_S):
            self._tell_broker_health()
        log.info("stopping")
        self._accepting = False
        for name in runs:
            parts[name].set()
            self._alerts_changed()
            threads[name].join(DRAIN_S)
            if threads[name].is_alive():
                log.warning("%s did not end in %g s", name, DRAIN_S)
        self.broker.stop()
        self.http.stop()

    def _alerts_changed(self) -> None:
        """Look at once, all who follow; also those who are asked to stop."""
        self._publisher.wake()
        self._pipeline.wake()
        self._sender.wake()

    def _deliver(self, messages: list[Inbound]) -> None:
        if self._accepting:
            self._inbox.put(messages)

    def _full(self) -> bool:
        return self._accepting and self._inbox.full()

    def _listening_since(self) -> datetime | None:
        """Since when we hear whatever is said; None while we do not."""
        connected_at, behind_at = self.broker.connected_at, self._intake.behind_at
        if connected_at is None:
            return None
        return max(connected_at, behind_at) if behind_at else connected_at

    def _tell_broker_health(self) -> None:
        if self.broker.trouble:
            self.health.trouble("broker", self.broker.trouble)
        else:
            self.health.well("broker")

    def _check_tables(self) -> None:
        """Refuse to run on tables of another version, and tell which rules are loaded.

        A ledger that is away is waited for later.
        """
        try:
            migrate.check(self.engine)
            with writing(self.engine) as conn:
                loaded_rules.put(conn, self._loaded)
        except migrate.LedgerOutdated as error:
            raise SettingsError(f"ledger: {error}") from None
        except LedgerDown as error:
            self.health.trouble("ledger", f"ledger: {error}")
            log.warning("ledger is down: %s", error)


def run_gateway(settings: GatewaySettings, settings_file: Path, stop: threading.Event) -> int:
    """Run a gateway until `stop`. Raises SettingsError."""
    gateway = Gateway(settings, settings_file)
    # What is loaded now stays; a batch makes tens of thousands of objects that hold no circles.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_EVERY, 10, 50)
    sys.setswitchinterval(SWITCH_S)
    gateway.run(stop)
    return 0


def subscriptions(group: str) -> list[str]:
    """What a gateway subscribes to.

    Facts are shared among the gateways of a group. Status goes to each of them: shared
    subscriptions bring no retained messages, and taking a status over twice is harmless.
    Without a group nothing is shared.
    """
    facts = [channel_filter(channel) for channel in (*UPLINK_CHANNELS, Channel.LOOKS)]
    if group:
        facts = [shared(group, one) for one in facts]
    return [*facts, channel_filter(Channel.STATUS)]


def _read_notify(file: Path) -> NotifySettings:
    return load_settings(file, GatewaySettings).notify


def read_book(settings: AlertSettings, base: Path) -> RuleBook:
    """Rules and limits as the settings name them. Raises SettingsError."""
    return book_of(rules_of(settings, base), limits_of(settings, base))


def rules_of(settings: AlertSettings, base: Path) -> Path:
    """The rule file, or the folder of them."""
    return base / settings.rules if settings.rules else CONFIGS / "rules"


def limits_of(settings: AlertSettings, base: Path) -> Path:
    """The file of the storage limits."""
    if settings.limits:
        return base / settings.limits
    return CONFIGS / "limits" / "storage_temperatures.csv"


def book_of(rules_path: Path, limits_path: Path) -> RuleBook:
    """Rules and limits of these files; times of the day lie beside the limits.

    Raises SettingsError.
    """
    rules, limits = read_rules(rules_path), read_limits(limits_path)
    check_limits(rules, limits.ids, str(rules_path))
    timetable = read_timetable(limits_path.parent, Calendar.read(CONFIGS / "calendars"))
    check_schedules(rules, timetable, str(rules_path))
    return RuleBook(rules, limits, timetable)


def default_client_id(settings_file: Path) -> str:
    """A client id that this gateway has again after a restart, and no other one has."""
    place = f"{socket.gethostname()}:{settings_file.resolve()}"
    return f"fs-gateway-{hashlib.sha256(place.encode()).hexdigest()[:12]}"
