"""Posts each message to a URL in Alertmanager's body, signed if a key is given."""

import hashlib
import hmac
from urllib.parse import urlsplit

import msgspec

from contracts.clock import Clock
from gateway.notify.channels.address import BadAddress, fill
from gateway.notify.channels.alertmanager import body_of
from gateway.notify.channels.channel import Failed, Message, Outcome
from gateway.notify.channels.http_post import post
from gateway.notify.channels.verdicts import Answer, of_answer, without
from gateway.notify.settings import WebhookSettings

SIGNATURE, TIMESTAMP = "X-FoodSentry-Signature", "X-FoodSentry-Timestamp"


class WebhookSecrets(msgspec.Struct, frozen=True):
    """What stands in files beside the settings."""

    url_part: str = ""
    bearer: str = ""
    signing: str = ""


class WebhookChannel:
    """One channel; nothing is kept between calls."""

    def __init__(
        self,
        settings: WebhookSettings,
        template: str,
        secrets: WebhookSecrets,
        *,
        console_url: str,
        ca_file: str = "",
        clock: Clock,
    ) -> None:
        """`template` is the URL, with {address} and {secret} still to be put in.

        Raises ValueError if it is none of http or https.
        """
        if urlsplit(template).scheme not in ("http", "https"):
            raise ValueError("is not an http or https URL")
        self._settings = settings
        self._template = template
        self._secrets = secrets
        self._console_url = console_url
        self._ca_file = ca_file
        self._clock = clock

    @property
    def name(self) -> str:
        return self._settings.name

    def send(self, message: Message) -> Outcome:
        settings = self._settings
        try:
            url = fill(self._template, message.address, self._secrets.url_part)
        except BadAddress as error:
            return Failed(str(error))
        made = body_of(
            message, settings.name, settings.language, self._console_url, settings.max_alerts
        )
        body = msgspec.json.encode(made)
        now = self._clock()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "FoodSentry",
            "Idempotency-Key": message.dedupe.encode("ascii", "backslashreplace").decode(),
        }
        if self._secrets.bearer:
            headers["Authorization"] = f"Bearer {self._secrets.bearer}"
        if self._secrets.signing:
            timestamp = str(int(now.timestamp()))
            headers[TIMESTAMP] = timestamp
            headers[SIGNATURE] = signature(self._secrets.signing, timestamp, body)
        told = post(url, body, headers, timeout_s=settings.timeout_s, ca_file=self._ca_file)
        outcome = of_answer(told, self._clock()) if isinstance(told, Answer) else told
        secrets = self._secrets
        return without(outcome, secrets.url_part, secrets.bearer, secrets.signing)

    def close(self) -> None:
        """Nothing is kept open."""


def signature(key: str, timestamp: str, body: bytes) -> str:
    """What a receiver computes anew and compares: HMAC-SHA-256 over timestamp, a dot, the body."""
    signed = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"
