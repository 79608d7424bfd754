"""Whom an alert concerns: rosters over the region tree, orphans, files of duties and contacts."""

from datetime import timedelta
from pathlib import Path

import pytest
from ledger_town import AT, MARKET, OFFICER, alert, build
from test_commands import _run

from contracts.settings import SettingsError
from ledger import alerts, audit, cards, contacts, duties, establishments, officers
from ledger.alerts import AlertRow
from ledger.contacts import Contact
from ledger.duties import Duty
from ledger.engine import Connection, Engine, reading, writing
from ledger.establishments import Establishment, EstablishmentKind
from ledger.officers import Officer, Role

TOWN, COUNTY, CITY = "440703-tangxia", "440703", "440700"
HOUR = timedelta(hours=1)


def _add(conn: Connection, login: str, role: Role, region: str, **more: object) -> str:
    officers.add(conn, Officer(login, login, role, region, id=f"o-{login}", **more))  # type: ignore[arg-type]
    return f"o-{login}"


def _on_duty(conn: Connection, region: str, officer: str, first: int, last: int) -> None:
    duties.add(conn, Duty(region, officer, AT + first * HOUR, AT + last * HOUR))


def _alert(conn: Connection) -> AlertRow:
    alert_id, _ = alerts.raise_alert(conn, alert())
    row = alerts.get(conn, alert_id)
    assert row is not None
    return row


def _asked(conn: Connection, row: AlertRow, level: int = 0, hour: float = 1) -> tuple[object, ...]:
    found = duties.responsible(conn, row, level, AT + hour * HOUR)
    return ([one.login for one in found.officers], found.level, found.orphan)


def test_who_is_on_duty_with_the_establishments_own_officer(town: Engine) -> None:
    with writing(town) as conn:
        row = _alert(conn)
        assert _asked(conn, row) == (["li"], 0, False)
        wang = _add(conn, "wang", Role.TOWN, TOWN)
        zhao = _add(conn, "zhao", Role.TOWN, COUNTY)
        _add(conn, "sun", Role.TOWN, TOWN)
        _on_duty(conn, COUNTY, zhao, 0, 24)
        assert _asked(conn, row) == (["li", "zhao"], 0, False)
        # The nearer roster counts; its bounds are from the first moment up to the last.
        _on_duty(conn, TOWN, wang, 2, 4)
        assert _asked(conn, row, hour=2) == (["li", "wang"], 0, False)
        assert _asked(conn, row, hour=1.999) == (["li", "zhao"], 0, False)
        assert _asked(conn, row, hour=4) == (["li", "zhao"], 0, False)
        assert _asked(conn, row, hour=24) == (["li"], 0, False)
        officers.set_active(conn, OFFICER, False)
        assert _asked(conn, row, hour=24) == (["sun", "wang"], 0, False), "all of the town"


def test_nobody_here_is_the_next_level_and_nobody_at_all_is_said(town: Engine) -> None:
    with writing(town) as conn:
        row = _alert(conn)
        officers.set_active(conn, OFFICER, False)
        assert _asked(conn, row) == ([], 2, True)
        _add(conn, "chen", Role.CITY, CITY)
        assert _asked(conn, row) == (["chen"], 2, True)
        assert _asked(conn, row, level=2) == (["chen"], 2, False)
        _add(conn, "sideways", Role.COUNTY, "440705")
        _add(conn, "admin", Role.ADMIN, CITY)
        assert _asked(conn, row, level=1) == (["chen"], 2, True)
        _add(conn, "he", Role.COUNTY, COUNTY)
        assert _asked(conn, row) == (["he"], 1, True)
        assert _asked(conn, row, level=1) == (["he"], 1, False)


def test_the_establishments_own_people_are_told_at_the_same_time(town: Engine) -> None:
    with writing(town) as conn:
        row = _alert(conn)
        _add(conn, "keeper", Role.OPERATOR, TOWN, establishment_id=MARKET)
        _add(conn, "left", Role.OPERATOR, TOWN, establishment_id=MARKET, active=False)
        for level in (0, 1, 2):
            found = duties.responsible(conn, row, level, AT)
            assert [one.login for one in found.establishment_people] == ["keeper"]


def test_orphans_are_found_with_the_reason(town: Engine) -> None:
    everywhere = [TOWN, COUNTY, CITY]
    with writing(town) as conn:
        assert establishments.orphans(conn, everywhere) == []
        kind = EstablishmentKind.CANTEEN
        for name, officer in (("b-none", None), ("a-gone", "o-nobody")):
            new = Establishment(name, kind, TOWN, id=name, officer_id=officer)
            establishments.add(conn, new)
        officers.set_active(conn, OFFICER, False)
        found = establishments.orphans(conn, everywhere)
        assert sorted((one.establishment.id, one.why) for one in found) == [
            ("a-gone", "gone"),
            ("b-none", "none"),
            (MARKET, "inactive"),
        ]
        assert establishments.orphans(conn, ["440705"]) == []


def test_contacts_in_their_order(town: Engine) -> None:
    with writing(town) as conn:
        second = Contact(OFFICER, "sms", "13800000000", 2)
        contacts.put(conn, second, Contact(OFFICER, "wecom", "li", 1))
        assert [one.channel for one in contacts.of(conn, OFFICER)] == ["wecom", "sms"]
        contacts.put(conn, Contact(OFFICER, "sms", "13800000000", 0))
        assert [one.channel for one in contacts.of(conn, OFFICER)] == ["sms", "wecom"]
        assert contacts.set_active(conn, second.id, False)
        assert [one.channel for one in contacts.of(conn, OFFICER)] == ["wecom"]
        assert len(contacts.of(conn, OFFICER, active_only=False)) == 2
        assert contacts.remove(conn, second.id) and not contacts.remove(conn, second.id)


# Files.


@pytest.fixture
def url(file_book: Engine) -> str:
    with writing(file_book) as conn:
        build(conn)
        _add(conn, "he", Role.COUNTY, COUNTY)
        _add(conn, "shop", Role.OPERATOR, TOWN, establishment_id=MARKET)
        _add(conn, "left", Role.TOWN, TOWN, active=False)
    return str(file_book.url)


ROSTER = f"""region,login,starts_at,ends_at
{TOWN},li,2126-10-01 08:00,2126-10-02 08:00

{COUNTY},he,2126-10-01T00:00:00Z,2126-10-08T00:00:00Z
"""


def test_a_roster_is_taken_over_once_and_a_dry_run_writes_nothing(
    url: str, file_book: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "十月.csv"
    file.write_text("\ufeff" + ROSTER, "utf-8")
    everywhere = [TOWN, COUNTY]
    assert _run(url, "duties", "import", str(file), "--dry-run") == 0
    assert capsys.readouterr().out == "2 new, 0 changed, 0 as they are; nothing was written\n"
    with reading(file_book) as conn:
        assert duties.list_in(conn, everywhere, until_after=AT) == []
    assert _run(url, "duties", "import", str(file)) == 0
    file.write_text(ROSTER.replace("2126-10-02 08:00", "2126-10-02 20:00"), "utf-8")
    assert _run(url, "duties", "import", str(file)) == 0
    assert capsys.readouterr().out == (
        "2 new, 0 changed, 0 as they are\n0 new, 1 changed, 1 as they are\n"
    )
    with reading(file_book) as conn:
        first, second = duties.list_in(conn, everywhere, until_after=AT)
        assert (first.starts_at - second.starts_at).total_seconds() == 0, "08:00 in China, 0:00 UTC"
        assert {one.action for one in audit.entries(conn)} == {
            "duties.import",
            "duties.rows",
            "duties.changed",
        }
    assert _run(url, "duties", "list", "--region", COUNTY) == 0
    assert f"{TOWN}\tli\t2126-10-01 08:00–2126-10-02 20:00" in capsys.readouterr().out
    with pytest.raises(SettingsError, match="--region: 1 is not known"):
        _run(url, "duties", "list", "--region", "1")


def test_every_fault_of_a_roster_is_told_with_its_row_and_nothing_is_taken(
    url: str, file_book: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "roster.csv"
    rows = [
        f"{TOWN},li,2026-10-01 08:00,2026-10-02 08:00",
        f"{TOWN},li,2026-10-01 08:00,2026-10-03 08:00",
        f"{TOWN},nobody,2026-10-01 08:00,2026-10-02 08:00",
        f"{TOWN},left,2026-10-01 08:00,2026-10-02 08:00",
        f"{TOWN},shop,2026-10-01 08:00,2026-10-02 08:00",
        "440799,li,2026-10-01 08:00,2026-10-02 08:00",
        f"{COUNTY},li,2026-10-01 08:00,2026-10-02 08:00",
        f"{TOWN},li,2026-10-32 08:00,2026-10-02 08:00",
        f"{TOWN},li,2026-10-05 08:00,2026-10-05 08:00",
    ]
    file.write_text("region,login,starts_at,ends_at\n" + "\n".join(rows), "utf-8")
    assert _run(url, "duties", "import", str(file)) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{file}: row 3: the same as row 2",
        f"{file}: row 4: login: 'nobody' is not known",
        f"{file}: row 5: login: left is not active",
        f"{file}: row 6: login: shop is operator; duty is for town, county, city",
        f"{file}: row 7: region: '440799' is not known",
        f"{file}: row 8: region: 440703 is not in li's 440703-tangxia",
        f"{file}: row 9: starts_at: '2026-10-32 08:00' is no time like 2026-10-01 08:30",
        f"{file}: row 10: ends_at: 2026-10-05 08:00 is not after 2026-10-05 08:00",
    ]
    with reading(file_book) as conn:
        assert duties.list_in(conn, [TOWN], until_after=AT) == [] == audit.entries(conn)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", ": is empty; the first row names the columns login, channel, address"),
        (b"login,channel\n", ": row 1: column 'address' is missing"),
        (b"login,channel,address,x\n", ": row 1: column 'x' is not known"),
        (b"login,channel,address,login\n", ": row 1: column 'login' stands twice"),
        (b"login,channel,address\nli,sms\n", ": row 2: 2 columns, the header has 3"),
        (b'login,channel,address\nli,"sms,1\n', ": row 2: unexpected end of data"),
        (
            "login,channel,address\nli,短信,1\n".encode("gbk"),
            ": row 2: channel: '短信' is not made",
        ),
        (b"login,channel,address\nli,\xff,1\n", ": neither UTF-8 nor GB18030"),
        (b"login,channel,address\nli,SMS,1\n", ": row 2: channel: 'SMS' is not made of"),
        (b"login,channel,address,active\nli,sms,1,maybe\n", ": row 2: active: 'maybe' is"),
        (b"login,channel,address,position\nli,sms,1,-1\n", ": row 2: position: '-1' is no number"),
    ],
)
def test_a_faulty_file_of_contacts_is_refused(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, why: str
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_bytes(content)
    assert _run(url, "contacts", "import", str(file)) == 2
    assert f"{file}{why}" in capsys.readouterr().err


def test_contacts_are_taken_over_in_the_files_order(
    url: str, file_book: Engine, tmp_path: Path
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text(
        "login,channel,address,active\nli,wecom,li,\nhe,sms,139,\nli,sms,138,yes\nli,mail,a@b,no\n",
        "utf-8",
    )
    assert _run(url, "contacts", "import", str(file)) == 0
    with reading(file_book) as conn:
        found = contacts.of(conn, OFFICER, active_only=False)
        assert [(one.channel, one.position, one.active) for one in found] == [
            ("wecom", 0, True),
            ("sms", 1, True),
            ("mail", 2, False),
        ]


def test_orphans_on_the_command_line(
    url: str, file_book: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(url, "orphans") == 0
    with writing(file_book) as conn:
        officers.set_active(conn, OFFICER, False)
    assert _run(url, "orphans", "--region", COUNTY) == 1
    assert capsys.readouterr().out == f"{TOWN}\t{MARKET}\t棠下农贸市场\tinactive\n"
    assert _run(url, "orphans", "--region", "440705") == 0


def test_cards_on_the_command_line(
    url: str, file_book: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with writing(file_book) as conn:
        card = cards.give(conn, _alert(conn), "逾期 / overdue", AT, lasts=timedelta(days=1))
    assert card is not None
    assert _run(url, "cards", MARKET) == 0
    assert capsys.readouterr().out == f"{card.id}\tyellow\t2026-03-02 09:30\t逾期 / overdue\n"
    words = ("annul-card", card.id, "--reason", "误判：是猫", "--login")
    with pytest.raises(SettingsError, match="--login: nobody is not known"):
        _run(url, *words, "nobody")
    with pytest.raises(SettingsError, match="there is no card 'x'"):
        _run(url, "annul-card", "x", "--reason", "误判", "--login", "li")
    assert _run(url, *words, "li") == 0 == _run(url, *words, "li")
    assert capsys.readouterr().out == "annulled\nit was annulled before\n"
    assert _run(url, "cards", MARKET) == 0
    assert "annulled: 误判：是猫" in capsys.readouterr().out
    with reading(file_book) as conn:
        assert [(one.actor, one.action) for one in audit.entries(conn)] == [(OFFICER, "card.annul")]
