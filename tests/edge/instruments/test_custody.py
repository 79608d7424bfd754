"""Acknowledged means stored: what a crash, a full disk or a failing sink does to results."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contracts.limits import load_limits
from contracts.topics import Identity
from edge_agent.instruments.hosts.actions import Hold, Release, Send, Take
from edge_agent.instruments.logbook import HeldFrame, Logbook
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.instruments.unit import Unit
from edge_agent.instruments.workers import make_unit
from edge_agent.protocols.e1381_sender import frames_of
from edge_agent.simulation.serial_lis2 import Lis2Result, message

CONFIGS = Path(__file__).parents[3] / "firmware_configs"
AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
WHO = Identity("440703", "market1", "strips")
FRAMES = frames_of(message("S-1", [Lis2Result("抑制率", "51.0", "%")], AT))


class WrittenLine:
    """Stands for the line: keeps what is written."""

    name = "written"

    def __init__(self) -> None:
        self.sent = b""

    def write(self, content: bytes) -> None:
        self.sent += content


def make(sink: Any, state: Path) -> Unit:
    profile = load_profile(CONFIGS / "instruments", "generic_lis2")
    settings = InstrumentSettings("strips", "generic_lis2", "nowhere")
    limits = load_limits(CONFIGS / "limits")
    return make_unit(settings, profile, WHO, sink, limits, state, lambda: AT)


def feed(unit: Unit, line: WrittenLine, *contents: bytes) -> None:
    for content in contents:
        unit.do(unit.host.receive(content, 1.0, AT), line, 1.0, AT)  # type: ignore[arg-type]


def test_storing_comes_before_acknowledging(sink: Any, tmp_path: Path) -> None:
    unit = make(sink, tmp_path)
    order = [type(action) for content in (b"\x05", *FRAMES)
             for action in unit.host.receive(content, 1.0, AT)]  # fmt: skip
    for place, kind in enumerate(order):
        if kind is Hold:
            assert order[place + 1] is Send
    assert order.index(Take) < order.index(Release)


def test_message_cut_by_a_crash_after_its_last_acknowledgement(sink: Any, tmp_path: Path) -> None:
    unit, line = make(sink, tmp_path), WrittenLine()
    unit.start()
    sink.fail_with = RuntimeError("power cut")
    with pytest.raises(RuntimeError):
        feed(unit, line, b"\x05", *FRAMES)
    assert line.sent == b"\x06" * (1 + len(FRAMES))
    unit.stop()
    sink.fail_with = None
    again = make(sink, tmp_path)
    again.start()
    (result,) = sink.tests()
    assert result.value.text == "51.0"
    assert result.raw.content == b"".join(FRAMES[:4])
    assert "may_be_repeat" in result.flags
    again.stop()
    third = make(sink, tmp_path)
    third.start()
    feed(third, line, b"\x05", *FRAMES)  # the instrument sends it all again
    assert len(sink.tests()) == 1
    third.stop()


def test_half_a_message_is_kept_aside_at_the_restart(sink: Any, tmp_path: Path) -> None:
    unit, line = make(sink, tmp_path), WrittenLine()
    unit.start()
    feed(unit, line, b"\x05", *FRAMES[:-1])
    unit.stop()
    again = make(sink, tmp_path)
    again.start()
    assert sink.tests() == []
    (kept,) = sink.quarantined
    assert kept[1] == b"".join(FRAMES[:-1])
    assert "incomplete message" in kept[2]
    again.stop()


def test_frame_that_cannot_be_stored_is_refused(sink: Any, tmp_path: Path) -> None:
    unit, line = make(sink, tmp_path), WrittenLine()
    unit.start()
    feed(unit, line, b"\x05", FRAMES[0])
    unit.stop()  # from now on the logbook can't be written
    feed(unit, line, FRAMES[1])
    assert line.sent == b"\x06\x06\x15"
    unit.start()
    feed(unit, line, *FRAMES[1:])
    assert line.sent == b"\x06\x06\x15" + b"\x06" * (len(FRAMES) - 1)
    unit.stop()


def test_logbook_remembers(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "book.sqlite"
    book = Logbook(path, lambda: AT)
    book.begin(["a", "b"])
    book.finish(["a"])
    book.hold(HeldFrame(AT, True, b"text", b"raw"))
    book.close()
    book = Logbook(path, lambda: AT)
    known = book.known(["a", "b", "c"])
    assert (known.done, known.begun) == ({"a"}, {"b"})
    assert book.held() == [HeldFrame(AT, True, b"text", b"raw")]
    book.release()
    assert book.held() == []
    book.begin(["a"])
    assert book.known(["a"]).done == {"a"}
    book.forget_before(datetime(2027, 1, 1, tzinfo=UTC))
    assert book.known(["a", "b"]).done == frozenset()
    book.close()
