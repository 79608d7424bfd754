"""The one door to paho: a single MQTT 5 connection that tells what happens to it as events.

A link lives for one connection; the outbox is the session's memory, so a broken link is thrown
away and a new one made, and nothing is resent behind the planner's back. The network thread only
hands events over.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable

import msgspec
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from contracts.tls import TlsFiles, asked_again, tls_problem
from contracts.tls_client import TlsClient
from contracts.topics import Identity

logger = logging.getLogger(__name__)


class Endpoint(msgspec.Struct, frozen=True):
    """Where and as whom to connect."""

    host: str
    port: int
    client_id: str
    username: str
    password: str | None
    tls: TlsFiles | None
    keepalive_s: int
    session_expiry_s: int


NO_MATCHING_SUBSCRIBERS = 0x10
"""Reason code of an acknowledgement (MQTT 5, 3.4.2.1)."""


class Message(msgspec.Struct, frozen=True):
    """A message that arrived, with the monotonic time of its arrival in seconds."""

    topic: str
    payload: bytes
    arrived: float


def client_id_of(who: Identity) -> str:
    """An agent's client id, unless its settings name another."""
    return f"fs-{who.region}-{who.site}-{who.device}"


class Up(msgspec.Struct, frozen=True):
    """The broker let us in."""

    session_present: bool
    receive_maximum: int
    packet_maximum: int | None


class Down(msgspec.Struct, frozen=True):
    """The connection failed, was refused or has ended; the link is of no more use."""

    reason: str


class Subscribed(msgspec.Struct, frozen=True):
    """The broker's answer to our subscription; an empty problem means that it stands."""

    problem: str


class Acknowledged(msgspec.Struct, frozen=True):
    """The broker's answer to one message; an empty problem means that it took it."""

    mid: int
    problem: str
    arrived: float
    heard: bool = True
    """False if the broker said that nobody subscribes to it."""


LinkEvent = Up | Down | Subscribed | Acknowledged | Message


class _Client(TlsClient, Client):
    """paho's client with our TLS."""


class Link:
    """One connection. `emit` is called from the network thread and must not block."""

    def __init__(
        self,
        endpoint: Endpoint,
        will: tuple[str, bytes] | None,
        subscription: str,
        emit: Callable[[LinkEvent], None],
        further: tuple[str, ...] = (),
    ) -> None:
        """Prepare; `further` is subscribed to besides, and may be refused without harm.

        Raises OSError or ValueError for a TLS file that cannot be used.
        """
        self._endpoint = endpoint
        self._subscription = subscription
        self._further = further
        self._emit = emit
        self._closed = threading.Event()
        self._ended = threading.Event()
        self._answered = False
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=endpoint.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = 10.0
        client.max_queued_messages_set(0)
        client.max_inflight_messages_set(0)  # the window is the planner's
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        if endpoint.username:
            client.username_pw_set(endpoint.username, endpoint.password)
        client.tls = endpoint.tls
        if endpoint.tls is not None:
            client.tls_set_context(endpoint.tls.context())
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._client = client

    def open(self) -> None:
        """Begin to connect in the background; `Up` or `Down` follows."""
        threading.Thread(target=self._connect, name="uplink-connect", daemon=True).start()

    def _connect(self) -> None:
        problem = self._dial()
        if problem:
            self._end(problem)
            return
        self._client.loop_start()
        if self._closed.is_set():
            self._client.disconnect()

    def _dial(self) -> str:
        """Connect, which may block; returns why it failed, or an empty text."""
        end = self._endpoint
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = end.session_expiry_s
        try:
            self._client.connect(
                end.host, end.port, end.keepalive_s, clean_start=False, properties=properties
            )
        except (OSError, ValueError) as error:
            detail = tls_problem(error, end.host) or getattr(error, "strerror", None) or error
            return f"cannot reach the broker {end.host}:{end.port}: {detail}"
        return ""

    def publish(
        self, topic: str, payload: bytes, *, retain: bool = False, expiry_s: int = 0
    ) -> int | None:
        """Send with QoS 1; returns the packet id, or None if the link is down.

        With `expiry_s` the broker forgets it if it cannot hand it on within so many seconds.
        """
        properties = None
        if expiry_s:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.MessageExpiryInterval = expiry_s
        info = self._client.publish(topic, payload, qos=1, retain=retain, properties=properties)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    def close(self) -> None:
        """Say good-bye (the last will stays unsent) and end the network thread, within a second."""
        self._closed.set()
        self._client.disconnect()

    def abandon(self) -> None:
        """Drop a connection that no longer answers; the broker will send the last will."""
        self._closed.set()
        connection = self._client.socket()
        if isinstance(connection, socket.socket):  # an SSLSocket is one, too
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _end(self, reason: str) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._emit(Down(reason))

    # Called by paho, in its thread

    def _on_connect(
        self,
        client: Client,
        _userdata: object,
        flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._answered = True
        if code.is_failure:
            self._end(f"the broker refuses us as {self._name()}: {code}")
            return
        receive_maximum = getattr(properties, "ReceiveMaximum", 65535)
        client.subscribe([(one, SubscribeOptions(qos=1)) for one in self._asked()])
        self._emit(
            Up(
                flags.session_present,
                receive_maximum,
                getattr(properties, "MaximumPacketSize", None),
            )
        )

    def _asked(self) -> tuple[str, ...]:
        return (self._subscription, *self._further)

    def _name(self) -> str:
        return f"client {self._endpoint.client_id!r}, user {self._endpoint.username!r}"

    def _on_disconnect(
        self,
        _client: Client,
        _userdata: object,
        flags: DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._end(f"the broker ended the connection of {self._name()}: {code}")
        else:
            why = self._client.trouble
            if self._endpoint.tls is not None and not self._answered and not why:
                why = asked_again(self._endpoint.tls, self._endpoint.host, self._endpoint.port)
            self._end(f"connection lost ({why or code})")

    def _on_publish(
        self,
        _client: Client,
        _userdata: object,
        mid: int,
        code: ReasonCode,
        _properties: Properties,
    ) -> None:
        problem = str(code) if code.is_failure else ""
        heard = code.value != NO_MATCHING_SUBSCRIBERS
        self._emit(Acknowledged(mid, problem, time.monotonic(), heard))

    def _on_subscribe(
        self,
        _client: Client,
        _userdata: object,
        _mid: int,
        codes: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        self._emit(Subscribed(f"{self._subscription}: {codes[0]}" if codes[0].is_failure else ""))
        for topic, code in zip(self._further, codes[1:], strict=False):
            if code.is_failure:
                logger.warning("the broker refuses us %s: %s", topic, code)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        self._emit(Message(message.topic, bytes(message.payload), time.monotonic()))
