"""Renders the console's templates: words, formats and assets are at hand in each of them."""

from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from contracts.statement import spoken
from server import formats
from server.access import RIGHTS
from server.languages import Words, chosen
from server.state import State, state_of

TEMPLATES = Path(__file__).parent / "templates"
VENDOR = Path(__file__).parent / "static" / "vendor"
LANGUAGE_COOKIE = "fs_language"


def make_environment() -> Environment:
    """The template environment: escapes everything, and a name that does not exist is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        general=formats.general,
        exact=formats.exact,
        minute=formats.minute,
        day=formats.day,
        last_day=formats.last_day,
        clock_time=formats.clock_time,
        number=formats.number,
        unit=formats.unit,
        hex_lines=formats.hex_lines,
        spoken=spoken,
        signed=formats.signed,
    )
    return environment


def load_assets(folder: Path = VENDOR) -> dict[str, str]:
    """Address of every built file by its logical name; empty if the assets were not built."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        return {}
    names = msgspec.json.decode(manifest.read_bytes(), type=dict[str, str])
    return {name: f"/static/vendor/{file}" for name, file in names.items()}


def words_of(request: Request) -> Words:
    """The words of the language that this request wants."""
    language = chosen(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
    return state_of(request).words[language]


def fragment(state: State, words: Words, template: str, **values: Any) -> str:
    """A template's text outside of any request (rows for the live stream)."""
    return state.environment.get_template(template).render(_common(state, words) | values)


def render(
    request: Request,
    template: str,
    *,
    status: int = 200,
    words: Words | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page in the request's language (or `words`), with who is signed in if a route said so."""
    state = state_of(request)
    words = words or words_of(request)
    visit = getattr(request.state, "visit", None)
    common = _common(state, words) | {
        "visit": visit,
        "rights": RIGHTS[visit.officer.role] if visit else (),
        "path": request.url.path,
        "request": request,
    }
    text = state.environment.get_template(template).render(common | values)
    answer = HTMLResponse(text, status)
    answer.headers["content-language"] = words.tag
    answer.headers["vary"] = "Accept-Language, Cookie"
    return answer


def _common(state: State, words: Words) -> dict[str, Any]:
    now = state.clock()

    def asset(name: str) -> str:
        return state.assets.get(name, f"/static/vendor/{name}")

    def moment(at: Any) -> str:
        return formats.moment(at, now)

    def lasting(seconds: float | None) -> str:
        name, n = formats.duration(seconds)
        return words(f"lasting.{name}", n=n)

    def rule_name(rule: str) -> str:
        found = (one for one in state.packs.rules if one.id == rule)
        first = next(found, None)
        return formats.general(words.pick(first.title_zh, first.title_en)) if first else rule

    return {
        "t": words,
        "rule_name": rule_name,
        "asset": asset,
        "now": now,
        "moment": moment,
        "lasting": lasting,
        "visit": None,
        "csrf": None,
    }
