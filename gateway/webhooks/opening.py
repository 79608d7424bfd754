"""Opens the deliverer of webhooks as the settings say."""

import ssl
from pathlib import Path

from contracts.clock import Clock
from contracts.hook_url import read_networks
from contracts.settings import SettingsError
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.webhooks.deliverer import Deliverer
from gateway.webhooks.settings import WebhookSettings
from ledger.engine import Engine


def open_deliverer(
    settings: WebhookSettings,
    settings_file: Path,
    engine: Engine,
    *,
    name: str,
    group: str,
    metrics: Metrics,
    health: Health,
    clock: Clock,
) -> Deliverer:
    """A deliverer that is not begun yet. Raises SettingsError."""
    try:
        read_networks(settings.allow_networks)
    except ValueError as error:
        raise SettingsError(f"webhooks.allow_networks: {error}") from None
    tls = None
    if settings.ca_file:
        path = settings_file.parent / settings.ca_file
        try:
            tls = ssl.create_default_context(cafile=str(path))
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"webhooks.ca_file: {path}: {error}") from None
    return Deliverer(
        engine,
        settings,
        name=name,
        group=group,
        metrics=metrics,
        health=health,
        clock=clock,
        tls=tls,
    )
