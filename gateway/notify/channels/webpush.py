"""Web push (RFC 8030): to every browser in which an officer has turned notifications on.

A browser whose push service says that it is gone is forgotten. It counts as sent if one browser's
push service took the message.
"""

import hashlib
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from contracts.clock import Clock
from contracts.words import Severity
from gateway.notify.channels.channel import Failed, Message, Outcome, Retry, Sent
from gateway.notify.channels.http_post import post
from gateway.notify.channels.text import text_for
from gateway.notify.channels.verdicts import Answer, of_answer
from gateway.notify.channels.webpush_crypto import (
    BadKey,
    Vapid,
    base64url,
    encrypt,
    from_base64url,
)
from gateway.notify.settings import WebPushSettings
from ledger.engine import LedgerDown
from ledger.push_subscriptions import PushSubscription

NAME = "webpush"
GONE = frozenset({404, 410})
TEXT_MOST = 1200
"""Bytes of title and text: what a browser shows is less, and the rest of the payload has room."""
_URGENCY = {Severity.AT_ONCE: "high", Severity.DEADLINE: "normal", Severity.GUIDANCE: "low"}


class Subscriptions(Protocol):
    """The browsers, as the ledger keeps them."""

    def of_officer(self, officer_id: str) -> Sequence[PushSubscription]:
        """An officer's browsers. Raises LedgerDown."""

    def gone(self, one: PushSubscription) -> None:
        """Forget it."""

    def noted(self, one: PushSubscription, failure: str = "") -> None:
        """Its push service took a message, or refused it."""


class Payload(msgspec.Struct, frozen=True):
    """What the console's service worker is told."""

    title: str
    body: str
    url: str
    tag: str
    """Same tag, same notification on the screen: a later one takes its place."""
    kind: str
    severity: int


class WebPushChannel:
    """One channel; nothing is kept between calls."""

    def __init__(
        self,
        settings: WebPushSettings,
        vapid: Vapid,
        subscriptions: Subscriptions,
        *,
        ca_file: str = "",
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._vapid = vapid
        self._subscriptions = subscriptions
        self._ca_file = ca_file
        self._clock = clock

    @property
    def name(self) -> str:
        return NAME

    def send(self, message: Message) -> Outcome:
        try:
            browsers = self._subscriptions.of_officer(message.recipient)
        except LedgerDown:
            return Retry("the ledger is away")
        if not browsers:
            return Failed("no browser of this officer takes notifications")
        payload = msgspec.json.encode(self._payload(message))
        outcomes = [self._send_to(one, payload, message) for one in browsers]
        taken = sum(isinstance(one, Sent) for one in outcomes)
        if taken:
            return Sent(f"{taken} of {len(outcomes)} browsers")
        for outcome in outcomes:
            if isinstance(outcome, Retry):
                return outcome
        return outcomes[0]

    def close(self) -> None:
        """Nothing is kept open."""

    def _payload(self, message: Message) -> Payload:
        text = text_for(message, self._settings.language, TEXT_MOST)
        return Payload(
            title=text.title,
            body=text.body,
            url=message.url if len(message.url) <= 512 else "",
            tag=_short(message.group_key or message.dedupe),
            kind=message.kind,
            severity=int(message.severity),
        )

    def _send_to(self, one: PushSubscription, payload: bytes, message: Message) -> Outcome:
        parts = urlsplit(one.endpoint)
        if parts.scheme != "https" or not allowed(parts.hostname or "", self._settings.services):
            return Failed("the browser's push service is none of notify.webpush.services")
        if one.server_key and one.server_key != self._vapid.public_key:
            self._subscriptions.gone(one)
            return Failed("the browser trusts an older key of ours; forgotten")
        now = self._clock()
        try:
            body = encrypt(payload, from_base64url(one.p256dh), from_base64url(one.auth))
        except BadKey as error:
            self._subscriptions.gone(one)
            return Failed(str(error))
        headers = {
            "Authorization": self._vapid.header(f"{parts.scheme}://{parts.netloc}", now),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self._settings.ttl_s),
            "Urgency": _URGENCY[message.severity],
            "Topic": _short(message.dedupe),
        }
        timeout_s, ca_file = self._settings.timeout_s, self._ca_file
        answer = post(one.endpoint, body, headers, timeout_s=timeout_s, ca_file=ca_file)
        if not isinstance(answer, Answer):
            return answer
        if answer.status in GONE:
            self._subscriptions.gone(one)
            return Failed(f"HTTP {answer.status}: the browser is gone; forgotten")
        outcome = of_answer(answer, self._clock())
        self._subscriptions.noted(one, "" if isinstance(outcome, Sent) else outcome.reason)
        return outcome


def allowed(host: str, services: Sequence[str]) -> bool:
    """Whether that push service may be called: by its name, or *.name for what lies below."""
    host = host.lower()
    return any(
        host.endswith(one[1:]) and len(host) > len(one) - 1 if one.startswith("*.") else host == one
        for one in services
    )


def _short(text: str) -> str:
    """At most 32 characters of base64url, as a Topic must be."""
    return base64url(hashlib.sha256(text.encode()).digest()[:18])
