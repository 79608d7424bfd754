"""`foodsentry district FOLDER`: makes the made-up district, ready for `foodsentry server run`."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from contracts.clock import utc_now
from foodsentry.demo.files import FILES, toml
from foodsentry.demo.seed import PASSWORD
from foodsentry.district.fill import Filled, Size, fill, fill_series
from foodsentry.district.places import Place
from ledger.engine import open_engine
from server.passwords import Passwords
from timeseries.settings import SeriesSettings, open_store

SETTINGS = "server.toml"
WATCHED = 60


class DistrictFailed(RuntimeError):
    """The district cannot be made there; the text says why."""


def add_district(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    leaf = subparsers.add_parser("district", help="a made-up district, to look at pages with")
    leaf.add_argument("folder", type=Path, help="made anew; must not hold a ledger")
    leaf.add_argument("--establishments", type=int, default=500)
    leaf.add_argument("--alerts", type=int, default=10_000)
    leaf.add_argument("--port", type=int, default=8000, help="of the console")
    leaf.set_defaults(run=_make)


def make_district(folder: Path, size: Size, port: int) -> Path:
    """Write ledger, series and settings there; returns the settings file. Raises DistrictFailed."""
    if (folder / "ledger.sqlite").exists():
        raise DistrictFailed(f"{folder} holds a ledger; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    now = utc_now()
    engine = open_engine(f"sqlite:///{folder.resolve() / 'ledger.sqlite'}")
    made = fill(engine, size, now, Passwords().hash(PASSWORD))
    engine.dispose()
    store = open_store(SeriesSettings(path="series.sqlite"), folder)
    fill_series(store, _watched(made), now, made.newest)
    store.close()
    table = {"port": port, "public_base_url": f"http://127.0.0.1:{port}", **FILES}
    settings = folder / SETTINGS
    settings.write_text(toml(table), "utf-8")
    return settings


def _watched(made: Filled) -> list[Place]:
    """Places whose temperatures somebody will look at: those with the most open alerts."""
    counted = Counter(one.place.site for one in made.newest if one.state != "closed")
    warm = {one.place.site for one in made.newest[-400:] if one.kind.where}
    most = {site for site, _ in counted.most_common(WATCHED)} | warm
    return [one for one in made.places if one.site in most]


def _make(arguments: argparse.Namespace) -> int:
    """0: made; 1: not."""
    size = Size(arguments.establishments, arguments.alerts)
    try:
        settings = make_district(arguments.folder, size, arguments.port)
    except DistrictFailed as error:
        print(f"foodsentry district: {error}", file=sys.stderr)
        return 1
    print(f"foodsentry server run {settings}")
    print(
        "sign in as: city, c440703 (a district), 440703-tangxia (a town), operator, auditor, "
        f"admin; password: {PASSWORD}"
    )
    return 0
