"""A real gateway process, and an agent that sends until it is receipted, for tests."""

import json
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as mqtt
from gateway_town import CHANNELS
from paho.mqtt.enums import CallbackAPIVersion
from servers import Server

from contracts.clock import utc_now
from contracts.envelope import decode, encode
from contracts.events import Receipt
from contracts.sequences import RangeSet
from contracts.tls import TlsFiles
from contracts.topics import Channel, Identity, device_topic


def until(condition: Callable[[], object], limit_s: float = 30.0) -> None:
    """Wait until `condition` holds; fail after `limit_s` seconds."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.02)


class GatewayProcess(Server):
    """`foodsentry gateway run` with settings of its own; ready when it answers HTTP."""

    def __init__(
        self,
        folder: Path,
        broker_port: int,
        ledger_url: str,
        *,
        series: str = 'api = "sqlite"\npath = "series.db"',
        intake: str = "",
        mqtt: str = "",
        alerts: str = "watch_every_s = 0.3",
        notify: str = "",
    ) -> None:
        super().__init__(folder)
        self.settings = folder / "gateway.toml"
        self.settings.write_text(
            f"""
[ledger]
url = "{ledger_url}"
[series]
{series}
[mqtt]
port = {broker_port}
keepalive_s = 5
{mqtt}
[intake]
retry_most_s = 0.5
{intake}
[alerts]
{alerts}
[http]
port = {self.port}
{notify}
""",
            "utf-8",
        )

    def command(self) -> list[str]:
        return [sys.executable, "-m", "foodsentry.cli", "gateway", "run", str(self.settings)]

    def ready(self) -> bool:
        try:
            self.health()
        except OSError:
            return False
        return True

    def health(self) -> tuple[int, dict[str, Any]]:
        """Status code and body of /healthz."""
        url = f"http://127.0.0.1:{self.port}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def well(self) -> bool:
        """Whether it says that it is."""
        return self.health()[0] == 200

    def metric(self, name: str) -> float:
        """A figure of /metrics; 0 if it is not there."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"foodsentry_gateway_{name} "):
                    return float(line.split()[-1])
        return 0.0


class SendingAgent:
    """Sends numbered events over real MQTT, again and again until each is receipted."""

    def __init__(
        self,
        port: int,
        who: Identity,
        *,
        resend_s: float = 1.0,
        window: int = 500,
        tls: TlsFiles | None = None,
        login: tuple[str, str] = ("", ""),
    ) -> None:
        self.who = who
        self.receipts = 0
        self._waiting: dict[int, tuple[str, bytes]] = {}
        self._sent_at: dict[int, float] = {}
        self._last = 0
        self._greeted = False
        self._resend_s = resend_s
        self._window = window
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{who.site}-{who.device}",
            protocol=mqtt.MQTTv5,
        )
        self._client.reconnect_delay_set(1, 2)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        if login[0]:
            self._client.username_pw_set(*login)
        if tls is not None:
            self._client.tls_set_context(tls.context())
        self._client.connect_async("127.0.0.1", port, clean_start=True)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def put(self, who: Identity, data: Any) -> int:
        """Number an event and keep it until it is receipted; returns its number."""
        with self._lock:
            self._last += 1
            channel = CHANNELS[type(data)]
            payload = encode(
                channel.value,
                who,
                data,
                event_id=f"e1-{self._last}",
                at=utc_now(),
                agent=self.who.device,
                epoch="e1",
                sequence=self._last,
            )
            self._waiting[self._last] = (device_topic(who, channel), payload)
            return self._last

    @property
    def unreceipted(self) -> int:
        """How many events wait."""
        return len(self._waiting)

    def __enter__(self) -> Self:
        self._client.loop_start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            now = time.monotonic()
            with self._lock:
                if not (self._greeted and self._client.is_connected()):
                    continue
                due = [
                    (number, *message)
                    for number, message in list(self._waiting.items())[: self._window]
                    if now - self._sent_at.get(number, -9.0) >= self._resend_s
                ]
                self._sent_at.update({number: now for number, _, _ in due})
            for _, topic, payload in due:
                self._client.publish(topic, payload, qos=1)

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(device_topic(self.who, Channel.RECEIPTS), qos=1)
        with self._lock:
            self._sent_at.clear()
            self._greeted = True

    def _on_message(self, _client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        receipt = decode(bytes(message.payload)).data
        assert isinstance(receipt, Receipt)
        with self._lock:
            self.receipts += 1
            for number in RangeSet(receipt.ranges):
                self._waiting.pop(number, None)
