"""Messages of the made-up district: who was told of which alert by which channel, or why not."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from foodsentry.district.lives import Life
from ledger.bulk import to_json

COLUMNS = (
    *("id", "dedupe", "kind", "alert_ids", "parts", "group_key", "severity", "level"),
    *("recipient", "route", "title_zh", "title_en", "body_zh", "body_en", "region", "site"),
    *("state", "reason", "stop", "hold", "channel", "attempts", "created_at", "due_at"),
    *("changed_at", "sent_at", "owner"),
)
LINK_COLUMNS = ("alert_id", "notification_id")
_CHANNELS = ("wecom", "wecom", "sms", "webpush", "email")


def message_rows(one: Life, number: int) -> Iterator[tuple[Any, ...]]:
    """The messages that it made, numbered from `number` on; grave ones go to the county, too."""
    told = [one.town] if one.kind.severity > 1 else [one.town, one.county]
    for offset, recipient in enumerate(told):
        turn = (one.number + offset) % 20
        state, reason, hold = "sent", "", ""
        if turn == 7:
            state, reason, hold = "held", "超出当日额度 / over the day's budget", "day"
        elif turn == 11:
            state, reason = "failed", "企业微信应答 HTTP 500"
        at = one.raised_at + timedelta(seconds=2 + turn)
        sent_at = at if state == "sent" else None
        zh, en = one.titles
        yield (
            number + offset, f"{one.alert_id}|{recipient}", "alert", to_json([one.alert_id]), "[]",
            "", int(one.kind.severity), 0, recipient, "", zh, en, one.place.name, one.place.name,
            one.who.region, one.who.site, state, reason, "", hold,
            _CHANNELS[turn % len(_CHANNELS)] if sent_at else "", int(state != "held"),
            at, at, at, sent_at, "",
        )  # fmt: skip
