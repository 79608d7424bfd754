"""Samplings of the made-up district: what laboratories were given, and what most of them found."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from foodsentry.district.kinds import FOODS
from foodsentry.district.places import Place
from ledger import samplings
from ledger.engine import Connection
from ledger.samplings import Sampling

COUNT = 40
_KINDS = ("supervision", "supervision", "evaluation", "monitoring")


def put_samplings(conn: Connection, places: Sequence[Place], now: datetime) -> None:
    """So many over the last two months; those of the last days have no report yet."""
    step = max(1, len(places) // COUNT)
    for number, place in enumerate(places[::step][:COUNT]):
        at = now - timedelta(days=1 + number * 1.5)
        told = number > 6
        failed = told and number % 13 == 9
        samplings.add(
            conn,
            Sampling(
                id=f"XC24407{number:08d}", region=place.region, kind=_KINDS[number % 4],
                sampled_at=at, food=FOODS[number % len(FOODS)], sampled_from=place.name,
                lab="江门市食品检验所", entered_at=at + timedelta(hours=3),
                establishment_id=place.establishment_id,
                report_number=f"SP{number:06d}" if told else None,
                reported_at=at + timedelta(days=8) if told else None,
                verdict=("fail" if failed else "pass") if told else "pending",
                failed_items="毒死蜱" if failed else "",
            ),
        )  # fmt: skip
