"""What an expression can ask of an event: the names, and how they are filled from a fact.

Every channel has its names; a field that a fact may lack is null there. A censored value ("<5.0")
has no `value`: it has a `comparator` and a `bound`.
"""

from datetime import datetime
from typing import Any

from contracts.events import Observation, TestResult
from gateway.alerts.day_times import LOCAL
from ledger.devices import Device

Fields = dict[str, Any]

COMMON: Fields = {
    "region": "440703",
    "site": "market1",
    "device": "reader1",
    "device_kind": "pesticide_reader",
    "device_name": "",
    "site_kind": "testing_room",
    "establishment_kind": "market",
}
TIME: Fields = {"hour": 9.5, "weekday": 1}
SAMPLES: dict[str, Fields] = {
    "tests": COMMON
    | TIME
    | {
        "item": "农药残留",
        "item_code": "pesticide_inhibition",
        "verdict": "pass",
        "value": 12.5,
        "text": "12.5",
        "comparator": "",
        "bound": 5.0,
        "unit": "%",
        "qualitative": "",
        "instrument_verdict": "",
        "limit": "< 50 %",
        "sample": "菜心",
        "sample_number": "7",
        "stall": "A12",
        "lot": "",
        "supplier": "",
        "origin": "",
        "operator": "",
        "record_number": 7,
        "clock_offset_s": 1.5,
        "flags": ["x"],
    },
    "observations": COMMON
    | TIME
    | {
        "kind": "no_hat",
        "zone": "",
        "zone_kind": "cooking",
        "people": 1,
        "tracks": 1,
        "stretches": 1,
        "confidence": 0.9,
        "reason": "",
    },
    "readings": COMMON
    | TIME
    | {"metric": "temperature", "value": 4.0, "unit": "Cel", "quality": "good"},
    "device": COMMON
    | {
        "state": "online",
        "state_detail": "",
        "backlog": 3,
        "oldest_unsent_age_s": 1.5,
        "outbox_bytes": 10,
        "thinned": 0,
        "discarded_bytes": 0,
        "clock_offset_s": 1.5,
        "software": "",
        "figures": {"x": 1.5},
        "silent_s": 1.5,
        "backlog_grown": 0,
        "thinned_grown": 0,
        "discarded_grown": 0,
    },
}
"""Channel → an event with every field. `device`: what a device says of itself."""
MAY_BE_NULL: dict[str, tuple[str, ...]] = {
    "tests": ("value", "bound", "record_number", "clock_offset_s"),
    "observations": (),
    "readings": (),
    "device": ("clock_offset_s",),
}


def samples(channel: str) -> list[Fields]:
    """Events to check an expression with: one with every field, one with all that may be null."""
    whole = SAMPLES[channel]
    return [whole, whole | dict.fromkeys(MAY_BE_NULL[channel])]


def place_fields(device: Device) -> Fields:
    """The fields of whoever speaks."""
    return {
        "region": device.region,
        "site": device.site,
        "device": device.device,
        "device_kind": device.kind.value,
        "device_name": device.name,
        "site_kind": device.site_kind,
        "establishment_kind": device.establishment_kind,
    }


def time_fields(at: datetime) -> Fields:
    """Local time of a fact: hours of the day (9.5 is half past nine) and weekday (1 is Monday)."""
    local = at.astimezone(LOCAL)
    return {
        "hour": local.hour + local.minute / 60 + local.second / 3600,
        "weekday": local.isoweekday(),
    }


def result_fields(device: Device, test: TestResult) -> Fields:
    """The fields of a test result."""
    value, sample = test.value, test.sample
    return {
        **place_fields(device),
        **time_fields(test.captured_at),
        "item": test.item,
        "item_code": test.item_code,
        "verdict": test.verdict.value,
        "value": value.number,
        "text": value.text,
        "comparator": value.comparator,
        "bound": value.bound,
        "unit": value.unit,
        "qualitative": value.qualitative,
        "instrument_verdict": test.instrument_verdict,
        "limit": test.limit_text,
        "sample": sample.name,
        "sample_number": sample.number,
        "stall": sample.stall,
        "lot": sample.lot,
        "supplier": sample.supplier,
        "origin": sample.origin,
        "operator": test.operator,
        "record_number": test.record_number,
        "clock_offset_s": test.clock_offset_s,
        "flags": list(test.flags),
    }


def observation_fields(device: Device, seen: Observation) -> Fields:
    """The fields of an episode."""
    return {
        **place_fields(device),
        **time_fields(seen.started_at),
        "kind": seen.kind,
        "zone": seen.zone,
        "zone_kind": seen.zone_kind,
        "people": seen.people,
        "tracks": seen.tracks,
        "stretches": seen.stretches,
        "confidence": seen.confidence,
        "reason": seen.reason,
    }
