"""Publishes each message as a notice on MQTT, for displays in duty rooms.

Topic fs/v1/{region}/{site}/notices/{id}, not retained: a notice is news, the state of an alert is
retained elsewhere. What concerns no single site stands under "-".
"""

import hashlib
from collections.abc import Callable

from contracts.clock import Clock
from contracts.envelope import encode
from contracts.events import Notice
from contracts.topics import Identity, checked_segment, notice_topic
from gateway.broker import Outbound
from gateway.notify.channels.channel import Message, Outcome, Retry, Sent
from gateway.notify.channels.text import text_for
from gateway.notify.settings import MqttNoticeSettings

NAME = "mqtt"
TEXT_MOST = 4000
NOWHERE = "-"

Publish = Callable[[list[Outbound], float], bool]


class MqttChannel:
    """One channel, on the gateway's own connection."""

    def __init__(self, settings: MqttNoticeSettings, publish: Publish, *, clock: Clock) -> None:
        self._settings = settings
        self._publish = publish
        self._clock = clock

    @property
    def name(self) -> str:
        return NAME

    def send(self, message: Message) -> Outcome:
        if self._publish([self._outbound(message)], self._settings.timeout_s):
            return Sent()
        return Retry("the broker does not take it")

    def close(self) -> None:
        """The connection is the gateway's."""

    def _outbound(self, message: Message) -> Outbound:
        region, site = message.region or NOWHERE, message.site or NOWHERE
        notice_id = hashlib.sha256(message.dedupe.encode()).hexdigest()[:20]
        text = text_for(message, self._settings.language, TEXT_MOST)
        notice = Notice(
            notice_id=notice_id,
            kind=message.kind,
            severity=message.severity,
            title=text.title,
            text=text.body,
            language=message.language or self._settings.language,
            made_at=message.at,
            url=message.url,
            recipient=message.recipient,
            alerts=tuple(one.alert_id for one in message.alerts),
        )
        who = Identity(checked_segment("region", region), checked_segment("site", site), "gateway")
        payload = encode("notices", who, notice, event_id=notice_id, at=self._clock())
        return Outbound(notice_topic(region, site, notice_id), payload)
