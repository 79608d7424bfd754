"""Beside other libraries: nothing that they keep of a damaged stream is lost by us."""

import importlib
import random

import pytest

from foodsentry.bench import rivalry
from foodsentry.bench.figures import compare, table
from foodsentry.bench.rivals import AstmServer, PymodbusClient, RivalMissing, load


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_damaged_e1381(seed: int) -> None:
    outcome = rivalry.e1381_outcome(200, seed)
    assert outcome.sent == 1000
    assert outcome.only_theirs == 0
    assert outcome.ours >= outcome.theirs > 0
    assert outcome.ours_invented <= 2  # one damaged frame in 256 has the right sum all the same


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_damaged_modbus(seed: int) -> None:
    outcome = rivalry.modbus_outcome(200, seed)
    assert outcome.only_theirs == outcome.ours_invented == 0
    assert outcome.ours > outcome.theirs


def test_both_read_what_is_whole() -> None:
    stream, sent = rivalry.transfer("7")
    profile = rivalry._profile()
    for live in (True, False):
        assert set(rivalry.ours(profile, rivalry.reads_of(stream), live=live)) == sent
    assert set(rivalry.theirs(rivalry.reads_of(stream))) == sent
    server = AstmServer()
    server.read(b"\x05")
    assert server.sent == [b"\x06"]
    assert PymodbusClient().exchange(1, 1, 2, [rivalry._reply(1, (234, 567))]) == [234, 567]


def test_whole_results_of_a_recording_survive_a_damaged_last_record() -> None:
    stream, sent = rivalry.transfer("8")
    broken = stream.replace(b"L|1|N", b"L|1|M")
    found = rivalry.ours(rivalry._profile(), rivalry.reads_of(broken), live=False)
    assert set(found) == sent


def test_damage_is_the_same_for_the_same_seed() -> None:
    stream, _ = rivalry.transfer("9")
    assert rivalry.damaged(random.Random(1), stream) == rivalry.damaged(random.Random(1), stream)


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(RivalMissing, match="astm-2025 is not installed"):
        load("astm.server", "astm-2025")


def test_the_ratio_has_a_column() -> None:
    first, second = compare(("a", "b"), "x/s", (lambda: 10, lambda: 10), 1)
    assert first.ratio is not None
    assert second.ratio is None
    assert "× the other" in table("t", [first, second])
    assert "× the other" not in table("t", [second])
