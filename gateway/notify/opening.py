"""Puts a gateway's sender together from its settings."""

from functools import partial
from pathlib import Path

from contracts.clock import Clock
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify.browsers import LedgerBrowsers
from gateway.notify.channels.mqtt_notices import Publish
from gateway.notify.channels.opening import open_channels, read_vapid
from gateway.notify.sender import Sender
from gateway.notify.settings import NotifySettings
from ledger import push_subscriptions
from ledger.engine import Engine, reading, writing


def open_sender(
    settings: NotifySettings,
    settings_file: Path,
    engine: Engine,
    *,
    publish: Publish,
    name: str,
    metrics: Metrics,
    health: Health,
    clock: Clock,
) -> Sender:
    """The sender, not running yet. Raises SettingsError."""
    channels = open_channels(
        settings,
        settings_file,
        publish=publish,
        subscriptions=LedgerBrowsers(engine, clock),
        clock=clock,
    )
    prepare = None
    if settings.webpush.key_file:
        public_key = read_vapid(settings.webpush, settings_file).public_key
        prepare = partial(tell_server_key, engine, public_key, clock)
    return Sender(
        engine,
        channels,
        settings,
        routes={route.name: route.channels for route in settings.routes},
        prepare=prepare,
        name=name,
        metrics=metrics,
        health=health,
        clock=clock,
    )


def tell_server_key(engine: Engine, public_key: str, clock: Clock) -> None:
    """Keep our public key for web push where the console finds it. Raises LedgerDown."""
    with reading(engine) as conn:
        known = push_subscriptions.server_key(conn)
    if known != public_key:
        with writing(engine) as conn:
            push_subscriptions.keep_server_key(conn, public_key, clock())
