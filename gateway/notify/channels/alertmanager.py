"""The body that Prometheus Alertmanager posts to webhooks, version 4, made of our alerts.

Fields and their meaning: Alertmanager's documentation of `webhook_config`. What reads its webhooks
reads this: `alertname` is the rule, `severity` the usual three words, `fingerprint` the
alert's id, by which its firing and its end belong together. Values of labels and annotations are
text, as there.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from contracts.words import AlertState, Severity
from gateway.notify.channels.channel import Message
from gateway.notify.settings import Language
from ledger.alert_types import AlertRow

NEVER = "0001-01-01T00:00:00Z"
"""The end of what has not ended: Go's zero time, as Alertmanager writes it."""
WORDS = {Severity.AT_ONCE: "critical", Severity.DEADLINE: "warning", Severity.GUIDANCE: "info"}

Texts = dict[str, str]


class WebhookAlert(msgspec.Struct, frozen=True, rename="camel"):
    """One alert of the body."""

    status: str
    labels: Texts
    annotations: Texts
    starts_at: str
    ends_at: str
    generator_url: str = msgspec.field(name="generatorURL")
    fingerprint: str = ""


class WebhookBody(msgspec.Struct, frozen=True, rename="camel"):
    """The whole body."""

    version: str
    group_key: str
    truncated_alerts: int
    status: str
    receiver: str
    group_labels: Texts
    common_labels: Texts
    common_annotations: Texts
    external_url: str = msgspec.field(name="externalURL")
    alerts: Sequence[WebhookAlert] = ()


def body_of(
    message: Message, receiver: str, language: Language, console_url: str, max_alerts: int
) -> WebhookBody:
    """The body for one message; what has no alert of its own is one by itself."""
    language = message.language or language
    rows = message.alerts[:max_alerts] if max_alerts else message.alerts
    if rows:
        alerts = [_alert(row, message, language, console_url) for row in rows]
    else:
        alerts = [_notice(message)]
    firing = any(one.status == "firing" for one in alerts)
    return WebhookBody(
        version="4",
        group_key=message.group_key or f"{{}}:{{dedupe={message.dedupe!r}}}",
        truncated_alerts=len(message.alerts) - len(rows) + message.left_out,
        status="firing" if firing else "resolved",
        receiver=receiver,
        group_labels=_common([_grouped(one.labels) for one in alerts]),
        common_labels=_common([one.labels for one in alerts]),
        common_annotations=_common([one.annotations for one in alerts]),
        external_url=console_url,
        alerts=alerts,
    )


def _alert(row: AlertRow, message: Message, language: Language, console_url: str) -> WebhookAlert:
    chinese = language == "zh"
    over = row.resolved_at or row.closed_at
    ended = row.state is AlertState.CLOSED or row.resolved_at is not None
    basis = row.facts.get("basis")
    return WebhookAlert(
        status="resolved" if ended else "firing",
        labels={
            "alertname": row.rule,
            "severity": WORDS[row.severity],
            "class": str(int(row.severity)),
            "region": row.region,
            "site": row.site,
            "device": row.device,
            "establishment": row.establishment_id or "",
            "rule_version": row.rule_version,
        },
        annotations={
            "summary": row.title_zh if chinese else row.title_en,
            "description": row.summary_zh if chinese else row.summary_en,
            "state": row.state.value,
            "kind": message.kind,
            "basis": basis if isinstance(basis, str) else "",
        },
        starts_at=_time(row.raised_at),
        ends_at=_time(over or row.changed_at) if ended else NEVER,
        generator_url=f"{console_url}/alerts/{row.alert_id}" if console_url else "",
        fingerprint=row.alert_id,
    )


def _notice(message: Message) -> WebhookAlert:
    """A digest, a notice or a test, which existing receivers know only as an alert."""
    return WebhookAlert(
        status="resolved" if message.kind == "resolved" else "firing",
        labels={
            "alertname": f"foodsentry_{message.kind}",
            "severity": WORDS[message.severity],
            "class": str(int(message.severity)),
            "region": message.region,
            "site": message.site,
        },
        annotations={
            "summary": message.title,
            "description": message.body,
            "kind": message.kind,
        },
        starts_at=_time(message.at),
        ends_at=NEVER,
        generator_url=message.url,
        fingerprint=message.dedupe,
    )


def _grouped(labels: Mapping[str, str]) -> Texts:
    return {name: labels[name] for name in ("alertname", "site") if labels.get(name)}


def _common(every: Sequence[Mapping[str, str]]) -> Texts:
    """What all of them say alike."""
    first, *others = every
    return {
        name: text for name, text in first.items() if all(one.get(name) == text for one in others)
    }


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
