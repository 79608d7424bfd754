"""`foodsentry ledger …` as an operator meets it."""

import argparse
from pathlib import Path

import pytest
from ledger_town import AT

from contracts.settings import SettingsError
from ledger import audit, migrate, officers, regions
from ledger.commands import add_commands
from ledger.engine import LedgerDown, open_engine, reading, writing
from ledger.region_files import read_regions
from ledger.schema import audit as audit_table
from ledger.settings import LedgerSettings

JIANGMEN = Path(__file__).parents[2] / "firmware_configs" / "regions" / "jiangmen.toml"


def _run(url: str, *words: str, hasher: bool = True) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    arguments = parser.parse_args(["ledger", *words, "--ledger", url])
    if hasher:
        arguments.hash_password = lambda password: f"hash of {password}"
    status: int = arguments.run(arguments)
    return status


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.db"


def test_from_nothing_to_an_officer(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(url, "load-regions", str(JIANGMEN)) == 1
    assert "run `foodsentry ledger migrate`" in capsys.readouterr().err
    assert _run(url, "migrate") == 0
    assert f"empty → {migrate.expected()}" in capsys.readouterr().out
    assert _run(url, "migrate") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert _run(url, "load-regions", str(JIANGMEN)) == 0
    assert _run(url, "load-regions", str(JIANGMEN)) == 0
    secret = tmp_path / "secret"
    secret.write_text("open sesame\n", "utf-8")
    words = ("--name", "李国华", "--role", "county", "--password-file", str(secret))
    assert _run(url, "add-officer", "li", *words, "--region", "440703") == 0
    with pytest.raises(SettingsError, match="login: li is taken"):
        _run(url, "add-officer", "li", *words, "--region", "440703")
    with pytest.raises(SettingsError, match="--region: 1 is not known"):
        _run(url, "add-officer", "wang", *words, "--region", "1")
    with pytest.raises(SettingsError, match="not installed here"):
        _run(url, "add-officer", "wang", *words, "--region", "440703", hasher=False)
    assert _run(url, "set-language", "li", "en") == 0
    with pytest.raises(SettingsError, match="login: wang is not known"):
        _run(url, "set-language", "wang", "en")
    engine = open_engine(url)
    with writing(engine) as conn:
        officer = officers.by_login(conn, "li")
        assert officer is not None
        assert (officer.password_hash, officer.language) == ("hash of open sesame", "en")
        assert [entry.action for entry in audit.entries(conn)] == [
            "officer.language",
            "officer.add",
            "regions.load",
            "regions.load",
        ]
        assert "sesame" not in str(audit.entries(conn))
        assert "440703-tangxia" in regions.subtree(conn, "440703")
    assert _run(url, "verify-audit") == 0
    with writing(engine) as conn:
        conn.execute(audit_table.update().where(audit_table.c.id == 2).values(at=AT))
    capsys.readouterr()
    assert _run(url, "verify-audit") == 1
    assert "broken at entry 2" in capsys.readouterr().out
    engine.dispose()


def test_a_ledger_that_cannot_be_reached(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = "postgresql+psycopg://x@127.0.0.1:1/x"
    assert _run(nowhere, "verify-audit") == 1
    assert "connection" in capsys.readouterr().err
    with pytest.raises(SettingsError, match=r"--ledger: 'mysql' is neither"):
        _run("mysql://x", "migrate")


def test_a_url_is_needed(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.delenv("FOODSENTRY_LEDGER_URL", raising=False)
    with pytest.raises(SettingsError, match="--ledger: no database URL"):
        _run("", "migrate")
    monkeypatch.setenv("FOODSENTRY_LEDGER_URL", url)
    assert _run("", "migrate") == 0


def test_the_regions_of_jiangmen() -> None:
    found = read_regions(JIANGMEN)
    districts = [r.code for r in found if r.parent == "440700"]
    assert districts == ["440703", "440704", "440705", "440781", "440783", "440784", "440785"]
    assert all(any(town.parent == code for town in found) for code in districts)
    # What was not checked against a primary text says so.
    assert all("[U]" in region.source for region in found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('code = "a/b"', r"region\[0\]: code 'a/b' must be"),
        ('code = "1"\nparent = "2"', r"region\[0\]: parent 2 does not stand before it"),
        ('code = "1"\ncolour = "red"', r"region\[0\].*colour"),
    ],
)
def test_a_wrong_regions_file_says_where(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "regions.toml"
    rest = 'name_zh = "甲"\nname_en = "A"\nsource = "test"\n'
    path.write_text(f"[[region]]\n{text}\n{rest}", "utf-8")
    with pytest.raises(SettingsError, match=reason) as raised:
        read_regions(path)
    assert str(path) in str(raised.value)


def test_a_region_that_stands_twice(tmp_path: Path) -> None:
    path = tmp_path / "regions.toml"
    one = '[[region]]\ncode = "1"\nname_zh = "甲"\nname_en = "A"\nsource = "test"\n'
    path.write_text(one * 2, "utf-8")
    with pytest.raises(SettingsError, match=r"region\[1\]: code 1 stands twice"):
        read_regions(path)


def test_settings_open_the_ledger_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gateway.toml"
    engine = LedgerSettings(url="sqlite:///data/ledger.db").open(file)
    assert engine.url.database == str(tmp_path / "data" / "ledger.db")
    engine.dispose()
    (tmp_path / "url").write_text("sqlite:////tmp/x.db\n", "utf-8")
    engine = LedgerSettings(url_file="url").open(file)
    assert engine.url.database == "/tmp/x.db"
    engine.dispose()
    monkeypatch.delenv("FOODSENTRY_LEDGER_URL", raising=False)
    with pytest.raises(SettingsError, match=r"gateway.toml: ledger.url: no database URL"):
        LedgerSettings().open(file)
    with pytest.raises(SettingsError, match=r"gateway.toml: ledger.url: 'mysql' is neither"):
        LedgerSettings(url="mysql://x").open(file)
    with pytest.raises(SettingsError, match=r"ledger.url_file: secret file .*nothing"):
        LedgerSettings(url_file="nothing").open(file)


def test_the_folder_of_a_file_is_made(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    engine = LedgerSettings(url="sqlite:///data/deep/ledger.db").open(file)
    with pytest.raises(LedgerDown, match=r"data/deep/ledger.db: unable to open"), reading(engine):
        pass
    migrate.upgrade(engine)
    migrate.check(engine)
    engine.dispose()
