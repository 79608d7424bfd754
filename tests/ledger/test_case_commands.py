"""`foodsentry ledger` for cases: the data checked, steps verified, publications booked."""

import argparse
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from case_story import Story, populate
from ledger_town import build
from sqlalchemy import text

from contracts.casework_file import FOLDER
from contracts.settings import SettingsError
from ledger import case_commands, cases, migrate
from ledger.commands import add_commands
from ledger.engine import Engine, open_engine, reading, writing


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    arguments = parser.parse_args(["ledger", *words])
    status: int = arguments.run(arguments)
    return status


def at(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr(case_commands, "utc_now", lambda: now)


@pytest.fixture
def office(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    migrate.upgrade(engine)
    with writing(engine) as conn:
        build(conn)
        populate(conn)
    return engine


def test_the_data_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, datetime.fromisoformat("2026-06-01T09:00+08:00"))
    assert run("check-casework") == 0
    told = capsys.readouterr()
    assert "objection\tright\t4 h\tfood_law_88_quick [V], periods [S]" in told.out
    assert "no fault found" in told.err
    # Twenty working days from the 3rd of December reach into a year without a calendar.
    at(monkeypatch, datetime.fromisoformat("2026-12-03T09:00+08:00"))
    assert run("check-casework") == 0
    at(monkeypatch, datetime.fromisoformat("2026-12-04T09:00+08:00"))
    assert run("check-casework") == 1
    assert "cn_2027.toml" in capsys.readouterr().err
    for file in FOLDER.glob("*.toml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    machine = tmp_path / "machine.toml"
    whole = machine.read_text("utf-8")
    machine.write_text(whole.replace('"city"', '"cty"', 1), "utf-8")
    with pytest.raises(SettingsError, match=r"move\.verify\.by: there is no role 'cty'"):
        run("check-casework", str(tmp_path))
    machine.write_text(whole.replace('["operator"]', '["operater"]', 1), "utf-8")
    with pytest.raises(SettingsError, match="own_time: there is no role 'operater'"):
        run("check-casework", str(tmp_path))


def test_steps_are_verified(office: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("verify", note="x", second="chen")
    url = ("--ledger", str(office.url))
    assert run("verify-cases", *url) == 0
    assert "2 steps hold; head" in capsys.readouterr().out
    with writing(office) as conn:
        conn.execute(text("DROP TRIGGER case_events_no_update"))
        conn.execute(text("UPDATE case_events SET actor = 'wang' WHERE seq = 2"))
    assert run("verify-cases", *url) == 1
    assert f"case {one.row.case_id}, step 2: changed" in capsys.readouterr().out
    with writing(office) as conn:
        conn.execute(text("UPDATE audit SET actor = 'nobody' WHERE id = 1"))
    assert run("verify-cases", *url) == 1
    assert "the audit chain is broken at entry 1" in capsys.readouterr().out


def test_publications_that_are_over_are_booked(
    office: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.close("minor")
        one.go("publish", "wang")
        shown = cases.publication(conn, one.row.case_id)
    assert shown is not None
    url = ("--ledger", str(office.url))
    at(monkeypatch, shown.expires_at - timedelta(seconds=1))
    assert run("expire-publications", *url) == 0
    assert "0 publications are over" in capsys.readouterr().out
    at(monkeypatch, shown.expires_at)
    assert run("expire-publications", *url) == 0
    assert "1 publications are over, 0 deadlines can be told now" in capsys.readouterr().out
    with reading(office) as conn:
        row = cases.get(conn, one.row.case_id)
    assert row is not None and row.state == "expired"
