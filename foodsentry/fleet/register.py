"""Makes a fleet's sites and devices known: in a ledger, as a CSV file, and as broker users."""

import csv
import secrets
from pathlib import Path

from contracts.files import write_whole
from foodsentry.fleet.script import AGENT, CAMERA, KINDS, NAMES, PROBE, READER, FleetScript
from ledger import devices, establishments, regions, sites
from ledger.engine import Engine, writing
from ledger.sql import chunks

_MODELS = {AGENT: "FoodSentry fleet", READER: "仿真", PROBE: "仿真", CAMERA: "仿真"}
_AT_ONCE = 200


def register(script: FleetScript, engine: Engine) -> int:
    """Add what the ledger does not know yet; returns how many sites that were.

    Raises LedgerDown.
    """
    with writing(engine) as conn:
        if regions.get(conn, script.region) is None:
            regions.add(conn, regions.Region(script.region, script.region, script.region))
        known = {site.id for site in sites.list_in(conn, [script.region])}
    fresh = [site for site in script.each() if site.agent.site not in known]
    for part in chunks(fresh, _AT_ONCE):
        with writing(engine) as conn:
            for site in part:
                owner = establishments.Establishment(
                    name=f"仿真食堂 {site.agent.site}",
                    kind=establishments.EstablishmentKind.CANTEEN,
                    region=script.region,
                )
                establishments.add(conn, owner)
                place = sites.Site(
                    id=site.agent.site,
                    region=script.region,
                    name=f"仿真点位 {site.agent.site}",
                    kind=sites.SiteKind.CANTEEN,
                    establishment_id=owner.id,
                )
                sites.add(conn, place)
                for who in site.devices:
                    devices.add(
                        conn,
                        devices.Device(
                            region=who.region,
                            site=who.site,
                            device=who.device,
                            kind=devices.DeviceKind(KINDS[who.device]),
                            name=NAMES[who.device],
                            model=_MODELS[who.device],
                            registered_at=script.begun_at,
                        ),
                    )
    return len(fresh)


def write_csv(script: FleetScript, path: Path) -> None:
    """One row for each device: region, site, device, kind, name, and how it lies."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("region", "site", "device", "kind", "name", "truth"))
        for site in script.each():
            for who in site.devices:
                truth = site.truth.get(who.device, "")
                name = NAMES[who.device]
                rows.writerow((who.region, who.site, who.device, KINDS[who.device], name, truth))


def write_passwords(script: FleetScript, path: Path) -> None:
    """A line ``region/site:password`` for each site, as `mosquitto_passwd -U` takes them."""
    lines = (f"{site.agent.place}:{secrets.token_urlsafe(18)}\n" for site in script.each())
    write_whole(path, "".join(lines).encode())


def read_passwords(path: Path) -> dict[str, str]:
    """Password by user, from such lines. Raises OSError."""
    lines = path.read_text("utf-8").splitlines()
    return {user: word for user, _, word in (line.partition(":") for line in lines) if word}
