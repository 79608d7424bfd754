"""Every page in a catalogue whose words are marked: what shows without a mark must be data."""

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from console_app import CHEAP, NOW, Clock, TestClient, settings, sign_in
from console_rooms import add_rooms
from fastapi import FastAPI
from sqlalchemy import MetaData, select

from contracts import casework_file
from contracts.causes import load_causes
from foodsentry.pictures.pages import PAGES
from foodsentry.pictures.places import find
from ledger.engine import Engine, reading, writing
from server import app as app_module
from server.app import create_app
from server.languages import Words, load_words
from timeseries.port import SeriesStore

pytestmark = pytest.mark.slow

CONFIGS = Path(casework_file.__file__).parents[1] / "firmware_configs"
FOR_PROGRAMMERS = {"api-document"}
"""Says what the API's document says, which is English."""
OPEN, SHUT = "⟦", "⟧"
SHOWN = ("title", "alt", "placeholder", "aria-label", "label", "content", "value")
NOT_READ = {"script", "style", "code", "kbd"}
"""Names of keys are those on the keyboard."""
LOGINS = {"city": "shiju", "town": "tangxia", "operator": "shichang"}
"""The officers of the tests' town in the place of those of the made-up district."""
_HASH = re.compile(r"\b[0-9a-f]{8,}\b")
_WORD = re.compile(r"[A-Za-z一-鿿]{2,}")
SYMBOLS = {
    *("Cel", "RLU", "SHA", "px", "mg", "kg", "ug", "min"),
    *("pos", "neg", "English", "width", "device", "initial", "scale", "viewport", "fit", "cover"),
    *("light", "dark", "utf", "json", "htmx"),
}
"""Units, a hash's name, the other language's own name, and what the head says to browsers."""


class Marked(Words):
    """A language whose every message is in brackets."""

    def __call__(self, name: str, /, **values: object) -> str:
        return f"{OPEN}{super().__call__(name, **values)}{SHUT}"


class Reader(HTMLParser):
    """Collects what a reader sees or hears, with where it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, str]] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "link", "input", "img", "br", "hr", "source"):
            self._inside.append(tag)
        given = dict(attrs)
        if tag == "meta" or given.get("type") in ("hidden", "radio", "checkbox", "submit"):
            given.pop("value", None)
            given.pop("content", None)
        if tag in ("option", "button", "data"):
            given.pop("value", None)  # what the form sends
        self.told += [(f"{tag} {name}", given[name] or "") for name in SHOWN if name in given]

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not NOT_READ & set(self._inside):
            self.told.append((" ".join(self._inside[-2:]), data))


@pytest.fixture
def marked_app(
    engine: Engine, series: SeriesStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> FastAPI:
    monkeypatch.setattr(
        app_module, "load_words", lambda: {name: Marked(name) for name in load_words()}
    )
    return create_app(settings(), engine, series, clock=clock, passwords=CHEAP)


@pytest.fixture
def town(built_weeks: tuple[Path, dict[str, str]], tmp_path: Path) -> Path:
    """The town with weeks of verdicts and a proposal."""
    folder = tmp_path / "town"
    shutil.copytree(built_weeks[0], folder)
    return folder


def data_of(engine: Engine) -> str:
    """Every text that the town's ledger holds, the words of settings, the browser's address."""
    known = MetaData()
    known.reflect(engine)
    with reading(engine) as conn:
        rows = [str(row) for table in known.tables.values() for row in conn.execute(select(table))]
    # Settings' words and file names; what casework and sheets say in both languages themselves.
    files = [*CONFIGS.rglob("*.toml"), *(CONFIGS.parent / "contracts").glob("casework*.py")]
    files += [*CONFIGS.rglob("*.csv"), *(CONFIGS.parent / "ledger" / "sheets").glob("*.py")]
    told = [f"{path.name} {path.read_text('utf-8')}" for path in files]
    told += [f"{one.zh} {one.en}" for one in load_causes().values()]
    return "\n".join([*rows, *told, *(page.path for page in PAGES), "testclient"])


def unmarked(text: str) -> str:
    """A text without what is marked, however deep."""
    while OPEN in text:
        shorter = re.sub(f"{OPEN}[^{OPEN}{SHUT}]*{SHUT}", " ", text)
        if shorter == text:
            break
        text = shorter
    return _HASH.sub(" ", text)


@pytest.fixture(autouse=True)
def furnished(engine: Engine) -> None:
    """What the town lacks and pages show."""
    with writing(engine) as conn:
        add_rooms(conn, NOW)


def strays(html: str, data: str) -> Iterator[str]:
    """Words that are neither from the catalogue nor data, with where they stand."""
    reader = Reader()
    reader.feed(html)
    for where, text in reader.told:
        for word in _WORD.findall(unmarked(text)):
            if word not in SYMBOLS and word not in data:
                yield f"{where}: {word!r} in {' '.join(text.split())[:80]!r}"


def test_a_stray_word_is_found() -> None:
    said = f"{OPEN}a {OPEN}b{SHUT}{SHUT} loose Pengjiang"
    html = f'<p title="Stray">{said}</p><button value="send">{OPEN}y{SHUT}</button>'
    assert list(strays(html, "Pengjiang")) == [
        "p title: 'Stray' in 'Stray'",
        f"p: 'loose' in '{said}'",
    ]


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_whatever_a_page_says_is_in_the_catalogue_or_data(
    marked_app: FastAPI, engine: Engine, language: str
) -> None:
    with reading(engine) as conn:
        found = find(conn)
    clients: dict[str, TestClient] = {}

    def client(login: str) -> TestClient:
        if login not in clients:
            clients[login] = TestClient(marked_app, headers={"accept-language": language})
            if login:
                assert sign_in(clients[login], LOGINS.get(login, "admin")) == 303
        return clients[login]

    read = {}
    for page in PAGES:
        address = page.address(found)
        if address is None or page.name in FOR_PROGRAMMERS:
            continue
        answer = client(page.login).get(address)
        assert answer.status_code in (200, 404), page.name
        read[page.name] = answer.text
    data = data_of(engine)  # with what the looking left in the audit trail
    troubles = [f"{name}: {one}" for name, html in read.items() for one in strays(html, data)]
    assert not troubles, "\n".join(troubles)


def test_the_tests_town_has_something_for_every_page(engine: Engine) -> None:
    with reading(engine) as conn:
        found = find(conn)
    without = {page.name for page in PAGES if page.address(found) is None}
    assert without <= {
        "admin-duty", "admin-contact", "admin-sampling", "admin-population", "admin-stall",
        "webhook",
    }  # fmt: skip
