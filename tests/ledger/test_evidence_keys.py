"""Signed pictures: checked as they come, never dropped; their keys booked and judged by people."""

import argparse
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from ledger_town import AGENT, AT, CAMERA, after, picture

from contracts.events import Evidence, Signature
from contracts.settings import SettingsError
from contracts.statement import spoken
from contracts.topics import Identity
from contracts.words import PictureRole
from edge_agent.custody.device_key import DeviceKey
from ledger import audit, evidence, evidence_keys
from ledger.commands import add_commands
from ledger.engine import Engine, reading, writing
from ledger.evidence import Vouched
from ledger.evidence_keys import Booked, Standing
from ledger.schema import evidence as evidence_table
from ledger.schema import evidence_contents
from ledger.signatures import SignatureState, check

FIRST, SECOND = (DeviceKey(AGENT.device, bytes([n]) * 32, AT) for n in (1, 2))


def signed(key: DeviceKey = FIRST, name: str = "p1", **changes: object) -> Evidence:
    return key.sign(CAMERA, picture(name, **changes))


def put(town: Engine, one: Evidence, at: datetime = AT) -> evidence.Stored:
    with writing(town) as conn:
        return evidence.put(conn, CAMERA, one, at, agent=AGENT.device)


def vouched(town: Engine, name: str = "p1") -> Vouched:
    with reading(town) as conn:
        row = evidence.get(conn, name)
        assert row is not None
        return row.vouched


def actions(town: Engine) -> list[str]:
    with reading(town) as conn:
        return [entry.action for entry in audit.entries(conn)]


def test_the_first_key_is_trusted_at_first_use(town: Engine) -> None:
    stored = put(town, signed(role=PictureRole.AFTER, original_sha256="a" * 64))
    assert stored == evidence.Stored(True, None)
    with reading(town) as conn:
        row = evidence.get(conn, "p1")
        assert row is not None
        assert (row.role, row.agent, row.original_sha256) == ("after", AGENT.device, "a" * 64)
        assert (row.signature_state, row.key_id) == (SignatureState.VALID, FIRST.key_id)
        assert (row.vouched, row.booked, row.booked_at) == (Vouched.VALID, Booked.FIRST_USE, AT)
        assert row.as_told() == signed(role=PictureRole.AFTER, original_sha256="a" * 64)
        (key,) = evidence_keys.list_in(conn, [AGENT.region], AGENT.site)
        assert (key.standing, key.public_key, key.key_epoch) == (
            Standing.TRUSTED, FIRST.public_key, AT,
        )  # fmt: skip
    assert actions(town) == ["evidence_key.first_use"]
    assert not put(town, signed()).new
    assert actions(town) == ["evidence_key.first_use"]


def test_an_unsigned_picture_is_kept_and_told_as_such(town: Engine) -> None:
    assert put(town, picture("p1")).new
    assert vouched(town) is Vouched.UNSIGNED
    with reading(town) as conn:
        assert evidence_keys.list_in(conn) == []


@pytest.mark.parametrize(
    "change",
    [
        {"captured_at": after(60)},
        {"observation_id": "another"},
        {"role": PictureRole.BEFORE},
        {"original_sha256": "b" * 64},
        {"evidence_id": "p9"},
    ],
)
def test_a_changed_picture_is_kept_and_told_as_such(
    town: Engine, change: dict[str, object]
) -> None:
    one = msgspec.structs.replace(signed(), **change)
    assert put(town, one).new
    assert vouched(town, one.evidence_id) is Vouched.INVALID
    with reading(town) as conn:
        assert evidence_keys.list_in(conn) == []


def test_other_bytes_under_the_old_signature_are_told(town: Engine) -> None:
    other = picture("p1", content=b"another")
    assert put(town, msgspec.structs.replace(other, signature=signed().signature)).new
    assert vouched(town) is Vouched.INVALID


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_key_or_signature_of_a_wrong_length_holds_nothing(town: Engine, length: int) -> None:
    good = signed().signature
    assert good is not None
    wrong = (
        Signature(good.key_id, good.key_epoch, bytes(length), good.value),
        Signature(good.key_id, good.key_epoch, good.public_key, bytes(length)),
    )
    for number, signature in enumerate(wrong):
        name = f"p{number}"
        one = msgspec.structs.replace(picture(name), signature=signature)
        put(town, one)
        assert vouched(town, name) is Vouched.INVALID


def test_told_by_another_agent_it_does_not_hold(town: Engine) -> None:
    assert check(CAMERA, "other-agent", signed()) is SignatureState.INVALID
    assert check(Identity("1", "2", "3"), AGENT.device, signed()) is SignatureState.INVALID


def test_another_key_is_news_until_a_person_says(town: Engine) -> None:
    put(town, signed())
    stored = put(town, signed(SECOND, "p2"), after(5))
    assert stored.new_key is not None and stored.new_key.key_id == SECOND.key_id
    assert put(town, signed(SECOND, "p3"), after(6)).new_key is None
    assert (vouched(town), vouched(town, "p2")) == (Vouched.VALID, Vouched.NEW_KEY)
    with writing(town) as conn:
        key = evidence_keys.find(conn, AGENT, SECOND.key_id[:12])
        evidence_keys.set_standing(conn, key, Standing.TRUSTED, "console", after(9))
    assert (vouched(town), vouched(town, "p2")) == (Vouched.VALID, Vouched.VALID)
    with writing(town) as conn:
        old = evidence_keys.find(conn, AGENT, FIRST.key_id)
        evidence_keys.set_standing(conn, old, Standing.REVOKED, "console", after(9))
    assert vouched(town) is Vouched.REVOKED_KEY
    assert actions(town)[:4] == [
        "evidence_key.revoked", "evidence_key.trusted", "evidence_key.later_use",
        "evidence_key.first_use",
    ]  # fmt: skip


def test_a_key_booked_beforehand_is_the_only_one_trusted(town: Engine) -> None:
    with writing(town) as conn:
        evidence_keys.add(conn, AGENT, SECOND.public_key, "console", AT)
        with pytest.raises(ValueError, match="booked already"):
            evidence_keys.add(conn, AGENT, SECOND.public_key, "console", AT)
        with pytest.raises(ValueError, match="no Ed25519"):
            evidence_keys.add(conn, AGENT, b"short", "console", AT)
    assert put(town, signed()).new_key is not None
    put(town, signed(SECOND, "p2"))
    assert (vouched(town), vouched(town, "p2")) == (Vouched.NEW_KEY, Vouched.VALID)


def test_a_start_that_fits_two_keys_or_none(town: Engine) -> None:
    put(town, signed())
    with reading(town) as conn:
        for start in ("00000000", FIRST.key_id[:7]):
            with pytest.raises(evidence_keys.KeyUnknown, match="give 8 digits or more"):
                evidence_keys.find(conn, AGENT, start)
        assert evidence_keys.find(conn, AGENT, spoken(FIRST.key_id)).key_id == FIRST.key_id


def test_the_best_one_of_several() -> None:
    def row(role: PictureRole) -> evidence.EvidenceRow:
        told = signed(role=role)
        return evidence.EvidenceRow(
            told.evidence_id, "r", "s", "d", "o", "image/jpeg", told.sha256, 4, 1, 1, AT, AT, True,
            (), role, "a", "", SignatureState.NONE, "", None, None, None,
        )  # fmt: skip

    rows = [row(role) for role in PictureRole]
    best = evidence.best_of(rows)
    assert best is not None and best.role is PictureRole.BEST
    assert evidence.best_of(rows[:1]) is rows[0]
    assert evidence.best_of([]) is None


def run(engine: Engine, *words: str | Path) -> int:
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    url = engine.url.render_as_string(hide_password=False)
    arguments = parser.parse_args(["ledger", *map(str, words), "--ledger", url])
    status: int = arguments.run(arguments)
    return status


def test_the_commands(town: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    put(town, signed())
    put(town, signed(SECOND, "p2", content=b"second"))
    put(town, picture("p3", content=b"third"))
    assert run(town, "verify-evidence") == 0
    assert "3 pictures: 1 new_key, 1 unsigned, 1 valid; 0 faults" in capsys.readouterr().out
    assert run(town, "verify-evidence", "--strict") == 1
    place = (AGENT.site, AGENT.device)
    assert run(town, "trust-evidence-key", *place, SECOND.key_id[:8]) == 0
    assert run(town, "evidence-keys", "--site", AGENT.site) == 0
    said = capsys.readouterr().out
    assert f"{spoken(SECOND.key_id)}  trusted  (later_use" in said and "2 keys" in said
    assert run(town, "revoke-evidence-key", *place, FIRST.key_id[:8]) == 0
    assert "revoked" in capsys.readouterr().out
    third = DeviceKey(AGENT.device, bytes([3]) * 32, AT)
    assert run(town, "add-evidence-key", *place, third.public_key.hex()) == 0
    for words, fault in (
        (("add-evidence-key", *place, "xyz"), "public_key"),
        (("add-evidence-key", "nowhere", "agent", "00"), "site: nowhere is not known"),
        (("trust-evidence-key", *place, "ffffffff"), "fingerprint: .*0 keys"),
        (("export-evidence", AGENT.site, "p9", "--to", "/nonexistent"), "has no p9"),
    ):
        with pytest.raises(SettingsError, match=fault):
            run(town, *words)
    assert run(town, "verify-audit") == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"captured_at": after(1)}, "was valid when the picture came, and is invalid now"),
        ({"role": "before"}, "was valid when the picture came, and is invalid now"),
        ({"signature": bytes(64)}, "was valid when the picture came, and is invalid now"),
        ({"signature": None}, "was valid when the picture came, and is none now"),
        ({"key_id": "0" * 64}, "and is invalid now"),
        ({"size": 5}, "the bytes were changed: 4, not 5"),
    ],
)
def test_a_book_that_was_touched_is_found_out(
    town: Engine, change: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(town, signed())
    with writing(town) as conn:
        conn.execute(evidence_table.update().values(change))
    assert run(town, "verify-evidence") == 1
    assert said in capsys.readouterr().out


def test_bytes_that_were_touched_are_found_out(
    town: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    put(town, signed())
    with writing(town) as conn:
        conn.execute(evidence_contents.update().values(content=b"JPEG"))
    assert run(town, "verify-evidence") == 1
    assert "p1: the bytes were changed: their SHA-256 is" in capsys.readouterr().out


def test_many_pictures_are_all_checked(town: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with writing(town) as conn:
        for number in range(120):
            one = signed(FIRST, f"p{number:03}", content=b"%d" % number)
            evidence.put(conn, CAMERA, one, AT, agent=AGENT.device)
    assert run(town, "verify-evidence", "--site", CAMERA.site) == 0
    assert "120 pictures: 120 valid; 0 faults" in capsys.readouterr().out
    assert run(town, "verify-evidence", "--site", "elsewhere") == 0
    assert "0 pictures: none" in capsys.readouterr().out


def test_an_auditor_needs_openssl_only(town: Engine, tmp_path: Path) -> None:
    put(town, signed())
    assert run(town, "export-evidence", CAMERA.site, "p1", "--to", tmp_path) == 0
    folder = tmp_path / "p1"
    verify = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "public_key.pem", "-rawin",
              "-in", "statement.txt", "-sigfile", "signature.bin"]  # fmt: skip
    assert " ".join(verify[:6]) in (folder / "README.txt").read_text("utf-8")
    assert subprocess.run(verify, cwd=folder, capture_output=True).returncode == 0
    said = (folder / "statement.txt").read_text("utf-8").partition("\n")[2]
    statement = msgspec.json.decode(said)
    assert statement["captured_at"] == "2026-03-02T01:30:02.123456Z"
    assert statement["sha256"] == picture("p1").sha256
    assert actions(town)[0] == "evidence.export"
    changed = (folder / "statement.txt").read_bytes().replace(b"best", b"rest")
    (folder / "statement.txt").write_bytes(changed)
    assert subprocess.run(verify, cwd=folder, capture_output=True).returncode != 0


def test_an_id_that_is_a_path_leads_nowhere(town: Engine, tmp_path: Path) -> None:
    put(town, signed(FIRST, "../../elsewhere"))
    target = tmp_path / "a" / "b"
    assert run(town, "export-evidence", CAMERA.site, "../../elsewhere", "--to", target) == 0
    assert [path.name for path in target.iterdir()] == [picture().sha256[:32]]
    assert not list(tmp_path.rglob("elsewhere*"))


def test_an_unsigned_one_is_exported_as_such(town: Engine, tmp_path: Path) -> None:
    put(town, picture("p1"))
    assert run(town, "export-evidence", CAMERA.site, "p1", "--to", tmp_path) == 0
    names = sorted(path.name for path in (tmp_path / "p1").iterdir())
    assert names == ["README.txt", "book.json", "picture.jpg", "statement.txt"]
    assert "not signed" in (tmp_path / "p1" / "README.txt").read_text("utf-8")


def test_times_are_kept_to_the_microsecond(town: Engine) -> None:
    at = datetime(2026, 3, 2, 1, 2, 3, 999999, tzinfo=UTC)
    put(town, signed(captured_at=at))
    assert run(town, "verify-evidence", "--strict") == 0
