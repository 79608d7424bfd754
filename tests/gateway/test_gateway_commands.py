"""Tests of `foodsentry gateway …`: dead letters and their replay, rule check, settings' errors."""

from pathlib import Path

import pytest
from gateway_town import NOON, READER, inbound, market, registry, result

from foodsentry.cli import main
from gateway.alerts.book import RuleBook
from gateway.intake.store import take_in
from gateway.unpack import Refused, unpack
from ledger import alerts, dead_letters, devices, results
from ledger.engine import Engine, reading, writing
from timeseries.settings import SeriesSettings, open_store


@pytest.fixture
def settings_file(ledger_file: Path) -> Path:
    path = ledger_file.parent / "gateway.toml"
    path.write_text('[ledger]\nurl = "sqlite:///ledger.db"\n[series]\npath = "s.db"\n', "utf-8")
    return path


def bury(ledger: Engine, book: RuleBook) -> None:
    """A result of a device that nobody has registered yet, and garbage."""
    late = unpack(inbound(market("reader2"), result(), 1), registry())
    assert isinstance(late, Refused)
    with writing(ledger) as conn:
        take_in(conn, [], [late], book, NOON)
        dead_letters.add(conn, "fs/v1/440703/market1/reader1/tests", b"{", "not JSON", NOON)


def test_replay_after_the_fix(
    ledger: Engine, book: RuleBook, settings_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bury(ledger, book)
    at = ["--settings", str(settings_file)]
    assert main(["gateway", "dead-letters", "list", *at]) == 0
    listed = capsys.readouterr().out
    assert "not JSON" in listed and "reader2 is not registered" in listed
    assert main(["gateway", "dead-letters", "show", "1", *at]) == 0
    assert '"specversion":"1.0"' in capsys.readouterr().out
    assert main(["gateway", "dead-letters", "show", "9", *at]) == 1
    assert "no dead letter 9" in capsys.readouterr().err
    with writing(ledger) as conn:
        old = devices.get(conn, READER)
        assert old is not None
        new = {name: getattr(old, name) for name in ("region", "site", "kind", "registered_at")}
        devices.add(conn, devices.Device(device="reader2", name="second", **new))
    assert main(["gateway", "dead-letters", "replay", *at]) == 1
    said = capsys.readouterr().out
    assert "1\ttaken in" in said and "2\trefused: not JSON" in said
    assert main(["gateway", "dead-letters", "replay", "1", *at]) == 0  # again: harmless
    with reading(ledger) as conn:
        assert len(results.list_in(conn, ["440703"])) == 1
        (alert,) = alerts.list_in(conn, None)
        waiting = [letter.id for letter in dead_letters.list(conn, waiting_only=True)]
    assert (alert.rule, alert.device, waiting) == ("pesticide_positive", "reader2", [2])
    store = open_store(SeriesSettings(path="s.db"), settings_file.parent)
    assert store.latest("tests", "positive", {"device": "reader2"}) is not None
    store.close()


def test_check_rules(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gateway", "check-rules"]) == 0
    assert "pesticide_positive\tversion 1\tclass 1" in capsys.readouterr().out
    bad = tmp_path / "bad.toml"
    bad.write_text("[[rule]]\n", "utf-8")
    assert main(["gateway", "check-rules", str(bad)]) == 2
    assert f"{bad}: rule[0]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ledger]\n[series]\n[mqtt]\nhots = 1\n", "mqtt: Object contains unknown field `hots`"),
        ('[ledger]\n[series]\n[intake]\ngroup = "a/b"\n', "intake.group"),
        ('[ledger]\nurl = "mysql://x"\n[series]\n', "ledger.url"),
        ('[ledger]\nurl = "sqlite:///x.db"\n[series]\napi = "v1"\n', "series.url"),
        (
            '[ledger]\nurl = "sqlite:///x.db"\n[series]\n[alerts]\nrules = "none.toml"\n',
            "none.toml: cannot be read",
        ),
        (
            '[ledger]\nurl = "sqlite:///x.db"\n[series]\n[mqtt]\ntls_ca_file = "no.crt"\n',
            "mqtt.tls_ca_file",
        ),
        ('[ledger]\nurl = "sqlite:///x.db"\n[series]\n[http]\nport = 0\n', "ledger migrate"),
    ],
)
def test_wrong_settings_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text(text, "utf-8")
    assert main(["gateway", "run", str(file)]) == 2
    assert said in capsys.readouterr().err
