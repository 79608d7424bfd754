"""Writes the demo town into an empty ledger: regions, people with duties, places, devices."""

import tomllib
from datetime import datetime, timedelta
from pathlib import Path

from foodsentry.demo.cases import add_cases
from foodsentry.demo.town import OFFICERS, SITES, DemoOfficer, DemoSite
from gateway.notify.channels.mqtt_notices import NAME as MQTT
from ledger import contacts, devices, duties, establishments, officers, regions, sites
from ledger.engine import Connection, Engine, writing
from ledger.migrate import upgrade
from server.passwords import Passwords

PASSWORD = "foodsentry-demo"  # the demo's own, on loopback; nothing else has a default
CITY = "440700"
ON_DUTY = timedelta(days=30)


def demo_regions(file: Path) -> list[regions.Region]:
    """The reference city's regions, parents first."""
    rows = tomllib.loads(file.read_text("utf-8"))["region"]
    return [
        regions.Region(
            code=row["code"],
            name_zh=row["name_zh"],
            name_en=row["name_en"],
            parent=row.get("parent"),
            source=row.get("source", ""),
        )
        for row in rows
    ]


def _site(conn: Connection, place: DemoSite, officer_id: str, at: datetime) -> str:
    owner = establishments.Establishment(
        name=place.establishment,
        kind=establishments.EstablishmentKind(place.kind),
        region=place.region,
        address=place.address,
        officer_id=officer_id,
        risk_grade="B",
    )
    establishments.add(conn, owner)
    sites.add(
        conn,
        sites.Site(
            id=place.site,
            region=place.region,
            name=place.site_name,
            kind=sites.SiteKind(place.site_kind),
            establishment_id=owner.id,
            self_test=place.self_test,
        ),
    )
    for device in place.devices:
        devices.add(
            conn,
            devices.Device(
                region=place.region,
                site=place.site,
                device=device.device,
                kind=devices.DeviceKind(device.kind),
                name=device.name,
                model=device.model,
                registered_at=at,
                silent_after_s=device.silent_after_s,
            ),
        )
    return owner.id


def seed(engine: Engine, regions_file: Path, at: datetime) -> dict[str, str]:
    """Make the schema and the town; returns establishment ids by site."""
    upgrade(engine)
    hashed = Passwords().hash(PASSWORD)
    with writing(engine) as conn:
        regions.add(conn, *demo_regions(regions_file))
        supervisors = [one for one in OFFICERS if not one.site]
        added = {one.login: _officer(conn, one, hashed) for one in supervisors}
        towns = {one.region: added[one.login] for one in supervisors if one.role == "town"}
        owners = {place.site: _site(conn, place, towns[place.region], at) for place in SITES}
        for person in OFFICERS:
            if person.site:
                _officer(conn, person, hashed, owners[person.site])
        for person in supervisors:
            duties.add(conn, duties.Duty(person.region, added[person.login], at, at + ON_DUTY))
        add_cases(conn, at)
        return owners


def _officer(
    conn: Connection, person: DemoOfficer, hashed: str, establishment_id: str | None = None
) -> str:
    officer = officers.Officer(
        login=person.login,
        name=person.name,
        role=officers.Role(person.role),
        region=person.region,
        password_hash=hashed,
        establishment_id=establishment_id,
    )
    officers.add(conn, officer)
    contacts.put(conn, contacts.Contact(officer.id, MQTT, ""))
    return officer.id
