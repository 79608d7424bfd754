"""What an evaluation asks of the ledger: raise an alert, or resolve one."""

from datetime import datetime
from typing import Any

import msgspec

from contracts.topics import Identity
from gateway.alerts.day_times import LOCAL
from gateway.alerts.rule import Rule
from gateway.alerts.wording import NOT_GIVEN_EN, NOT_GIVEN_ZH, cut, fill

__all__ = ["LOCAL", "Outcome", "Raise", "Resolve", "fingerprint", "place", "raising"]


class Raise(msgspec.Struct, frozen=True, kw_only=True):
    """Raise this alert, once per fingerprint."""

    fingerprint: str
    rule: Rule
    who: Identity
    at: datetime
    title_zh: str
    title_en: str
    summary_zh: str
    summary_en: str
    facts: dict[str, Any]
    result_id: str | None = None
    observation_id: str | None = None
    evidence: tuple[str, ...] = ()


class Resolve(msgspec.Struct, frozen=True, kw_only=True):
    """The data say that the alert of this fingerprint is over."""

    fingerprint: str
    at: datetime
    reason: str


Outcome = Raise | Resolve


def raising(
    rule: Rule,
    who: Identity,
    key: str,
    at: datetime,
    *,
    zh: dict[str, str],
    en: dict[str, str],
    facts: dict[str, Any],
    result_id: str | None = None,
    observation_id: str | None = None,
    evidence: tuple[str, ...] = (),
    of: str | None = None,
) -> Raise:
    """A Raise with the rule's templates filled; `key` tells this alert from the rule's others.

    `of` is whose alert it is where that is not the device, e.g. a supplier or a site.
    """
    return Raise(
        fingerprint=f"{rule.id}|{of}|{key}" if of else fingerprint(rule, who, key),
        rule=rule,
        who=who,
        at=at,
        title_zh=cut(fill(rule.title_zh, NOT_GIVEN_ZH, zh)),
        title_en=cut(fill(rule.title_en, NOT_GIVEN_EN, en)),
        summary_zh=cut(fill(rule.summary_zh, NOT_GIVEN_ZH, zh)),
        summary_en=cut(fill(rule.summary_en, NOT_GIVEN_EN, en)),
        facts=facts | ({"basis": rule.basis} if rule.basis else {}),
        result_id=result_id,
        observation_id=observation_id,
        evidence=evidence,
    )


def fingerprint(rule: Rule, who: Identity, key: str) -> str:
    """Two events with equal fingerprints belong to the same alert."""
    return f"{rule.id}|{who.source}|{key}"


def place(who: Identity, device_name: str) -> dict[str, str]:
    """The words that every template may use."""
    return {
        "region": who.region,
        "site": who.site,
        "device": who.device,
        "device_name": device_name or who.device,
    }
