"""`foodsentry vault …` as two officers meet it, and the access log that outlives them."""

import argparse
import shutil
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from contracts.settings import SettingsError
from edge_agent.custody.access_log import FILE, LogBroken, read_log
from edge_agent.custody.commands import add_commands
from edge_agent.custody.custody import open_custody, read_officers
from edge_agent.custody.officer_keys import read_private
from edge_agent.custody.sealing import About
from edge_agent.custody.settings import VaultSettings

pytestmark = pytest.mark.slow

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PICTURE = b"\xff\xd8 not blurred \xff\xd9"


def run(*words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    arguments = parser.parse_args(["vault", *map(str, words)])
    status: int = arguments.run(arguments)
    return status


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the keys of three officers."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("li", "wang", "eve"):
        (folder / f"{name}.pass").write_text(f"{name} has a long secret\n")
        files = ("--private", folder / f"{name}.key", "--public", folder / f"{name}.pub")
        secret = ("--passphrase-file", folder / f"{name}.pass")
        assert run("keygen", name.title(), *files, *secret) == 0
    return folder


class Office:
    """Officers with their keys, and an agent whose vault holds one original."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder = folder
        for file in keys.iterdir():
            shutil.copy(file, folder)
        self.settings = folder / "edge.toml"
        self.settings.write_text(
            '[agent]\nregion = "440703"\nsite = "canteen"\n'
            '[vault]\nofficers = ["li.pub", "wang.pub"]\n'
        )
        vault = VaultSettings(officers=["li.pub", "wang.pub"])
        state = folder / "outbox.state"
        state.mkdir()
        custody = open_custody(vault, "agent", base=folder, state=state, clock=lambda: AT)
        assert custody.vault is not None and custody.trouble == ""
        about = About(
            "/440703/canteen/cam-1", "e1", "o1", AT, "image/jpeg", 8, 8, len(PICTURE), "a" * 64
        )
        self.sealed = custody.vault.keep(PICTURE, about, AT)
        self.log = self.sealed.parent / FILE

    def open(self, *names: str, reason: str = "case 7", sealed: Path | None = None) -> int:
        words: list[str | Path] = ["open", sealed or self.sealed]
        for name in names:
            words += ["--key", self.folder / f"{name}.key"]
            words += ["--passphrase-file", self.folder / f"{name}.pass"]
        return run(*words, "--reason", reason, "--out", self.folder / "out.jpg")


@pytest.fixture
def office(tmp_path: Path, keys: Path) -> Office:
    return Office(tmp_path, keys)


def test_two_officers_open_it_and_it_is_noted(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert office.open("wang", "li") == 0
    assert (office.folder / "out.jpg").read_bytes() == PICTURE
    assert (office.folder / "out.jpg").stat().st_mode & 0o077 == 0
    (entry,) = read_log(office.log)
    assert [name.split()[0] for name in entry.who] == ["Wang", "Li"]
    assert (entry.action, entry.reason, entry.evidence_id) == ("open", "case 7", "e1")
    assert entry.hash in capsys.readouterr().out
    assert run("log", office.settings) == 0
    assert "1 entries hold" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("li", "eve"), "needs the private key of"),
        (("li", "li"), "--key: both files hold the same key"),
        (("li",), "--key: two officers' keys are needed"),
    ],
)
def test_anything_less_does_not_open_it(
    office: Office, names: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert office.open(*names) == 1
        assert said in capsys.readouterr().err
    except SettingsError as error:
        assert said in str(error)
    assert not (office.folder / "out.jpg").exists()
    assert read_log(office.log) == []


def test_no_reason_no_picture(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert office.open("li", "wang", reason="  ") == 1
    assert "a reason is needed" in capsys.readouterr().err
    assert not (office.folder / "out.jpg").exists()


def test_a_wrong_passphrase(office: Office) -> None:
    (office.folder / "wang.pass").write_text("something quite else")
    with pytest.raises(SettingsError, match=r"wang.key: wrong passphrase"):
        office.open("li", "wang")


def test_exported_it_stays_sealed_and_is_opened_elsewhere(office: Office) -> None:
    words = ("export", office.settings, "e1", "--to", office.folder / "stick", "--who", "Zhao")
    assert run(*words, "--reason", "case 7") == 0
    copy = office.folder / "stick" / office.sealed.name
    assert copy.read_bytes() == office.sealed.read_bytes()
    assert [(one.action, one.who) for one in read_log(office.log)] == [("export", ("Zhao",))]
    with pytest.raises(SettingsError, match="is there already"):
        run(*words, "--reason", "again")
    with pytest.raises(SettingsError, match="holds no original of evidence e2"):
        run("export", office.settings, "e2", "--to", office.folder, "--who", "Z", "--reason", "r")
    assert office.open("li", "wang", sealed=copy) == 0
    assert len(read_log(copy.parent / FILE)) == 1


def test_a_log_that_was_touched_opens_nothing_more(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    for reason in ("one", "two", "three"):
        assert office.open("li", "wang", reason=reason) == 0
        (office.folder / "out.jpg").unlink()
    lines = office.log.read_bytes().splitlines()
    touched = lines[1].replace(b"two", b"2wo")
    for damaged, said in (
        ([lines[0], touched, lines[2]], "line 2: content does not have its hash"),
        ([lines[0], lines[2]], "line 2: does not follow"),
        ([lines[1], lines[0], lines[2]], "line 1: does not follow"),
        ([lines[0], lines[1][:-9]], "line 2: "),
    ):
        office.log.write_bytes(b"\n".join(damaged) + b"\n")
        with pytest.raises(LogBroken, match=said):
            read_log(office.log)
        assert run("log", office.log) == 1
        assert office.open("li", "wang") == 1
        assert said in capsys.readouterr().err
        assert not (office.folder / "out.jpg").exists()


def test_the_list(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", office.settings) == 0
    said = capsys.readouterr().out
    assert "/440703/canteen/cam-1  e1" in said and "1 originals" in said
    assert run("list", office.settings, "--json") == 0
    line = msgspec.json.decode(capsys.readouterr().out)
    assert line["about"]["evidence_id"] == "e1" and len(line["key_ids"]) == 2
    office.sealed.write_bytes(b"x")
    assert run("list", office.settings) == 1


def test_keys_are_never_overwritten_and_passphrases_not_short(office: Office) -> None:
    with pytest.raises(SettingsError, match=r"li.key: is there already"):
        run("keygen", "Li", "--private", office.folder / "li.key", "--public",
            office.folder / "new.pub", "--passphrase-file", office.folder / "li.pass")  # fmt: skip
    (office.folder / "short").write_text("short")
    with pytest.raises(SettingsError, match="at least 12 characters"):
        run("keygen", "Li", "--private", office.folder / "new.key", "--public",
            office.folder / "new.pub", "--passphrase-file", office.folder / "short")  # fmt: skip


def test_a_private_key_whose_name_was_changed_does_not_open(office: Office) -> None:
    path = office.folder / "li.key"
    path.write_bytes(path.read_bytes().replace(b'"Li"', b'"Ma"'))
    with pytest.raises(SettingsError, match="wrong passphrase, or the file was changed"):
        read_private(path, "li has a long secret")


@pytest.mark.parametrize(
    ("officers", "said"),
    [
        (["li.pub"], "needs the public keys of two officers"),
        (["li.pub", "li.pub"], "both files hold the same key"),
        (["li.pub", "no.pub"], r"vault.officers\[1\]: .*no.pub: No such file"),
        (["li.pub", "wang.key"], r"vault.officers\[1\]: .*wang.key: no officer's public key"),
    ],
)
def test_officers_keys_that_cannot_serve(office: Office, officers: list[str], said: str) -> None:
    settings = VaultSettings(officers=officers)
    with pytest.raises(SettingsError, match=said):
        read_officers(settings, office.folder)
    custody = open_custody(
        settings, "agent", base=office.folder, state=office.folder, clock=lambda: AT
    )
    assert custody.vault is None and custody.key is not None
    assert custody.trouble.startswith("no originals are kept: vault.officers")
