"""The [notify] part of the gateway's settings: channels, tries, and where the console is."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.notify.pipeline_settings import PipelineSettings, RouteSettings

ChannelName = Annotated[str, Meta(pattern="^[a-z0-9_-]{0,32}$")]
Language = Literal["zh", "en"]


class AppriseSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel by an Apprise URL: WeCom, DingTalk, Feishu, SMS, e-mail, and the rest."""

    name: Annotated[
        ChannelName,
        Meta(description="What contacts call this channel (lower case letters, digits, _ and -)."),
    ] = ""
    url: Annotated[
        str,
        Meta(
            description="Apprise URL. {address} stands for the officer's address, {secret} for the "
            "secret of secret_file; both are put in percent-encoded."
        ),
    ] = ""
    url_file: Annotated[
        str, Meta(description="File that holds the whole URL instead, if all of it is secret.")
    ] = ""
    secret_file: Annotated[
        str,
        Meta(
            description="File that holds the secret part of the URL, relative to this settings "
            "file. Without it: the environment variable FOODSENTRY_NOTIFY_<NAME>."
        ),
    ] = ""
    language: Annotated[Language, Meta(description="Language of what is sent.")] = "zh"
    timeout_s: Annotated[
        float, Meta(gt=0, le=300, description="Longest wait for the service's answer.")
    ] = 15.0
    body_limit: Annotated[
        int,
        Meta(ge=40, description="Most bytes (UTF-8) of title and text together; cut beyond."),
    ] = 1500
    tries: Annotated[
        int, Meta(ge=1, le=50, description="Tries before the recipient's next contact is used.")
    ] = 4
    queue: Annotated[
        int, Meta(ge=1, le=10_000, description="Messages that may wait in memory for this channel.")
    ] = 100


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One channel that posts Alertmanager's body (version 4) to a URL."""

    name: Annotated[
        ChannelName, Meta(description="What contacts and routes call this channel.")
    ] = ""
    url: Annotated[
        str,
        Meta(description="http(s) URL. {address} and {secret} are put in as with Apprise."),
    ] = ""
    url_file: Annotated[
        str, Meta(description="File that holds the whole URL instead, if all of it is secret.")
    ] = ""
    secret_file: Annotated[
        str, Meta(description="As for Apprise: what {secret} stands for in the URL.")
    ] = ""
    bearer_file: Annotated[
        str, Meta(description="File with a token that is sent as Authorization: Bearer.")
    ] = ""
    hmac_file: Annotated[
        str,
        Meta(
            description="File with a key: every body is signed with it, HMAC-SHA-256, in the "
            "header X-FoodSentry-Signature (sha256=… over timestamp, a dot, and the body)."
        ),
    ] = ""
    ca_file: Annotated[
        str, Meta(description="CA certificate (PEM) of the receiver, if it is none of the usual.")
    ] = ""
    language: Annotated[Language, Meta(description="Language of the annotations.")] = "zh"
    max_alerts: Annotated[
        int, Meta(ge=0, description="Most alerts in one body (truncatedAlerts); 0: no bound.")
    ] = 100
    timeout_s: Annotated[
        float, Meta(gt=0, le=300, description="Longest wait for the receiver's answer.")
    ] = 10.0
    tries: Annotated[
        int, Meta(ge=1, le=50, description="Tries before the recipient's next contact is used.")
    ] = 8
    queue: Annotated[
        int, Meta(ge=1, le=10_000, description="Messages that may wait in memory for this channel.")
    ] = 100


class MqttNoticeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The channel "mqtt": notices for duty-room displays on fs/v1/{region}/{site}/notices/…."""

    enabled: Annotated[bool, Meta(description="Whether there is a channel called mqtt.")] = True
    language: Annotated[Language, Meta(description="Language of title and text.")] = "zh"
    timeout_s: Annotated[
        float, Meta(gt=0, le=60, description="Longest wait for the broker's acknowledgement.")
    ] = 5.0
    tries: Annotated[
        int, Meta(ge=1, le=50, description="Tries before the recipient's next contact is used.")
    ] = 8
    queue: Annotated[
        int, Meta(ge=1, le=10_000, description="Messages that may wait in memory for this channel.")
    ] = 500


class WebPushSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The channel "webpush": the browsers in which an officer has turned notifications on."""

    key_file: Annotated[
        str,
        Meta(
            description="Private VAPID key (PEM), relative to this settings file; made by "
            "`foodsentry gateway vapid-key`. Empty: no such channel."
        ),
    ] = ""
    contact: Annotated[
        str,
        Meta(
            description="mailto: or https: address of whoever runs this, which push services may "
            "ask about it (RFC 8292)."
        ),
    ] = ""
    services: Annotated[
        tuple[str, ...],
        Meta(
            description="Hosts of push services that may be called; *.host covers what lies below "
            "it. Browsers name the endpoint, so that without this list an account could make the "
            "gateway call any machine."
        ),
    ] = (
        "fcm.googleapis.com",
        "*.push.services.mozilla.com",
        "*.push.apple.com",
        "*.notify.windows.com",
    )
    ca_file: Annotated[
        str, Meta(description="CA certificate (PEM) of a push service of one's own.")
    ] = ""
    language: Annotated[Language, Meta(description="Language of title and text.")] = "zh"
    ttl_s: Annotated[
        int,
        Meta(
            ge=0, le=2_419_200, description="How long a push service keeps a message for a browser."
        ),
    ] = 14_400
    timeout_s: Annotated[
        float, Meta(gt=0, le=300, description="Longest wait for a push service's answer.")
    ] = 10.0
    tries: Annotated[
        int, Meta(ge=1, le=50, description="Tries before the recipient's next contact is used.")
    ] = 4
    queue: Annotated[
        int, Meta(ge=1, le=10_000, description="Messages that may wait in memory for this channel.")
    ] = 200


class NotifySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told how."""

    enabled: Annotated[
        bool, Meta(description="Whether this gateway sends notifications (several may).")
    ] = True
    console_url: Annotated[
        str,
        Meta(
            description="Address of the console as officers reach it, for links; empty: no links."
        ),
    ] = ""
    at_once: Annotated[
        int,
        Meta(
            ge=1,
            le=5,
            description="By how many of a recipient's contacts an alert of class 1 goes out at the "
            "same time; 1: one after the other, as all else.",
        ),
    ] = 2
    lease_s: Annotated[
        float,
        Meta(
            ge=5,
            le=3600,
            description="After how long without an outcome another gateway takes a message over.",
        ),
    ] = 120.0
    poll_s: Annotated[
        float, Meta(gt=0, le=60, description="How often the ledger is asked for what is due.")
    ] = 1.0
    retry_first_s: Annotated[
        float, Meta(gt=0, description="Pause before the second try; it doubles from there.")
    ] = 5.0
    retry_most_s: Annotated[float, Meta(gt=0, description="Longest pause between tries.")] = 300.0
    apprise: Annotated[
        tuple[AppriseSettings, ...], Meta(description="Channels by Apprise URL.")
    ] = ()
    webhook: Annotated[tuple[WebhookSettings, ...], Meta(description="Webhooks.")] = ()
    mqtt: Annotated[MqttNoticeSettings, Meta(description="Notices on MQTT.")] = MqttNoticeSettings()
    webpush: Annotated[WebPushSettings, Meta(description="Web push.")] = WebPushSettings()
    routes: Annotated[
        tuple[RouteSettings, ...], Meta(description="Whom else alerts are told.")
    ] = ()
    pipeline: Annotated[PipelineSettings, Meta(description="When what is told.")] = (
        PipelineSettings()
    )
