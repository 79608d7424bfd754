"""Guesses about unknown lines: on the bytes of our own captures, on noise, and live on a pty."""

import json
import os
import pty
import random
import subprocess
import sys
import threading
import tty
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.limits import Limits
from contracts.profile import Link
from contracts.profile_framing import FixedFramer, LengthFramer, LineFramer, StartEndFramer
from edge_agent.instruments.captures import case_input, cases, run_case
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.results import Reader
from edge_agent.instruments.sniff.checks import find_check
from edge_agent.instruments.sniff.draft import write_draft
from edge_agent.instruments.sniff.guess import ENOUGH, Guess, guess
from edge_agent.instruments.sniff.text import with_parity
from edge_agent.protocols.checks import crc8, crc16_ccitt
from edge_agent.protocols.modbus import ascii_frame

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[3] / "firmware_configs" / "instruments"
COMMAND = [sys.executable, "-m", "foodsentry.cli", "--log-level", "error", "instrument", "sniff"]


def capture(name: str, case: str) -> bytes:
    return case_input(FOLDER / name / "captures" / case)


@pytest.mark.parametrize(
    ("name", "case", "kind"),
    [
        ("generic_lis2", "one_frame_per_record", "e1381"),
        ("generic_lis2", "split_by_etb", "e1381"),
        ("generic_lis2", "frames_missing", "e1381"),
        ("generic_xy_md02", "replies", "modbus"),
        ("generic_xy_md02", "noise_echo_exception", "modbus"),
        ("generic_sn_3001", "replies", "modbus"),
    ],
)
def test_known_protocols(name: str, case: str, kind: str) -> None:
    assert guess(capture(name, case)).kind == kind


def test_modbus_registers() -> None:
    (read,) = guess(capture("generic_xy_md02", "noise_echo_exception")).reads
    assert (read.unit, read.function, read.start, read.count) == (1, 4, 1, 2)
    lines = b"".join(ascii_frame(bytes((1, 3, 2, 0, n))) for n in range(3))
    found = guess(lines)
    assert (found.kind, found.transport) == ("modbus", "ascii")


@pytest.mark.parametrize("case", ["day_of_three", "noise_and_damage"])
def test_binary_frames_and_their_crc(case: str) -> None:
    framer = guess(capture("dayuan_lz_4000t", case)).framer
    assert isinstance(framer, FixedFramer)
    assert (framer.size, framer.head, framer.tail) == (26, "7E", "AA")
    assert framer.check is not None
    check = framer.check
    assert (check.kind, check.poly, check.start, check.at) == ("crc8", 0x31, 1, -2)


def test_frames_of_many_lengths() -> None:
    rng = random.Random(4)
    frames = []
    for size in (3, 9, 14, 5, 30, 8, 21):
        body = bytes((rng.randrange(256),)) + size.to_bytes(2, "little") + rng.randbytes(size)
        frames.append(b"\x7e" + body + bytes((crc8(body),)) + b"\xaa")
    framer = guess(b"\x00\x13" + b"".join(frames)).framer
    assert isinstance(framer, LengthFramer)
    assert (framer.length_at, framer.length_size, framer.length_adds) == (2, 2, 6)
    assert framer.check is not None
    assert (framer.check.kind, framer.check.start) == ("crc8", 1)


def test_a_damaged_frame_does_not_hide_the_check() -> None:
    framer = guess(capture("generic_atp_meter", "swabs")).framer
    check = getattr(framer, "check", None)
    assert check is not None
    assert (check.kind, check.at) == ("sum8", -2)


def test_text_lines_and_columns() -> None:
    found = guess(capture("generic_st_gs_scale", "lines"))
    assert isinstance(found.framer, LineFramer)
    assert found.text
    assert found.columns is not None
    assert (found.columns.separator, found.columns.count, found.columns.value) == (",", 3, 2)
    strips = guess(capture("generic_strip_reader_text", "strips"))
    assert isinstance(strips.framer, StartEndFramer)
    assert strips.framer.check is not None
    assert (strips.framer.check.kind, strips.framer.check.encoding) == ("xor8", "hex")
    assert strips.encoding == "gb2312"
    assert strips.columns is not None
    assert (strips.columns.separator, strips.columns.count) == ("|", 8)


def test_sixteen_bit_checks() -> None:
    rng = random.Random(5)
    bodies = [rng.randbytes(9) for _ in range(3)]
    found = find_check([body + crc16_ccitt(body).to_bytes(2, "big") for body in bodies])
    assert found is not None
    assert (found.check.kind, found.check.order, found.held) == ("crc16_ccitt", "big", 3)


def test_noise_has_no_check_and_no_framing() -> None:
    rng = random.Random(6)
    assert find_check([rng.randbytes(12) for _ in range(20)]) is None
    assert guess(rng.randbytes(400)).score < 1.0
    assert guess(b"").kind == "nothing"
    assert guess(b"\x00").score < ENOUGH


def test_wrong_parity_is_seen() -> None:
    text = b"ST,GS,+   1.234kg\r\nST,GS,+   0.567kg\r\n"
    even = bytes(byte | (0x80 if byte.bit_count() % 2 else 0) for byte in text)
    odd = bytes(byte | (0 if byte.bit_count() % 2 else 0x80) for byte in text)
    assert with_parity(even) == "E"
    assert with_parity(odd) == "O"
    assert with_parity(text) is None
    assert any("7E1" in note for note in guess(even).notes)


@settings(max_examples=150, deadline=None)
@given(content=st.binary(max_size=200))
def test_never_raises(content: bytes) -> None:
    assert isinstance(guess(content), Guess)


EVERY = [(p.parents[1].name, p.name) for p in sorted(FOLDER.glob("*/captures/*"))]


@pytest.mark.parametrize(("name", "case"), EVERY)
def test_a_draft_of_any_capture_is_a_working_profile(name: str, case: str, tmp_path: Path) -> None:
    place = FOLDER / name / "captures" / case
    if (place / "dialogue.txt").is_file():
        pytest.skip("a dialogue, not a recording")
    content = case_input(place)
    folder = tmp_path / "draft"
    write_draft(folder, guess(content), Link(9600), [content[:20], content[20:]], "/dev/x",
                date(2026, 11, 23))  # fmt: skip
    profile = load_profile(tmp_path, "draft")
    (first,) = cases(profile)
    assert case_input(first) == content
    assert run_case(profile, Reader(profile.ref, Limits([])), first) == []


def sniff(content: bytes, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    far, near = pty.openpty()
    tty.setraw(near)
    try:
        process = subprocess.Popen([*COMMAND, os.ttyname(near), *arguments], stdout=subprocess.PIPE)
        stopped = threading.Event()

        def speak() -> None:
            while not stopped.wait(0.25):
                os.write(far, content)

        speaker = threading.Thread(target=speak)
        speaker.start()
        out, _ = process.communicate(timeout=60)
        stopped.set()
        speaker.join()
    finally:
        os.close(far)
        os.close(near)
    return process.returncode, [json.loads(line) for line in out.splitlines()]


def test_sniff_live(tmp_path: Path) -> None:
    out = tmp_path / "unknown_scale"
    content = b"ST,GS,+   1.234kg\r\n"
    status, lines = sniff(content, "--baud", "4800,9600", "--for", "1.2", "--out", str(out))
    assert status == 0
    assert [line.get("baud") for line in lines] == [4800, 9600, None]
    assert lines[0]["framer"]["kind"] == "line"
    assert lines[-1] == {"draft": str(out)}
    profile = load_profile(tmp_path, "unknown_scale")
    assert run_case(profile, Reader(profile.ref, Limits([])), cases(profile)[0]) == []


def test_sniff_silence() -> None:
    status, lines = sniff(b"", "--for", "0.3")
    assert status == 1
    assert lines[0]["kind"] == "nothing"
