"""Every page of the console stands in the table of pages, with its pictures in the docs."""

import re
from pathlib import Path

from PIL import Image

from foodsentry.pictures.page_list import FOLDER, LOOKS, file_of, pages_page
from foodsentry.pictures.pages import PAGES, PARTS, Page
from foodsentry.pictures.places import IN_TOWN
from server.app import routes
from server.problems import is_api

DOCS = Path(__file__).parents[2] / "docs"
MOST_BYTES = 4_500_000
GETS = [route for route in routes() if "GET" in (route.methods or ()) and not is_api(route.path)]


def _route_of(page: Page) -> str | None:
    # The first that fits, as the server finds it.
    address = page.path.partition("?")[0]
    return next((one.path for one in routes() if one.path_regex.match(address)), None)


def test_every_page_is_in_the_table() -> None:
    shown = {_route_of(page) for page in PAGES}
    missing = [one.path for one in GETS if one.path not in shown and one.path not in PARTS]
    assert missing == [], (
        "add a line to PAGES in foodsentry/pictures/pages.py (or to PARTS, if it is no page of its "
        "own), then `make docs` and `foodsentry pictures --docs --page NAME`"
    )


def test_the_table_names_nothing_that_is_gone() -> None:
    known = {one.path for one in GETS}
    assert {page.path for page in PAGES if _route_of(page) not in known} == set()
    assert set(PARTS) - known == set()


def test_names_are_told_apart_and_places_are_known() -> None:
    assert len({page.name for page in PAGES}) == len(PAGES)
    for page in PAGES:
        assert re.fullmatch(r"[a-z0-9-]+", page.name)
        assert set(re.findall(r"\{(\w+)\}", page.path)) <= set(IN_TOWN), page.name
        assert page.zh.endswith("。") and page.en.endswith("."), page.name
        assert page.address({}) == (None if "{" in page.path else page.path)


def test_every_page_has_its_pictures_and_they_weigh_little() -> None:
    wanted = {file_of(page, look) for page in PAGES for look in LOOKS}
    kept = {str(path.relative_to(DOCS)): path for path in (DOCS / FOLDER).iterdir()}
    assert sorted(wanted - set(kept)) == [], "make assets && foodsentry pictures --docs --page NAME"
    assert sorted(set(kept) - wanted) == [], "no page has these pictures any more"
    assert sum(path.stat().st_size for path in kept.values()) < MOST_BYTES
    for path in kept.values():
        with Image.open(path) as picture:
            assert picture.format == "WEBP" and picture.width in (390, 960), path


def test_the_list_of_pages_is_current_and_says_who_sees_what() -> None:
    text = (DOCS / "pages.md").read_text("utf-8")
    assert text == pages_page(), "make docs"
    desk, people, public = (
        text.partition(f"`{path}`")[2].partition("\n")[0]
        for path in ("/alerts", "/admin/people", "/p/{public}")
    )
    assert "所有登录的人" in desk and "系统管理员 / Administrator" in people and "anyone" in public
