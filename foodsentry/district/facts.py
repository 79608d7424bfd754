"""Facts of the made-up district: quick tests with bytes, observations, and pictures beside them."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from contracts.names import name_key
from foodsentry.district.kinds import FOODS, ORIGINS
from foodsentry.district.lives import Life, picture_hash
from foodsentry.district.picture import HEAD
from foodsentry.district.places import Place
from ledger.bulk import to_json

RESULT_COLUMNS = (
    *("result_id", "region", "site", "device", "agent", "epoch", "sequence", "event_id"),
    *("establishment_id", "received_at", "captured_at", "measured_at", "measured_text"),
    *("sample_number", "sample_name", "sample_name_cut", "stall", "lot", "supplier", "origin"),
    *("item", "item_code", "value_text", "value_number", "comparator", "unit", "qualitative"),
    *("verdict", "limit_text", "rule", "instrument_verdict", "operator", "flags"),
    *("record_number", "profile_id", "profile_version", "raw", "raw_sha256"),
    *("product_key", "lot_key", "supplier_key"),
)
SEEN_COLUMNS = (
    *("region", "site", "device", "observation_id", "establishment_id", "kind", "phase"),
    *("started_at", "ended_at", "captured_at", "received_at", "reason", "zone", "zone_kind"),
    *("people", "confidence", "boxes", "models", "evidence"),
)
PICTURE_COLUMNS = (
    *("site", "device", "evidence_id", "region", "observation_id", "media_type", "sha256"),
    *("size", "width", "height", "captured_at", "received_at", "blurred", "boxes", "role"),
)
DAYS = 30


def results(places: Sequence[Place], each: int, now: datetime) -> Iterator[tuple[Any, ...]]:
    """Quick tests of the last days: `each` for a place with a reader, ten times that for a few."""
    dice = random.Random(31)
    for place in places:
        who = place.who("pesticide_reader", dice)
        if who is None:
            continue
        count = each * 10 if dice.random() < 0.01 else each
        ages = sorted((dice.uniform(0, DAYS * 86_400) for _ in range(count)), reverse=True)
        for number, age in enumerate(ages, 1):
            share = min(98.0, max(0.5, dice.gauss(16, 9)))
            at = now - timedelta(seconds=age)
            yield result_row(
                f"r{place.site[5:]}-{number}", place, who.device, "e1", number, share, at
            )


def results_of_today(place: Place, now: datetime) -> Iterator[tuple[Any, ...]]:
    """A morning of a testing room: 18 quick tests, two of them above the limit, one near it."""
    dice = random.Random(place.site)
    who = place.who("pesticide_reader", dice)
    for number in range(1, 19) if who is not None else ():
        share = {5: 71.2, 12: 54.8, 15: 44.1}.get(number, max(0.5, dice.gauss(15, 7)))
        at = now - timedelta(minutes=10 * (19 - number))
        device = who.device if who is not None else ""
        key = f"d{place.site[5:]}-{number}"
        yield result_row(key, place, device, "e2", number, share, at)


def result_of(one: Life) -> tuple[Any, ...]:
    """The quick test that raised an alert."""
    key = one.result_id or ""
    at = one.raised_at - timedelta(seconds=1)
    return result_row(key, one.place, one.who.device, "e0", one.number + 1, one.value, at, one.food)


def result_row(
    key: str,
    place: Place,
    device: str,
    epoch: str,
    number: int,
    share: float,
    at: datetime,
    food: str = "",
) -> tuple[Any, ...]:
    """A quick test's row, `share` of inhibition in percent; by columns as `RESULT_COLUMNS`."""
    name = food or FOODS[number % len(FOODS)]
    origin = ORIGINS[number % len(ORIGINS)]
    verdict = "positive" if share >= 50 else "suspect" if share >= 40 else "pass"
    raw = (
        bytes.fromhex("7e111400")
        + number.to_bytes(4, "little")
        + name.encode("gb2312")
        + b"\x5a\xaa"
    )
    return (
        key, place.region, place.site, device, "agent", epoch, number, f"{epoch}-{number}",
        place.establishment_id, at + timedelta(seconds=1), at, at - timedelta(seconds=4), "",
        f"{at:%Y%m%d}-{number:03d}", name, False, f"A{number % 40:02d}", f"{at:%m%d}",
        f"{origin}蔬菜合作社", origin, "农药残留", "pesticide_inhibition", f"{share:.2f}",
        round(share, 2), "", "%", "", verdict, "< 50 %",
        "pesticide_inhibition 2003-08-11 [S] GB/T 5009.199",
        "阳性" if share >= 50 else "阴性", "伍国权", "[]", number, "dayuan_lz_4000t", "1", raw,
        picture_hash(raw), name_key(name), f"{at:%m%d}", f"{origin}蔬菜合作社",
    )  # fmt: skip


def observation_row(one: Life) -> tuple[Any, ...]:
    """What a camera saw that raised an alert."""
    ended_at = one.raised_at + timedelta(minutes=2)
    return (
        one.who.region, one.who.site, one.who.device, one.observation_id,
        one.place.establishment_id, one.kind.seen_as, "closed", one.raised_at, ended_at,
        one.raised_at, one.raised_at, "连续 6 帧 / six frames", "切配间", "food_preparation", 1,
        0.91, to_json(_BOXES), to_json([{"id": "hygiene", "version": "1", "sha256": "ab" * 32}]),
        to_json(one.pictures),
    )  # fmt: skip


def picture_rows(
    one: Life, digest: str, size: int, sides: tuple[int, int]
) -> Iterator[tuple[Any, ...]]:
    """The pictures before, at its best and after."""
    for offset_s, picture in zip((-9, 0, 5), one.pictures, strict=True):
        at, role = one.raised_at + timedelta(seconds=offset_s), picture.rpartition("-")[2]
        yield (
            one.who.site, one.who.device, picture, one.who.region, one.observation_id, "image/jpeg",
            digest, size, *sides, at, at, True, to_json(_BOXES if role == "best" else []), role,
        )  # fmt: skip


_BOXES = [
    dict(zip(("x0", "y0", "x1", "y1"), map(float, HEAD), strict=True))
    | {"label": "head", "confidence": 0.91, "attributes": {"hat": 0.06, "mask": 0.11}}
]
