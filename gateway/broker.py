"""The only door to MQTT (paho): subscribe, hand messages over, acknowledge, publish.

How it keeps the promises:

* the session outlives us (`clean_start` off, session expiry), so that the broker keeps what comes
  while we are away; subscriptions are asked for anew at every connection, because a broker that
  lost its memory has lost them too;
* acknowledgement is manual: the owner calls `acknowledge` once a message is stored. What the broker
  may have under way unacknowledged (`receive_maximum`) bounds what waits in memory; since not every
  broker keeps to it, nothing is read while the owner's queue is `full`, and TCP holds up the rest;
* what we publish goes through a connection of its own: on the first one, the broker's answers stand
  in line behind whatever it sends us, and a backlog would hold up alerts and receipts;
* an acknowledgement belongs to one connection. After a reconnection message ids begin anew, so
  those of an older connection are not sent: the broker repeats these messages, and the repetition
  is harmless.

Callbacks run in paho's network thread: they only hand over. Publications and their
acknowledgements, of which there are tens of thousands in a second, pass by paho's own reading and
writing, which costs more than all the rest of intake: they are read from the same socket, and
written to the same queue, in bulk.
"""

import logging
import queue
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from contracts.clock import Clock
from contracts.envelope import MAX_PAYLOAD_BYTES
from contracts.mqtt_settings import MqttSettings
from contracts.tls import TlsFiles, asked_again
from contracts.tls_client import TlsClient
from gateway.buffered_socket import BufferedSocket
from gateway.packets import PUBACK, Malformed, Publication, write_pubacks

log = logging.getLogger(__name__)

RECONNECT_MOST_S = 20
OUTGOING_IN_FLIGHT = 200
PACKETS_A_TURN = 500
PAUSE_S = 0.005
"""How long nothing is read while the owner's queue is full, before it is asked again."""


class Inbound(msgspec.Struct, frozen=True):
    """A message as it came. `connection` and `mid` are what its acknowledgement needs."""

    topic: str
    payload: bytes
    received_at: datetime
    connection: int = 0
    mid: int = 0
    qos: int = 1
    retained: bool = False


class Outbound(msgspec.Struct, frozen=True):
    """A message to publish at QoS 1. An empty retained payload clears the topic."""

    topic: str
    payload: bytes
    retain: bool = False
    expiry_s: int = 0
    """The broker forgets it if it cannot hand it on within so many seconds; 0: never."""

    @property
    def properties(self) -> Properties | None:
        """What goes with it."""
        if not self.expiry_s:
            return None
        made = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        made.MessageExpiryInterval = self.expiry_s
        return made


class _Client(TlsClient, mqtt.Client):
    """paho's client with our TLS; it remembers of any error why connecting or reading failed."""

    answered = False
    """Whether the broker answered on this connection."""

    def _create_socket(self) -> Any:
        try:
            made: Any = super()._create_socket()
        except OSError as error:
            self._note(error)
            raise
        self.trouble, self.answered = "", False
        return made

    def _note(self, error: OSError) -> None:
        super()._note(error)
        self.trouble = self.trouble or error.strerror or str(error)


class _Receiver(_Client):
    """Reads publications, and acknowledges them, in bulk."""

    on_publications: Callable[[list[Publication]], None]
    full: Callable[[], bool]
    _reader: BufferedSocket | None = None

    def _create_socket(self) -> Any:
        self._reader = BufferedSocket(super()._create_socket())
        return self._reader

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Handle what can be had by reading from the kernel once."""
        reader = self._reader
        if self.full():
            self._last_bytes_received = time.monotonic()  # whose silence this is we know
            time.sleep(PAUSE_S)
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        for _ in range(PACKETS_A_TURN):
            if reader is None or self._sock is None:
                break
            try:
                taken = reader.publications()
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except EOFError:
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            except OSError as error:
                self._note(error)
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
            except Malformed as error:
                self._note(OSError(str(error)))
                return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
            if taken:
                self._last_bytes_received = time.monotonic()
                self.on_publications(taken)
            if not reader.whole_packet():
                break
            reason = self._packet_read()  # one of another kind
            if reason > 0:
                return self._loop_rc_handle(reason)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Send PUBACK for all of these packet ids."""
        self._packet_queue(PUBACK, write_pubacks(numbers), numbers[0], 1)


class Broker:
    """A connection that takes messages in and one that publishes, kept up by threads of their own.

    From `start` to `stop`.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        client_id: str,
        password: str | None,
        tls: TlsFiles | None,
        subscriptions: Sequence[str],
        receive_maximum: int,
        session_expiry_s: int,
        deliver: Callable[[list[Inbound]], None],
        full: Callable[[], bool],
        clock: Clock,
    ) -> None:
        """Prepare; connects to nothing yet."""
        self.settings = settings
        self.connection = 0
        """Number of the present connection; it grows at every connecting and disconnecting."""
        self.new_sessions = 0
        """How often the broker did not know us: it may have forgotten what was retained, too."""
        self.connected_at: datetime | None = None
        self.trouble = "not connected yet"
        """Why we are not receiving; empty while we are."""
        self._subscriptions = list(subscriptions)
        self._deliver = deliver
        self._clock = clock
        self._properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        self._properties.ReceiveMaximum = receive_maximum
        self._properties.SessionExpiryInterval = session_expiry_s
        self._properties.MaximumPacketSize = 2 * MAX_PAYLOAD_BYTES
        self._client = _Receiver(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=mqtt.MQTTv5,
            manual_ack=True,
        )
        self._client.full = full
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publications = self._on_publications
        self._sender = _Client(
            CallbackAPIVersion.VERSION2, client_id=f"{client_id}-out", protocol=mqtt.MQTTv5
        )
        self._sender.max_inflight_messages_set(OUTGOING_IN_FLIGHT)
        for client in (self._client, self._sender):
            self._prepare(client, password, tls)

    def _prepare(self, client: _Client, password: str | None, tls: TlsFiles | None) -> None:
        client.reconnect_delay_set(min_delay=1, max_delay=RECONNECT_MOST_S)
        if self.settings.username:
            client.username_pw_set(self.settings.username, password)
        client.tls = tls
        if tls is not None:
            client.tls_set_context(tls.context())

    def start(self) -> None:
        """Begin to connect, and keep trying until `stop`."""
        where, keepalive_s = (self.settings.host, self.settings.port), self.settings.keepalive_s
        self._sender.connect_async(*where, keepalive=keepalive_s, clean_start=True)
        self._client.connect_async(
            *where, keepalive=keepalive_s, clean_start=False, properties=self._properties
        )
        self._sender.loop_start()
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and end the threads. The session, and what is unacknowledged, stay."""
        for client in (self._client, self._sender):
            client.disconnect()
            client.loop_stop()

    def acknowledge(self, messages: Iterable[Inbound]) -> None:
        """Tell the broker that these messages are stored (PUBACK)."""
        present = self.connection
        numbers = [one.mid for one in messages if one.qos and one.connection == present]
        if numbers:
            self._client.acknowledge(numbers)

    def publish(self, messages: Iterable[Outbound]) -> bool:
        """Publish without waiting. False, and nothing is kept, while there is no connection."""
        if not self._sender.is_connected():
            return False
        for message in messages:
            self._sender.publish(message.topic, message.payload, qos=1, retain=message.retain)
        return True

    def publish_and_wait(self, messages: Iterable[Outbound], timeout_s: float) -> bool:
        """Publish and wait until the broker has acknowledged all of it; False if it did not."""
        if not self._sender.is_connected():
            return False
        waiting = [
            self._sender.publish(
                message.topic,
                message.payload,
                qos=1,
                retain=message.retain,
                properties=message.properties,
            )
            for message in messages
        ]
        try:
            for info in waiting:
                info.wait_for_publish(timeout_s)
        except (RuntimeError, ValueError):
            return False
        return all(info.is_published() for info in waiting)

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: Any,
        flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._client.answered = True
        if reason.is_failure:
            self.trouble = f"broker refuses the connection: {reason}"
            log.error("%s:%d: %s", self.settings.host, self.settings.port, self.trouble)
            return
        self.connection += 1
        if not flags.session_present:
            self.new_sessions += 1
        log.info(
            "connected to %s:%d, session %s",
            self.settings.host,
            self.settings.port,
            "resumed" if flags.session_present else "new",
        )
        client.subscribe([(topic, SubscribeOptions(qos=1)) for topic in self._subscriptions])

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: Any,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [
            f"{topic} ({reason})"
            for topic, reason in zip(self._subscriptions, reasons, strict=False)
            if reason.is_failure
        ]
        if refused:
            self.trouble = f"broker refuses subscriptions: {', '.join(refused)}"
            log.error("%s", self.trouble)
            return
        self.connected_at = self._clock()
        self.trouble = ""

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: Any) -> None:
        host, port = self.settings.host, self.settings.port
        trouble = f"broker {host}:{port} cannot be reached: {self._client.trouble}"
        if trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self.connection += 1
        self.connected_at = None
        answered, why = self._client.answered, self._client.trouble
        if not answered and not why and self._client.tls is not None:
            why = asked_again(self._client.tls, self.settings.host, self.settings.port)
        trouble = f"disconnected: {why or reason}"
        if not self.trouble or (not answered and trouble != self.trouble):
            self.trouble = trouble
            log.warning("%s:%d: %s", self.settings.host, self.settings.port, trouble)

    def _on_publications(self, publications: list[Publication]) -> None:
        now, connection = self._clock(), self.connection
        self._deliver(
            [
                Inbound(topic, payload, now, connection, number, qos, retained)
                for topic, payload, number, qos, retained in publications
            ]
        )


def publish_once(
    settings: MqttSettings,
    password: str | None,
    tls: TlsFiles | None,
    messages: Sequence[Outbound],
    timeout_s: float,
) -> str:
    """Publish over a connection made for it alone; returns why it failed, or nothing."""
    client = _Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.tls = tls
    if tls is not None:
        client.tls_set_context(tls.context())
    if settings.username:
        client.username_pw_set(settings.username, password)
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    client.on_connect = lambda _client, _data, _flags, reason, _properties: answers.put(
        str(reason) if reason.is_failure else ""
    )
    client.on_connect_fail = lambda _client, _data: answers.put(
        client.trouble or "it cannot be reached"
    )
    client.connect_async(settings.host, settings.port, keepalive=settings.keepalive_s)
    client.loop_start()
    try:
        trouble = answers.get(timeout=timeout_s)
        if trouble:
            return f"broker {settings.host}:{settings.port}: {trouble}"
        waiting = [client.publish(m.topic, m.payload, qos=1, retain=m.retain) for m in messages]
        for info in waiting:
            info.wait_for_publish(timeout_s)
        return "" if all(info.is_published() for info in waiting) else "no acknowledgement"
    except queue.Empty:
        return f"broker {settings.host}:{settings.port}: no answer within {timeout_s:g} s"
    except (RuntimeError, ValueError) as error:
        return f"broker {settings.host}:{settings.port}: {error}"
    finally:
        client.disconnect()
        client.loop_stop()
