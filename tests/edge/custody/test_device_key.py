"""The agent's key: made once, kept to itself, and what it signs can be checked by anyone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from facts import AGENT, START, picture
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Evidence
from contracts.statement import HEAD, Statement, fingerprint, spoken
from contracts.words import PictureRole
from edge_agent.custody.device_key import FILE, KeyUnusable, device_key, read_device_key
from edge_agent.doctor import examine
from edge_agent.outbox.store import Outbox
from edge_agent.settings import load_edge_settings
from foodsentry.cli import main


def evidence() -> Evidence:
    data = picture().data
    assert isinstance(data, Evidence)
    return data


def test_made_once_and_for_nobody_else_to_read(tmp_path: Path) -> None:
    first = device_key(tmp_path, "agent", lambda: START)
    again = device_key(tmp_path, "agent", lambda: datetime(2027, 1, 1, tzinfo=UTC))
    assert (again.key_id, again.made_at) == (first.key_id, START)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE).chmod(0o644)
    device_key(tmp_path, "agent", lambda: START)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    other = tmp_path / "other"
    other.mkdir()
    assert device_key(other, "agent", lambda: START).key_id != first.key_id


def test_a_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    device_key(tmp_path, "agent", lambda: START)
    whole = (tmp_path / FILE).read_bytes()
    for damaged in (b"", whole[:-5], whole.replace(b"version", b"wersion"), b"\xff"):
        (tmp_path / FILE).write_bytes(damaged)
        with pytest.raises(KeyUnusable, match=r"device_key.json: the signing key cannot be read"):
            device_key(tmp_path, "agent", lambda: START)
        assert (tmp_path / FILE).read_bytes() == damaged
    assert read_device_key(tmp_path / "nothing", "agent") is None


def test_a_folder_that_takes_no_key(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="cannot be kept"):
        device_key(tmp_path / "missing", "agent", lambda: START)


def test_the_signature_holds_for_this_statement_only(tmp_path: Path) -> None:
    key = device_key(tmp_path, AGENT.device, lambda: START)
    signed = key.sign(AGENT.sibling("cam-1"), evidence())
    signature = signed.signature
    assert signature is not None
    assert signature.key_id == fingerprint(signature.public_key) == key.key_id
    statement = Statement(
        source=AGENT.sibling("cam-1").source, agent=AGENT.device, evidence_id="e1",
        observation_id="", role=PictureRole.BEST, captured_at=START, sha256=signed.sha256,
        original_sha256="", key_id=key.key_id, key_epoch=START,
    )  # fmt: skip
    public = Ed25519PublicKey.from_public_bytes(signature.public_key)
    public.verify(signature.value, statement.signed_bytes())
    for changed in (
        {"source": "/1/2/3"}, {"agent": "x"}, {"evidence_id": "e2"}, {"observation_id": "o"},
        {"role": PictureRole.AFTER}, {"captured_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"sha256": "0" * 64}, {"original_sha256": "0" * 64},
        {"key_epoch": datetime(2026, 1, 1, tzinfo=UTC)},
    ):  # fmt: skip
        other = msgspec.structs.replace(statement, **changed)
        with pytest.raises(InvalidSignature):
            public.verify(signature.value, other.signed_bytes())


@given(st.text(max_size=60), st.text(max_size=60), st.datetimes(timezones=st.just(UTC)))
def test_a_statement_is_the_same_bytes_whoever_writes_it(one: str, two: str, at: datetime) -> None:
    """As an auditor without our software would write it: sorted keys, no spaces."""
    statement = Statement(one, "agent", two, "o", PictureRole.BEST, at, "a", "", "k", START)
    body = {
        "agent": "agent", "captured_at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0"),
        "evidence_id": two, "key_epoch": "2026-03-02T01:00:00.000000Z", "key_id": "k",
        "observation_id": "o", "original_sha256": "", "role": "best", "sha256": "a", "source": one,
    }  # fmt: skip
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert statement.signed_bytes() == HEAD + text.encode()


def test_a_fingerprint_as_people_say_it() -> None:
    assert spoken("0123456789abcdef" * 4) == "0123 4567 89ab cdef 0123 4567 89ab cdef"


def test_edge_key_shows_it_and_makes_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "site.toml"
    settings.write_text('[agent]\nregion = "440703"\nsite = "market-1"\n')
    assert main(["edge", "key", str(settings)]) == 1
    assert "none yet" in capsys.readouterr().err
    state = tmp_path / "outbox.state"
    assert not state.exists()
    state.mkdir()
    key = device_key(state, "agent", lambda: START)
    assert main(["edge", "key", str(settings)]) == 0
    assert spoken(key.key_id) in capsys.readouterr().out
    assert main(["edge", "key", str(settings), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["public_key"], said["key_id"]) == (key.public_key.hex(), key.key_id)
    (state / FILE).write_bytes(b"{}")
    assert main(["edge", "key", str(settings)]) == 1
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "what", "grave"),
    [
        ("", "no originals of findings are kept", False),
        ('[vault]\nofficers = ["a.pub", "b.pub"]\n', "vault.officers[0]", True),
    ],
)
def test_the_doctor_says_that_no_originals_are_kept(
    tmp_path: Path, more: str, what: str, grave: bool
) -> None:
    settings = tmp_path / "site.toml"
    camera = '[[cameras]]\ndevice = "cam-1"\nsource = "usb:0"\nscene = "s"\n'
    settings.write_text(f'[agent]\nregion = "440703"\nsite = "market-1"\n{camera}{more}')
    read = load_edge_settings(settings)
    Outbox(tmp_path / "outbox.sqlite", AGENT, lambda: START).close()
    found = examine(read, settings, START, lambda endpoint, topic: "")
    about = [one for one in found.findings if what in one.what]
    assert [one.grave for one in about] == [grave]
