"""The whole API against its own document, by schemathesis: by token as several roles, signed out.

No answer is a 5xx, each is one that the document tells and looks as it says, and nothing is
answered without a session or token. FOODSENTRY_FUZZ_EXAMPLES looks for longer than the usual few.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from access_cases import FIXED
from access_town import PEOPLE, Target, build
from api_client import make_token
from console_app import CHEAP, NOW, Clock, settings
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as effort
from hypothesis import strategies as st
from schemathesis import Case, openapi
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import event

from ledger import migrate
from ledger.engine import Engine, open_engine, writing
from server.app import create_app, routes
from server.problem_kinds import KINDS, URN
from server.settings import ApiSettings
from timeseries.settings import SeriesSettings, open_store

pytestmark = pytest.mark.slow
EXAMPLES = int(os.environ.get("FOODSENTRY_FUZZ_EXAMPLES", "6"))
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROLES = ("city", "town", "operator", "auditor")
OPERATIONS = [
    f"{method} {route.path}"
    for route in routes()
    if route.include_in_schema
    for method in sorted(route.methods or ())
]


class Town:
    """The app over a small town, its document, and tokens of officers of several roles."""

    def __init__(self, folder: Path) -> None:
        self.engine: Engine = open_engine(f"sqlite:///{folder / 'ledger.sqlite'}")
        event.listen(self.engine, "connect", lambda link, _: link.execute("PRAGMA synchronous=OFF"))
        migrate.upgrade(self.engine)
        with writing(self.engine) as conn:
            self.targets = list(build(conn).values())
        self.series = open_store(SeriesSettings(path="series.sqlite"), folder)
        plenty = ApiSettings(per_minute=1_000_000, burst=1_000_000)
        app = create_app(
            settings(api=plenty), self.engine, self.series, clock=Clock(NOW), passwords=CHEAP
        )
        self.tokens = {login: make_token(self.engine, login)[1] for login in ROLES}

        async def bare(scope: Any, receive: Any, send: Any) -> None:
            """Without the lifespan: nobody follows the journal here."""
            if scope["type"] == "http":
                await app(scope, receive, send)

        self.schema = openapi.from_dict(app.openapi())
        self.schema.app = bare
        found = (one.ok() for one in self.schema.get_all_operations())
        self.operations = {f"{one.method.upper()} {one.path}": one for one in found}

    def close(self) -> None:
        self.series.close()
        self.engine.dispose()


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    made = Town(tmp_path_factory.mktemp("fuzzed"))
    yield made
    made.close()


def known(targets: list[Target], path: str) -> list[dict[str, str]]:
    """What fills a path's parameters with what is there, each once."""
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    found = [
        {name: (FIXED | target.ids | {"alert_id": alert}).get(name, "x") for name in names}
        for target in targets
        for alert in target.alerts.values()
    ]
    return [one for place, one in enumerate(found) if one not in found[:place]]


def real(targets: list[Target], path: str) -> st.SearchStrategy[dict[str, str] | None]:
    """Sometimes what is there, so that more than a 404 is met."""
    return st.sampled_from([None, *known(targets, path)]) if "{" in path else st.none()


def look(town: Town, case: Case, login: str | None) -> int:
    """Ask, look at the answer, and return its status."""
    headers = {"authorization": f"Bearer {town.tokens[login]}"} if login else {}
    case.headers.pop("Authorization", None)
    case.headers.pop("X-CSRF-Token", None)
    case.cookies.clear()
    answer = case.call(headers=headers)
    said = answer.content[:2000].decode("utf-8", "replace")  # an operation may answer a picture
    where = f"{login}: {case.as_curl_command(headers=headers)}\n{answer.status_code} {said}"
    assert answer.status_code < 500, where
    if login is None:
        assert answer.status_code in (400, 401, 413, 415, 422), where
    if answer.status_code >= 400:
        told = answer.json()
        kind = KINDS[told["type"].removeprefix(URN)]
        assert kind.status == told["status"] == answer.status_code, where
        assert answer.status_code != 422 or told["errors"], where
    if answer.status_code not in (400, 404, 405, 413, 415):
        # What no route was found for, or never reached one, is no answer of this operation.
        case.validate_response(answer, checks=CHECKS)
    return int(answer.status_code)


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_answers_as_the_document_says(town: Town, name: str) -> None:
    operation = town.operations[name]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

    @seed(20261126)
    @effort(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data(), st.sampled_from(modes), real(town.targets, operation.path))
    def every_time(data: st.DataObject, mode: GenerationMode, found: dict[str, str] | None) -> None:
        case: Case = data.draw(operation.as_strategy(mode))
        if found is not None:
            case.path_parameters = dict(found)
        met.update(look(town, case, login) for login in (*ROLES, None))

    met: Counter[int] = Counter()
    every_time()
    assert met[401] or met[422], met
    by_token = any("token" in need for need in operation.definition.raw["security"])
    if name.startswith("GET") and by_token:
        for found in known(town.targets, operation.path):
            met.update(look(town, operation.Case(path_parameters=found), one) for one in ROLES)
        assert met[200], f"nothing but refusals: {met}"


def test_everybody_is_somebody_of_the_town() -> None:
    assert set(ROLES) <= set(PEOPLE)
