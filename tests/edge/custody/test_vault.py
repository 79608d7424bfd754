"""The vault keeps what it may as long as it may, says what it dropped, and loses nothing half."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.custody.officer_keys import PublicKey
from edge_agent.custody.sealing import About, open_sealed
from edge_agent.custody.vault import COUNTS, Vault, VaultError, list_sealed

AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
KEYS = [X25519PrivateKey.generate() for _ in range(2)]
OFFICERS = [
    PublicKey(name, key.public_key().public_bytes_raw())
    for name, key in zip(("李", "王"), KEYS, strict=True)
]


def vault(folder: Path, *, days: int = 30, most: int = 100_000) -> Vault:
    return Vault(folder, OFFICERS, retention_days=days, most_bytes=most)


def put(kept: Vault, number: int, size: int = 1000, now: datetime | None = None) -> Path:
    at = AT + timedelta(hours=number)
    about = About(
        "/440703/canteen/cam-1", f"e{number}", "o", at, "image/jpeg", 8, 8, size, "0" * 64
    )
    return kept.keep(bytes([number % 256]) * size, about, now or at)


def test_what_is_kept_opens_again(tmp_path: Path) -> None:
    path = put(vault(tmp_path / "vault"), 3)
    assert path.name == "20260302T040000000000Z_cam-1_e3.sealed"
    assert path.stat().st_mode & 0o077 == 0
    assert open_sealed(path.read_bytes(), KEYS)[1] == b"\3" * 1000
    assert b"\3" * 16 not in path.read_bytes()


def test_the_oldest_make_room_and_are_counted(tmp_path: Path) -> None:
    kept = vault(tmp_path, most=5000)
    for number in range(10):
        put(kept, number)
    listed = list_sealed(tmp_path)
    assert [one.head.about.evidence_id for one in listed if one.head] == ["e7", "e8", "e9"]
    assert sum(one.size for one in listed) <= 5000
    assert kept.figures()["vault_pushed_out"] == 7
    with pytest.raises(VaultError, match="above its bound"):
        put(kept, 11, size=6000)
    assert len(list_sealed(tmp_path)) == 3


def test_what_is_too_old_goes_and_is_counted(tmp_path: Path) -> None:
    kept = vault(tmp_path, days=1)
    for number in (0, 1, 30):
        put(kept, number, now=AT)
    kept.sweep(AT + timedelta(hours=24, minutes=30))
    assert [one.head.about.evidence_id for one in list_sealed(tmp_path) if one.head] == [
        "e1",
        "e30",
    ]
    put(kept, 31, now=AT + timedelta(hours=31))
    again = vault(tmp_path, days=1)
    assert again.figures() == {
        "vault_originals": 2, "vault_expired": 2, "vault_pushed_out": 0,
        "vault_bytes": sum(one.size for one in list_sealed(tmp_path)),
    }  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 400), st.integers(1, 3000)), max_size=20))
def test_it_is_never_above_its_bound(
    tmp_path_factory: pytest.TempPathFactory, given_: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("vault")
    kept = vault(folder, most=6000)
    for number, size in given_:
        put(kept, number, size)
        assert sum(path.stat().st_size for path in folder.glob("*.sealed")) <= 6000
    used = sum(path.stat().st_size for path in folder.glob("*.sealed"))
    assert kept.figures()["vault_bytes"] == used


def test_what_a_power_cut_left_is_cleared_and_the_rest_is_whole(tmp_path: Path) -> None:
    kept = vault(tmp_path)
    put(kept, 1)
    torn = tmp_path / ".20260302T020000000000Z_cam-1_e2.sealed.new"
    torn.write_bytes(b"FSSEAL1\n half")
    (tmp_path / COUNTS).write_bytes(b"{")
    again = vault(tmp_path)
    assert not torn.exists()
    assert [one.path.name for one in list_sealed(tmp_path)] == [put(again, 1).name]


def test_a_damaged_file_is_listed_as_such(tmp_path: Path) -> None:
    path = put(vault(tmp_path), 1)
    path.write_bytes(b"something else")
    (one,) = list_sealed(tmp_path)
    assert one.head is None and "does not begin with FSSEAL1" in one.trouble


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(VaultError, match=r"vault .*file"):
        vault(tmp_path / "file")


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    kept = vault(tmp_path / "vault")
    (tmp_path / "vault" / ".20260302T020000000000Z_cam-1_e1.sealed.new").mkdir()
    with pytest.raises(VaultError, match="vault"):
        put(kept, 1)
