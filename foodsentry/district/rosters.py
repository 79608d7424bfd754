"""Who is on duty in the made-up district, and how each of its people is reached."""

import random
from datetime import datetime, timedelta

from foodsentry.district.places import People
from ledger import contacts, duties
from ledger.contacts import Contact
from ledger.duties import Duty
from ledger.engine import Connection

WEEKS = 3
_CHANNELS = (("wecom", "{login}"), ("sms", "1380013{number:04d}"), ("email", "{login}@example.com"))


def put_rosters(conn: Connection, people: People, now: datetime) -> None:
    """A duty for every town and district for this week and the next ones; contacts of everybody."""
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=30, second=0)
    monday = monday.replace(microsecond=0)
    teams = {**people.town, **people.county}
    made = [
        Duty(region, officer, monday + timedelta(weeks=week), monday + timedelta(weeks=week + 1))
        for week in range(WEEKS)
        for region, officer in sorted(teams.items())
        if (hash_of(region) + week) % 3
    ]
    duties.add(conn, *made)
    dice = random.Random(41)
    told = []
    for officer in sorted({people.city, *teams.values()}):
        login, number = officer.removeprefix("officer-"), dice.randrange(10_000)
        some = _CHANNELS[: dice.choice((1, 2, 2, 3))]
        told += [
            Contact(officer, channel, address.format(login=login, number=number), place)
            for place, (channel, address) in enumerate(some)
        ]
    contacts.put(conn, *told)


def hash_of(text: str) -> int:
    """A number that is the same in every process."""
    return sum(text.encode())
