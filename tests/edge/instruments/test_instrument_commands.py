"""`foodsentry instrument …` as processes: decode, lint, list, and listen against simulate."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.limits import load_limits
from contracts.words import Verdict
from edge_agent.instruments.blackbox import read_pieces
from edge_agent.instruments.captures import CAPTURED_AT, read_hex
from edge_agent.instruments.decoder import decode_frame
from edge_agent.instruments.hosts.actions import Take
from edge_agent.instruments.hosts.make import make_hearing_host
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.redecode import redecode
from edge_agent.instruments.results import Reader
from edge_agent.simulation.serial_lis2 import Lis2Result, VirtualLis2
from edge_agent.simulation.serial_xy_md02 import VirtualXyMd02

FOLDER = Path(__file__).parents[3] / "firmware_configs" / "instruments"
COMMAND = [sys.executable, "-m", "foodsentry.cli", "--log-level", "error", "instrument"]


def call(*arguments: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments], input=content, capture_output=True, timeout=60, check=False
    )


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.decode().splitlines()]


def test_decode(tmp_path: Path) -> None:
    captures = FOLDER / "dayuan_lz_4000t" / "captures"
    clean = call("decode", "--profile", "dayuan_lz_4000t", "-",
                 content=read_hex(captures / "day_of_three" / "input.hex"))  # fmt: skip
    assert clean.returncode == 0
    assert clean.stderr == b""
    first = lines(clean.stdout)[0]
    assert list(first)[:10] == [
        "sample_id", "item", "value", "number", "unit", "flag", "status", "measured_at",
        "operator", "raw_sha256",
    ]  # fmt: skip
    assert [line["value"] for line in lines(clean.stdout)] == ["12.34", "49.99", "50.00"]
    file = tmp_path / "noisy.bin"
    file.write_bytes(read_hex(captures / "noise_and_damage" / "input.hex"))
    noisy = call("decode", "--profile", "dayuan_lz_4000t", str(file))
    assert noisy.returncode == 3
    assert [line["value"] for line in lines(noisy.stdout)] == ["12.34", "50.00"]
    assert [line["offset"] for line in lines(noisy.stderr)] == [0, 1, 31, 83]
    assert all(line["reason"] for line in lines(noisy.stderr))


def test_wrong_use_is_told() -> None:
    missing = call("decode", "--profile", "dayuan_lz_4000t", "/no/such/file")
    assert missing.returncode == 2
    assert b"/no/such/file" in missing.stderr
    unknown = call("decode", "--profile", "nothing", "-")
    assert unknown.returncode == 2
    assert b"there are: dayuan_" in unknown.stderr
    assert call("simulate", "nothing").returncode == 2


def test_list_and_lint(tmp_path: Path) -> None:
    names = [line["name"] for line in lines(call("list", "--json").stdout)]
    assert "dayuan_lz_4000t" in names
    assert call("lint").returncode == 0
    broken = tmp_path / "some_meter"
    broken.mkdir()
    (broken / "profile.toml").write_text("format = 1\n")
    told = call("lint", str(broken))
    assert told.returncode == 1
    assert b"some_meter/profile.toml" in told.stdout


def test_listen_plays_the_host(tmp_path: Path) -> None:
    with VirtualLis2(tmp_path / "tty") as virtual:
        process = subprocess.Popen(
            [*COMMAND, "listen", "--profile", "generic_lis2", "--port", virtual.port],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert process.stderr is not None
            assert process.stdout is not None
            assert b"nothing received yet" in process.stderr.readline()
            virtual.send_results("S-7", [Lis2Result("^^^抑制率", "50.00", "%", flag="H")])
            line = json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=10)
    assert process.returncode == 0
    assert (line["sample_id"], line["value"], line["flag"]) == ("S-7", "50.00", "H")
    assert line["verdict"] == "positive"


@pytest.mark.parametrize(
    "name",
    [
        "dayuan_lz_4000t",
        "generic_xy_md02",
        # Its first ENQ may come before anyone listens; it waits 15 s then, as the standard says.
        pytest.param("generic_lis2", marks=pytest.mark.slow),
    ],
)
def test_simulate_and_listen(name: str, tmp_path: Path) -> None:
    link = tmp_path / "port"
    simulator = subprocess.Popen(
        [*COMMAND, "simulate", name, "--port-link", str(link), "--json", "--every", "0.5"],
        stdout=subprocess.PIPE,
    )
    listener = None
    try:
        assert simulator.stdout is not None
        assert json.loads(simulator.stdout.readline())["port"] == str(link)
        listener = subprocess.Popen(
            [*COMMAND, "listen", "--profile", name, "--port", str(link)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert listener.stdout is not None
        assert len(json.loads(listener.stdout.readline())["raw_sha256"]) == 64
    finally:
        for process in (listener, simulator):
            if process is not None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=10)
    assert simulator.returncode == 0


@pytest.mark.slow  # two seconds for each profile that only listens
def test_probe_finds_the_profile(tmp_path: Path) -> None:
    with VirtualXyMd02(tmp_path / "tty") as virtual:
        told = call("probe", virtual.port)
    answers = {line["profile"]: line["answered"] for line in lines(told.stdout)}
    assert told.returncode == 0
    assert [name for name, answered in answers.items() if answered] == ["generic_xy_md02"]


@pytest.mark.slow
def test_record_and_replay(tmp_path: Path) -> None:
    box = tmp_path / "box.jsonl"
    content = read_hex(FOLDER / "mettler_mt_sics" / "captures" / "weights" / "input.hex")
    box.write_text(
        '{"port": "x"}\n'
        + json.dumps({"t": 3.0, "in": content[:20].hex()})
        + "\n"
        + json.dumps({"t": 3.3, "in": content[20:].hex()})
        + "\n"
    )
    link = tmp_path / "port"
    player = subprocess.Popen(
        [*COMMAND, "replay", str(box), "--port-link", str(link), "--wait", "5", "--json"],
        stdout=subprocess.PIPE,
    )
    again = tmp_path / "again.jsonl"
    recorder = None
    try:
        assert player.stdout is not None
        player.stdout.readline()
        recorder = subprocess.Popen([*COMMAND, "record", str(link), str(again)])
        player.communicate(timeout=30)
    finally:
        for process in (player, recorder):
            if process is not None:
                process.terminate()
                process.wait(timeout=10)
    with again.open() as stream:
        assert b"".join(piece.content for piece in read_pieces(stream, "again")) == content


def test_redecode_shows_what_differs(tmp_path: Path) -> None:
    profile = load_profile(FOLDER, "dayuan_lz_4000t")
    reader = Reader(profile.ref, load_limits(FOLDER.parent / "limits"))
    frames = read_hex(FOLDER / "dayuan_lz_4000t" / "captures" / "day_of_three" / "input.hex")
    stored = []
    for at in range(0, len(frames), 26):
        (row,) = decode_frame(profile, frames[at : at + 26])
        assert row.record.result is not None
        stored.append(reader.result(row.record.result, row.cells, row.raw, CAPTURED_AT).result)
    wrong = msgspec.structs.replace(stored[1], verdict=Verdict.PASS)
    file = tmp_path / "stored.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(each) for each in (stored[0], wrong)))
    told = call("redecode", str(file))
    first, second = lines(told.stdout)
    assert told.returncode == 3
    assert first["changes"] == {}
    assert second["changes"] == {"verdict": ["pass", "suspect"]}


def test_redecode_of_lis2_frames() -> None:
    profile = load_profile(FOLDER, "generic_lis2")
    reader = Reader(profile.ref, load_limits(FOLDER.parent / "limits"))
    for case in ("one_frame_per_record", "split_by_etb"):
        content = read_hex(FOLDER / "generic_lis2" / "captures" / case / "input.hex")
        host = make_hearing_host(profile)
        for action in [*host.receive(content, 0.0, CAPTURED_AT), *host.finish()]:
            if isinstance(action, Take):
                for row in action.rows:
                    assert row.record.result is not None
                    stored = reader.result(row.record.result, row.cells, row.raw, CAPTURED_AT)
                    again = redecode(profile, reader, stored.result)
                    assert again["changes"] == {}
                    assert "error" not in again
