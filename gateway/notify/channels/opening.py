"""Makes the channels that the settings name, with their secrets from files or the environment."""

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from contracts.clock import Clock
from contracts.settings import SettingsError, read_secret
from gateway.notify.channels.apprise_channel import AppriseChannel, BadUrl
from gateway.notify.channels.channel import Channel
from gateway.notify.channels.mqtt_notices import NAME as MQTT
from gateway.notify.channels.mqtt_notices import MqttChannel, Publish
from gateway.notify.channels.webhook import WebhookChannel, WebhookSecrets
from gateway.notify.channels.webpush import NAME as WEBPUSH
from gateway.notify.channels.webpush import Subscriptions, WebPushChannel
from gateway.notify.channels.webpush_crypto import BadKey, Vapid, read_key
from gateway.notify.settings import (
    AppriseSettings,
    Language,
    NotifySettings,
    WebhookSettings,
    WebPushSettings,
)

LEASE_MARGIN_S = 20.0
"""What a lease has to last beyond a channel's longest answer: waiting in line, and settling."""


class Opened(msgspec.Struct, frozen=True):
    """A channel, and how the sender is to treat it."""

    channel: Channel
    language: Language
    tries: int
    timeout_s: float
    queue: int


def open_channels(
    settings: NotifySettings,
    settings_file: Path,
    *,
    publish: Publish,
    subscriptions: Subscriptions,
    clock: Clock,
) -> dict[str, Opened]:
    """Every channel by its name. Raises SettingsError that names the key, never a secret."""
    opened: list[Opened] = []
    base = settings_file.absolute().parent
    for index, one in enumerate(settings.apprise):
        where = f"{settings_file}: notify.apprise[{index}]"
        template, secret = _url(one, where, base)
        try:
            made = AppriseChannel(one, template, secret, clock=clock)
        except BadUrl as error:
            raise SettingsError(f"{where}.url: {error}") from None
        opened.append(_opened(made, one))
    for index, hook in enumerate(settings.webhook):
        where = f"{settings_file}: notify.webhook[{index}]"
        template, part = _url(hook, where, base)
        secrets = WebhookSecrets(
            url_part=part,
            bearer=read_secret(hook.bearer_file, "", f"{where}.bearer_file", base=base) or "",
            signing=read_secret(hook.hmac_file, "", f"{where}.hmac_file", base=base) or "",
        )
        try:
            posted = WebhookChannel(
                hook,
                template,
                secrets,
                console_url=settings.console_url.rstrip("/"),
                ca_file=_ca_file(hook.ca_file, where, base),
                clock=clock,
            )
        except ValueError as error:
            raise SettingsError(f"{where}.url: {error}") from None
        opened.append(_opened(posted, hook))
    if settings.mqtt.enabled:
        notices = MqttChannel(settings.mqtt, publish, clock=clock)
        opened.append(_opened(notices, settings.mqtt))
    if settings.webpush.key_file:
        pushed = WebPushChannel(
            settings.webpush,
            read_vapid(settings.webpush, settings_file),
            subscriptions,
            ca_file=_ca_file(settings.webpush.ca_file, f"{settings_file}: notify.webpush", base),
            clock=clock,
        )
        opened.append(_opened(pushed, settings.webpush))
    for made_one in opened:
        if made_one.timeout_s + LEASE_MARGIN_S > settings.lease_s:
            raise SettingsError(
                f"{settings_file}: notify.lease_s: {settings.lease_s:g} is not enough for the"
                f" timeout_s of {made_one.channel.name}: {LEASE_MARGIN_S:g} s more are needed"
            )
    return _by_name(opened, settings_file)


def read_vapid(settings: WebPushSettings, settings_file: Path) -> Vapid:
    """Our key for web push. Raises SettingsError."""
    where = f"{settings_file}: notify.webpush"
    if settings.contact and not settings.contact.startswith(("mailto:", "https://")):
        raise SettingsError(f"{where}.contact: is neither mailto: nor https:")
    path = settings_file.absolute().parent / settings.key_file
    try:
        return Vapid(read_key(path), settings.contact)
    except OSError as error:
        raise SettingsError(f"{where}.key_file: {path}: {error.strerror}") from None
    except BadKey as error:
        raise SettingsError(f"{where}.key_file: {path}: {error}") from None


def _url(settings: AppriseSettings | WebhookSettings, where: str, base: Path) -> tuple[str, str]:
    """The URL's template, and what {secret} stands for."""
    if not settings.name:
        raise SettingsError(f"{where}.name: is missing")
    template = settings.url
    if settings.url_file:
        template = read_secret(settings.url_file, "", f"{where}.url_file", base=base) or ""
    if not template:
        raise SettingsError(f"{where}.url: is missing")
    if "{secret}" not in template:
        return template, ""
    variable = f"FOODSENTRY_NOTIFY_{settings.name.upper().replace('-', '_')}"
    secret = read_secret(settings.secret_file, variable, f"{where}.secret_file", base=base)
    if not secret:
        raise SettingsError(f"{where}.secret_file: is missing, and {variable} is not set")
    return template, secret


def _ca_file(name: str, where: str, base: Path) -> str:
    if not name:
        return ""
    path = base / name
    if not os.access(path, os.R_OK):
        raise SettingsError(f"{where}.ca_file: {path} cannot be read")
    return str(path)


class _Common(msgspec.Struct, frozen=True):
    language: Language
    tries: int
    timeout_s: float
    queue: int


def _opened(channel: Channel, settings: msgspec.Struct) -> Opened:
    common = msgspec.convert(settings, _Common, from_attributes=True)
    return Opened(channel, common.language, common.tries, common.timeout_s, common.queue)


def _by_name(opened: Sequence[Opened], settings_file: Path) -> dict[str, Opened]:
    found: dict[str, Opened] = {}
    for one in opened:
        if one.channel.name in found:
            raise SettingsError(
                f"{settings_file}: notify: two channels are called {one.channel.name!r}"
                f" ({MQTT} and {WEBPUSH} are names of our own)"
            )
        found[one.channel.name] = one
    return found
