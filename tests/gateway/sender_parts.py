"""Officers with contacts, notifications for them, channels that do as they are told, a clock."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from gateway_town import COLD, NOON, REGION

from contracts.words import Severity
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify.channels.channel import Message, Outcome, Sent
from gateway.notify.channels.opening import Opened
from gateway.notify.sender import Sender
from gateway.notify.settings import NotifySettings
from ledger import alerts, contacts, notification_tries, notifications, officers
from ledger.alerts import NewAlert
from ledger.engine import Connection, Engine, reading, writing
from ledger.notification_tries import Try
from ledger.notifications import NewNotification, NotificationRow
from ledger.officers import Officer, Role


class Clock:
    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Scripted:
    """A channel that answers as its script says, then with success; keeps what it is given."""

    def __init__(self, name: str, *script: Outcome, hold: threading.Event | None = None) -> None:
        self.name = name
        self.script = list(script)
        self.got: list[Message] = []
        self.hold = hold
        self.always: Outcome | None = None

    def send(self, message: Message) -> Outcome:
        self.got.append(message)
        if self.hold is not None:
            self.hold.wait(30)
        if self.always is not None:
            return self.always
        return self.script.pop(0) if self.script else Sent()

    def close(self) -> None:
        self.hold = None


def opened(*channels: Scripted, tries: int = 3, queue: int = 50) -> dict[str, Opened]:
    return {one.name: Opened(one, "zh", tries, 10.0, queue) for one in channels}


def people(conn: Connection) -> None:
    """A town, a county and a city officer; the town's has three contacts, the others mail."""
    for login, role in (("li", Role.TOWN), ("chen", Role.COUNTY), ("huang", Role.CITY)):
        officers.add(conn, Officer(login=login, name=login, role=role, region=REGION, id=login))
        ways = ("wecom", "sms", "mail") if login == "li" else ("mail",)
        for position, channel in enumerate(ways):
            one = contacts.Contact(
                login, channel, f"{login}-{channel}", position, id=f"{login}-{channel}"
            )
            contacts.put(conn, one)


def raise_one(
    conn: Connection, fingerprint: str = "f", severity: Severity = Severity.DEADLINE
) -> str:
    new = NewAlert(
        fingerprint=fingerprint,
        rule="cold_store_warm",
        rule_version="1",
        severity=severity,
        title_zh="冷库温度超限",
        title_en="Cold store too warm",
        who=COLD,
        raised_at=NOON,
    )
    return alerts.raise_alert(conn, new)[0]


def notification(dedupe: str = "n1", **changes: Any) -> NewNotification:
    told: dict[str, Any] = {
        "dedupe": dedupe,
        "kind": "alert",
        "severity": Severity.DEADLINE,
        "recipient": "li",
        "title_zh": "冷库温度超限",
        "title_en": "Cold store too warm",
        "body_zh": "十二度",
        "body_en": "twelve degrees",
        "region": REGION,
        "site": COLD.site,
    }
    return NewNotification(**(told | changes))


class Office:
    """A sender on a ledger, driven step by step."""

    def __init__(
        self,
        ledger: Engine,
        channels: Mapping[str, Opened],
        clock: Clock | None = None,
        *,
        name: str = "gw1",
        routes: Mapping[str, Sequence[str]] | None = None,
        **settings: Any,
    ) -> None:
        self.ledger, self.clock = ledger, clock or Clock()
        self.metrics, self.health = Metrics(), Health()
        made = NotifySettings(console_url="https://console.example/", **settings)
        self.sender = Sender(
            ledger,
            channels,
            made,
            routes=routes or {},
            name=name,
            metrics=self.metrics,
            health=self.health,
            clock=self.clock,
        )

    def __enter__(self) -> "Office":
        return self

    def __exit__(self, *_: object) -> None:
        self.sender.end()

    def put(self, *new: NewNotification) -> None:
        with writing(self.ledger) as conn:
            notifications.enqueue(conn, new, self.clock())

    def rows(self) -> dict[str, NotificationRow]:
        with reading(self.ledger) as conn:
            return {one.dedupe: one for one in notifications.list(conn, limit=1000)}

    def row(self, dedupe: str = "n1") -> NotificationRow:
        return self.rows()[dedupe]

    def tries(self, dedupe: str = "n1") -> list[Try]:
        number = self.row(dedupe).id
        with reading(self.ledger) as conn:
            return list(notification_tries.of(conn, [number])[number].values())

    def until(self, condition: Callable[[], object], limit_s: float = 20.0) -> None:
        """Look again and again until it holds; the clock stands still."""
        end = time.monotonic() + limit_s
        while True:
            self.sender.look_once()
            if condition():
                return
            assert time.monotonic() < end, {key: row.state for key, row in self.rows().items()}
            time.sleep(0.005)

    def settled(self, dedupe: str = "n1", *states: str) -> NotificationRow:
        """The row, once it is in one of these states (default: sent)."""
        self.until(lambda: self.row(dedupe).state in (states or ("sent",)))
        return self.row(dedupe)

    def figure(self, text: str) -> bool:
        return text in self.metrics.text().decode()
