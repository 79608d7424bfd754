"""Samplings of the made-up district with what most of them found, and residents of its towns."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from foodsentry.district.kinds import FOODS
from foodsentry.district.places import Place
from ledger import samplings
from ledger.engine import Connection
from ledger.samplings import Sampling
from ledger.schema import populations

COUNT = 40
_KINDS = ("supervision", "supervision", "evaluation", "monitoring")


def put_people_of_towns(conn: Connection, towns: Sequence[str], now: datetime) -> None:
    """Residents of every other town; of the rest nobody has said."""
    rows = [
        {
            "id": f"{town}.2024-01-01",
            "region": town,
            "effective_from": date(2024, 1, 1),
            "people": 20_000 + 1_700 * number,
            "source": "示例数据 made up",
            "mark": "U",
            "entered_at": now,
        }
        for number, town in enumerate(sorted(towns)[::2])
    ]
    conn.execute(populations.insert(), rows)


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
