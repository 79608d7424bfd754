"""What makes the console an app: its manifest, its worker, the page without a connection.

The worker keeps that page alone. It is told what to keep by a line that the server writes before
its text; the line holds a version made of everything in it, so that a browser takes a new worker
exactly when something of it has changed.
"""

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from server.languages import LANGUAGES, Words
from server.pages import VENDOR, fragment
from server.state import State

WORKER = "worker.js"
START = "/alerts"
LIGHT, DARK = "#ffffff", "#151d1a"
"""Colours of the bar above the page, as `--paper` has them."""
SHOWN = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-maskable-192.png", "192x192", "maskable"),
    ("icon-maskable-512.png", "512x512", "maskable"),
    ("icon-badge-96.png", "96x96", "monochrome"),
)
OFFLINE_FILES = ("app.css", "offline.js")


def manifest(state: State, words: Words) -> dict[str, Any]:
    """The web app manifest in one language."""
    return {
        "id": START,
        "name": words("brand"),
        "short_name": words("brand"),
        "description": words("brand.sub"),
        "lang": words.tag,
        "start_url": START,
        "scope": "/",
        "display": "standalone",
        "theme_color": LIGHT,
        "background_color": LIGHT,
        "categories": ["productivity", "government"],
        "icons": [
            {"src": state.assets[name], "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in SHOWN
            if name in state.assets
        ],
        "shortcuts": [
            {"name": words("pwa.urgent"), "url": f"{START}?state=firing&class=1"},
            {"name": words("pwa.mine"), "url": f"{START}?mine=1"},
        ],
    }


def worker(state: State, folder: Path = VENDOR) -> str | None:
    """The worker's text with what it keeps; None if the assets were not built."""
    built = folder / state.assets.get(WORKER, "").rpartition("/")[2]
    if not built.is_file() or built == folder:
        return None
    text = built.read_text("utf-8")
    pages = {language: f"/offline?language={language}" for language in LANGUAGES}
    told = {
        "pages": pages,
        "files": [state.assets[name] for name in OFFLINE_FILES if name in state.assets],
        "icon": state.assets.get("icon-192.png", "/static/seal.svg"),
        "badge": state.assets.get("icon-badge-96.png", "/static/seal.svg"),
    }
    shown = [offline_page(state, state.words[language]) for language in LANGUAGES]
    all_of_it = msgspec.json.encode([told, shown, text])
    version = hashlib.sha256(all_of_it).hexdigest()[:16]
    line = msgspec.json.encode({"version": version} | told).decode()
    return f"self.FOODSENTRY = {line};\n{text}"


def offline_page(state: State, words: Words) -> str:
    """The page that says that there is no connection, and since when (the worker fills that in)."""
    return fragment(state, words, "offline.html")
