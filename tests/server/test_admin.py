"""Administration: lists, forms, what is wrong at its field, second writers, retiring, accounts."""

import re
from collections.abc import Callable

import pytest
from console_app import TestClient, csrf_of

from ledger.sheets.kinds import SHEETS

Enter = Callable[[str], TestClient]
SHOWN = ("rules", "limits", "calendars", "escalation")


def send(client: TestClient, path: str, **cells: str) -> "object":
    return client.post(path, data=cells | {"csrf": csrf_of(client)}, follow_redirects=False)


def version_in(page: str) -> str:
    found = re.search(r'name="version" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("login", ["admin", "shiju", "pengjiang"])
def test_every_page_opens_for_who_administers(as_officer: Enter, login: str) -> None:
    client = as_officer(login)
    for path in ("", *SHEETS, *SHOWN, *(f"{kind}/new" for kind in SHEETS)):
        answer = client.get(f"/admin/{path}".rstrip("/"))
        assert answer.status_code == 200, path
    for kind in SHEETS:
        assert client.get(f"/admin/import/{kind}").status_code == 200
        assert client.get(f"/admin/export/{kind}").status_code == 200
    assert 'href="/admin"' in client.get("/alerts").text


def test_others_are_refused_and_have_no_link(as_officer: Enter) -> None:
    for login in ("baisha", "shichang", "shenji"):
        client = as_officer(login)
        assert client.get("/admin").status_code == 403
        assert client.get("/admin/export/contacts").status_code == 403
        assert 'href="/admin"' not in client.get("/alerts").text
