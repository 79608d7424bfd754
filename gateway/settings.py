"""The gateway's settings: one TOML file, every key described, unknown keys refused."""

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.mqtt_settings import MqttSettings
from gateway.notify.settings import NotifySettings
from gateway.webhooks.settings import WebhookSettings
from ledger.settings import LedgerSettings
from timeseries.settings import SeriesSettings


class IntakeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How messages are taken in: what bounds a batch, and what may wait."""

    group: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{0,64}$",
            description="Name of the shared subscription; gateways of one city have the same. "
            "Empty: a plain subscription, for one gateway on a broker whose shared ones are faulty "
            "(rumqttd's are).",
        ),
    ] = "gateway"
    receive_maximum: Annotated[
        int,
        Meta(
            ge=1,
            le=65535,
            description="Messages that the broker may have under way to us without our "
            "acknowledgement. This is the back-pressure: what is not acknowledged stays at the "
            "broker. Times the size of messages, it is also the memory that they may take.",
        ),
    ] = 4000
    session_expiry_s: Annotated[
        int,
        Meta(
            ge=0,
            description="How long the broker keeps our session while we are away. Long enough for "
            "a restart, no longer: a gateway that never comes back holds up its share of the "
            "messages until its session ends, and each must be sent again by its edge.",
        ),
    ] = 300
    batch_messages: Annotated[
        int, Meta(ge=1, le=20_000, description="Most messages of one ledger transaction.")
    ] = 2000
    batch_age_s: Annotated[
        float,
        Meta(ge=0, le=5, description="Longest time a message waits for its batch to fill."),
    ] = 0.02
    series_queue_bytes: Annotated[
        int,
        Meta(
            ge=1,
            description="How much (in bytes as sent) may wait for the time-series store. Batches "
            "beyond that are dropped there and not receipted; the edge sends them again.",
        ),
    ] = 32_000_000
    receipt_every_s: Annotated[
        float,
        Meta(ge=0, le=5, description="How long stored numbers are gathered into one receipt."),
    ] = 0.1
    retry_most_s: Annotated[
        float,
        Meta(gt=0, description="Longest pause between tries when a store is down."),
    ] = 10.0


class AlertSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the alert rules are, and how often absence is looked for."""

    rules: Annotated[
        str,
        Meta(
            description="Rule file, or folder of *.toml rule files, relative to this settings "
            "file; empty: the starter rules that come with FoodSentry."
        ),
    ] = ""
    limits: Annotated[
        str,
        Meta(
            description="CSV file of the storage limits that rules name, relative to this "
            "settings file; empty: the one that comes with FoodSentry."
        ),
    ] = ""
    watch_every_s: Annotated[
        float,
        Meta(
            gt=0,
            le=300,
            description="How often silent devices and agents are looked for. (The list of "
            "registered devices is read anew each minute, and when an unknown one speaks.)",
        ),
    ] = 5.0
    gaps_every_s: Annotated[
        float,
        Meta(
            gt=0,
            le=3600,
            description="How often backlogs are judged, and what agents say of their numbers is "
            "compared with what was taken in.",
        ),
    ] = 30.0
    escalation: Annotated[
        str,
        Meta(
            description="Escalation policy, or folder of *.toml policies, relative to this "
            "settings file: how long an alert may wait for whom. Empty: the one that comes with "
            "FoodSentry."
        ),
    ] = ""
    calendars: Annotated[
        str,
        Meta(
            description="Folder of the working calendars cn_YYYY.toml, relative to this settings "
            "file; empty: the ones that come with FoodSentry."
        ),
    ] = ""
    casework: Annotated[
        str,
        Meta(
            description="Casework's data, a folder of *.toml, relative to this settings file: what "
            "ends a publication. Empty: the one that comes with FoodSentry."
        ),
    ] = ""
    indicators: Annotated[
        str,
        Meta(
            description="Definitions of indicators, a folder of *.toml, relative to this settings "
            "file, by which months are frozen. Empty: the one that comes with FoodSentry."
        ),
    ] = ""
    deadlines_every_s: Annotated[
        float,
        Meta(gt=0, le=60, description="How often deadlines of alerts are looked after."),
    ] = 5.0


class HttpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where /healthz and /metrics answer."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="TCP port; 0 takes any free one.")] = 8001


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that a gateway process needs to know."""

    ledger: Annotated[LedgerSettings, Meta(description="The book of record.")]
    series: Annotated[SeriesSettings, Meta(description="The time-series store.")]
    mqtt: Annotated[MqttSettings, Meta(description="The broker.")] = MqttSettings()
    intake: Annotated[IntakeSettings, Meta(description="Taking messages in.")] = IntakeSettings()
    alerts: Annotated[AlertSettings, Meta(description="Alert rules.")] = AlertSettings()
    notify: Annotated[NotifySettings, Meta(description="Telling people.")] = NotifySettings()
    webhooks: Annotated[WebhookSettings, Meta(description="Telling other systems.")] = (
        WebhookSettings()
    )
    http: Annotated[HttpSettings, Meta(description="Health and metrics.")] = HttpSettings()
