"""`foodsentry pictures`: pictures of every page, to look at or for the docs."""

import argparse
import importlib
import importlib.util
import sys
import tempfile
from pathlib import Path
from typing import Any

from foodsentry.demo.console import sign_in
from foodsentry.demo.processes import Processes
from foodsentry.demo.run import free_port
from foodsentry.demo.seed import PASSWORD
from foodsentry.district.commands import make_district
from foodsentry.district.fill import Size
from foodsentry.pictures.pages import PAGES, Page
from foodsentry.pictures.places import find
from ledger.engine import open_engine, reading
from server.pages import load_assets

DOCS = Path(__file__).resolve().parents[2] / "docs"
START_LIMIT_S = 40.0


def add_pictures(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    leaf = subparsers.add_parser("pictures", help="pictures of every page (needs Chromium)")
    leaf.add_argument(
        "folder", type=Path, nargs="?", help="PNGs at both widths, light and dark, both languages"
    )
    leaf.add_argument("--docs", action="store_true", help="renew the pictures of docs/pages.md")
    leaf.add_argument("--page", action="append", metavar="NAME", help="only these; default: all")
    leaf.add_argument("--establishments", type=int, default=500)
    leaf.add_argument("--alerts", type=int, default=10_000)
    leaf.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    """0: taken; 1: not; 2: wrong use."""
    wanted = [page for page in PAGES if not arguments.page or page.name in arguments.page]
    if not wanted or not (arguments.docs or arguments.folder):
        print("foodsentry pictures: a FOLDER or --docs, and pages that exist", file=sys.stderr)
        return 2
    if importlib.util.find_spec("playwright") is None:
        print("foodsentry pictures: needs playwright (part of `make setup`)", file=sys.stderr)
        return 1
    if not load_assets():
        print(
            "foodsentry pictures: the console's styles are not built; run `make assets` first",
            file=sys.stderr,
        )
        return 1
    browser = importlib.import_module("foodsentry.pictures.browser")
    size = Size(arguments.establishments, arguments.alerts)
    try:
        with tempfile.TemporaryDirectory(prefix="fs-pictures-") as name:
            _take(browser, Path(name), size, wanted, arguments)
    except browser.PicturesFailed as error:
        print(f"foodsentry pictures: {error}", file=sys.stderr)
        return 1
    return 0


def _take(
    browser: Any, folder: Path, size: Size, wanted: list[Page], arguments: argparse.Namespace
) -> None:
    port = free_port()
    settings = make_district(folder, size, port)
    engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
    with reading(engine) as conn:
        found = find(conn)
    engine.dispose()
    pages = []
    for page in wanted:
        address = page.address(found)
        if address is None:
            print(f"the district has nothing to show on {page.path}", file=sys.stderr)
        else:
            pages.append((page, address))
    with Processes(folder) as processes:
        processes.start("server", "server", "run", str(settings))
        base_url = f"http://127.0.0.1:{port}"
        processes.wait_for(f"{base_url}/healthz", START_LIMIT_S)
        logins = {page.login for page in wanted if page.login}
        cookies = {login: sign_in(port, login, PASSWORD) for login in sorted(logins)}
        if arguments.folder:
            arguments.folder.mkdir(parents=True, exist_ok=True)
            for page, look, png in browser.take(base_url, pages, browser.ALL_LOOKS, cookies):
                (arguments.folder / f"{page.name}-{look.name}.png").write_bytes(png)
        if arguments.docs:
            total = sum(
                browser.for_docs(png, page, look, DOCS)
                for page, look, png in browser.take(base_url, pages, browser.DOCS_LOOKS, cookies)
            )
            print(f"{len(pages)} pages, {total / 1e6:.1f} MB")
