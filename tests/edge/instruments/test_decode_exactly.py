"""`foodsentry instrument decode` to the letter, for four kinds of line; how soon listen answers."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import tty
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from edge_agent.instruments.captures import read_hex
from edge_agent.protocols.checks import crc16_modbus
from edge_agent.protocols.e1381_frames import build_frame

FOLDER = Path(__file__).parents[3] / "firmware_configs" / "instruments"
COMMAND = [sys.executable, "-m", "foodsentry.cli", "--log-level", "error", "instrument"]
KEYS = [
    "sample_id", "item", "value", "number", "unit", "flag", "status", "measured_at", "operator",
    "raw_sha256",
]  # fmt: skip
RECORDS = [
    b"H|\\^&|||x|||||||P|LIS2-A2|20261123120000", b"P|1", b"O|1|S-1||^^^A|R",
    b"R|1| ^^^A&F&^x |<5.0|mg/kg||L||F||Li||20261123115900", b"R|2||1.50|%", b"L|1|N",
]  # fmt: skip
LIS2 = [build_frame(number, text + b"\r", last=True) for number, text in enumerate(RECORDS, 1)]
LZ = read_hex(FOLDER / "dayuan_lz_4000t" / "captures" / "day_of_three" / "input.hex")
WEIGHTS = [b"S S      12.50 g\r\n", b"S D      12.51 g\r\n", b"S +\r\n"]
REPLIES = [bytes.fromhex("010404 00EA 0237"), bytes.fromhex("010404 FFCD 0322")]
FRAMES = {
    "dayuan_lz_4000t": [LZ[at : at + 26] for at in range(0, len(LZ), 26)],
    "generic_lis2": LIS2,
    "generic_xy_md02": [each + crc16_modbus(each).to_bytes(2, "little") for each in REPLIES],
    "mettler_mt_sics": WEIGHTS,
}
VALUES = {
    "dayuan_lz_4000t": ["12.34", "49.99", "50.00"],
    "generic_lis2": ["<5.0", "1.50"],
    "generic_xy_md02": ["23.4", "56.7", "-5.1", "80.2"],
    "mettler_mt_sics": ["12.50", "12.51", "+"],
}


def decode(name: str, content: bytes, *file: str) -> tuple[int, list[Any], list[Any]]:
    done = subprocess.run(
        [*COMMAND, "decode", "--profile", name, *(file or ("-",))],
        input=content, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    out, lost = (
        [json.loads(line) for line in each.decode().splitlines()]
        for each in (done.stdout, done.stderr)
    )
    return done.returncode, out, lost


@pytest.mark.parametrize("name", FRAMES)
def test_whole(name: str, tmp_path: Path) -> None:
    content = b"".join(FRAMES[name])
    status, out, lost = decode(name, content)
    assert (status, lost) == (0, [])
    assert [line["value"] for line in out] == VALUES[name]
    assert all(list(line)[: len(KEYS)] == KEYS for line in out)
    assert all(len(line["raw_sha256"]) == 64 for line in out)
    (tmp_path / "bytes").write_bytes(content)
    assert decode(name, b"", str(tmp_path / "bytes")) == (0, out, [])


@pytest.mark.parametrize("name", FRAMES)
def test_noise_before_and_between(name: str) -> None:
    noise = b"\xff\x00\xa9"
    content = noise + noise.join(FRAMES[name]) + noise
    status, out, lost = decode(name, content)
    assert status == 3
    assert [line["value"] for line in out] == VALUES[name]
    assert all(isinstance(line["offset"], int) and line["reason"] for line in lost)
    assert lost[0]["offset"] == 0
    frames = FRAMES[name]
    assert sum(line["bytes"] for line in lost) == len(noise) * (len(frames) + 1)


@pytest.mark.parametrize("name", ["dayuan_lz_4000t", "generic_lis2"])
def test_sent_again_is_not_a_second_result(name: str) -> None:
    doubled = b"".join(frame + frame for frame in FRAMES[name])
    status, out, lost = decode(name, doubled)
    assert (status, lost) == (0, [])
    assert [line["value"] for line in out] == VALUES[name]


def test_two_equal_weights_are_two() -> None:
    _, out, _ = decode("mettler_mt_sics", WEIGHTS[0] * 2)
    assert [line["value"] for line in out] == ["12.50", "12.50"]


def test_fields_of_a_result() -> None:
    _, out, _ = decode("generic_lis2", b"\x05" + b"".join(LIS2) + b"\x04")
    first, second = out
    raw = first.pop("raw_sha256")
    assert {key: first[key] for key in KEYS[:-1]} == {
        "sample_id": "S-1", "item": " ^^^A&F&^x ", "value": "<5.0", "number": None,
        "unit": "mg/kg", "flag": "L", "status": "F", "measured_at": "2026-11-23T03:59:00Z",
        "operator": "Li",
    }  # fmt: skip
    assert raw == sha256(b"".join(LIS2[:4])).hexdigest()
    assert (second["item"], second["measured_at"]) == ("", None)
    _, out, _ = decode("generic_xy_md02", FRAMES["generic_xy_md02"][0])
    assert [out[0][key] for key in KEYS[:-1]] == [
        "", "temperature", "23.4", 23.4, "Cel", "", "good", None, "",
    ]  # fmt: skip
    assert out[0]["raw_sha256"] == sha256(FRAMES["generic_xy_md02"][0]).hexdigest()


@pytest.mark.parametrize(
    "frames",
    [
        [frame[:-4] + frame[-4:-2].lower() + b"\r\n" for frame in LIS2],
        [frame[:-2] for frame in LIS2],
        [*LIS2[:-1], LIS2[-1][:-2]],
        [b"\x05", *LIS2[:3], LIS2[2], *LIS2[3:], LIS2[-1], b"\x04"],
        [
            build_frame(1, b"\r".join(RECORDS)[:60], last=False),
            build_frame(2, b"\r".join(RECORDS)[60:110], last=False),
            build_frame(3, b"\r".join(RECORDS)[110:] + b"\r", last=True),
        ],
    ],
    ids=["lower case check", "no CR LF", "no last CR LF", "retransmitted", "ETB"],
)
def test_ways_of_e1381(frames: list[bytes]) -> None:
    status, out, lost = decode("generic_lis2", b"".join(frames))
    assert (status, lost) == (0, [])
    assert [line["value"] for line in out] == VALUES["generic_lis2"]


def test_a_bad_frame_is_told() -> None:
    bad = LIS2[4][:-4] + b"00\r\n"
    status, out, lost = decode("generic_lis2", b"".join([*LIS2[:4], bad, LIS2[5]]))
    assert (status, [line["value"] for line in out]) == (3, ["<5.0"])
    assert lost[0]["offset"] == len(b"".join(LIS2[:4]))
    assert "check is b'00'" in lost[0]["reason"]


def _ask(line: int, content: bytes) -> tuple[bytes, float]:
    """What answers, and how long after the last byte."""
    os.write(line, content)
    began = time.monotonic()
    ready, _, _ = select.select([line], [], [], 5.0)
    return (os.read(line, 100) if ready else b""), time.monotonic() - began


@pytest.mark.slow
def test_listen_answers_at_once_and_flushes_each_line() -> None:
    line, far = pty.openpty()
    tty.setraw(far)
    process = subprocess.Popen(
        [*COMMAND, "listen", "--profile", "generic_lis2", "--port", os.ttyname(far)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        assert process.stdout is not None
        assert b"nothing received yet" in process.stderr.readline()
        times = []
        for content in (b"\x05", *LIS2[:-1]):
            answer, took_s = _ask(line, content)
            assert answer == b"\x06"
            times.append(took_s)
        bad, took_s = _ask(line, LIS2[-1][:-4] + b"00\r\n")
        assert bad == b"\x15"
        good, again_s = _ask(line, LIS2[-1])
        assert good == b"\x06"
        os.write(line, b"\x04")
        assert json.loads(process.stdout.readline())["value"] == "<5.0"
        assert json.loads(process.stdout.readline())["value"] == "1.50"
        times = sorted([*times, took_s, again_s])
        assert times[len(times) // 2] < 0.1
        assert times[-1] < 1.0
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
        os.close(line)
        os.close(far)
    assert process.returncode == 3  # the bad frame
