"""E1381 from both sides: handshake, resent frames, noise, time-outs; a byte at a time too."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.protocols.e1381 import E1381Receiver
from edge_agent.protocols.e1381_frames import (
    Ended,
    Event,
    FrameReceived,
    FrameRepeated,
    Reply,
    Started,
    build_frame,
)
from edge_agent.protocols.e1381_sender import E1381Sender, State, frames_of
from edge_agent.protocols.events import Discarded

ENQ, ACK, NAK, EOT = b"\x05", b"\x06", b"\x15", b"\x04"
RECORDS = [b"H|\\^&", b"P|1", b"O|1|S-1", b"R|1|^^^A|5.0|%", b"L|1|N"]


class Host:
    """A receiver that accepts everything, and keeps what it was told."""

    def __init__(self, **others: bool) -> None:
        self.core = E1381Receiver(**others)  # type: ignore[arg-type]
        self.events: list[Event] = []
        self.texts: list[bytes] = []
        self.now = 0.0

    def receive(self, data: bytes) -> bytes:
        self.core.feed(data, self.now)
        return self._drain()

    def wait(self, seconds: float) -> bytes:
        self.now += seconds
        self.core.tick(self.now)
        return self._drain()

    def end(self) -> bytes:
        self.core.flush()
        return self._drain()

    def _drain(self) -> bytes:
        out = b""
        while (event := self.core.next_event()) is not None:
            self.events.append(event)
            if isinstance(event, FrameReceived):
                self.texts.append(event.text)
                out += self.core.accept()
            elif isinstance(event, Reply):
                out += event.content
        return out

    def kinds(self) -> list[type]:
        return [type(event) for event in self.events]


def test_handshake() -> None:
    host = Host()
    assert host.receive(ENQ) == ACK
    for frame in frames_of(RECORDS):
        assert host.receive(frame) == ACK
    assert host.receive(EOT) == b""
    assert b"".join(host.texts) == b"".join(record + b"\r" for record in RECORDS)
    assert host.kinds().count(Started) == 1
    assert host.events[-1] == Ended()
    assert Discarded not in host.kinds()


def test_nothing_is_answered_before_the_content_is_accepted() -> None:
    core = E1381Receiver()
    core.feed(ENQ + build_frame(1, b"H|\r", last=True) + build_frame(2, b"L|\r", last=True), 0.0)
    told = []
    while (event := core.next_event()) is not None:
        told.append(event)
    assert [type(event) for event in told] == [Reply, Started, FrameReceived]
    assert core.refuse() == NAK
    # The sender repeats it; now it is stored.
    core.feed(build_frame(1, b"H|\r", last=True), 1.0)
    refused = core.next_event()
    assert isinstance(refused, Discarded)  # the second frame, which the sender should not have sent
    while not isinstance(event := core.next_event(), FrameReceived):
        assert event is not None
    assert event.number == 1
    assert core.accept() == ACK


def test_same_number_again_is_acknowledged_and_not_told_twice() -> None:
    host = Host()
    host.receive(ENQ)
    one, two = frames_of(RECORDS)[:2]
    assert host.receive(one) + host.receive(one) + host.receive(two) == ACK * 3
    assert host.receive(two) == ACK
    assert host.texts == [b"H|\\^&\r", b"P|1\r"]
    assert host.kinds().count(FrameRepeated) == 2


@pytest.mark.parametrize(
    "bad",
    [
        build_frame(3, b"late", last=True),
        build_frame(2, b"sum", last=True)[:-4] + b"00\r\n",
        b"\x028|x\x03" + b"%02X" % (sum(b"8|x\x03") & 0xFF) + b"\r\n",
        b"\x022no end\r\n",
    ],
)
def test_bad_frames_are_refused_and_told(bad: bytes) -> None:
    host = Host()
    host.receive(ENQ)
    host.receive(build_frame(1, b"H|\r", last=True))
    assert host.receive(bad) + host.wait(0.06) == NAK
    told = host.events[-2] if isinstance(host.events[-1], Reply) else host.events[-1]
    assert isinstance(told, Discarded)
    assert told.content.rstrip(b"\r\n") == bad.rstrip(b"\r\n")
    assert host.receive(build_frame(2, b"P|\r", last=True)) == ACK


def test_numbers_run_round() -> None:
    host = Host()
    host.receive(ENQ)
    for number in range(1, 20):
        assert host.receive(build_frame(number, b"%d\r" % number, last=True)) == ACK
    assert len(host.texts) == 19


def test_lower_case_digits_and_no_trailer() -> None:
    host = Host()
    host.receive(ENQ)
    frame = build_frame(1, b"H|\xff\xfa\r", last=True)
    bare = frame[:-4] + frame[-4:-2].lower()
    assert host.receive(bare) == b""
    assert host.wait(0.06) == ACK
    assert host.receive(build_frame(2, b"L|\r", last=True)) == ACK


def test_frame_time_out_ends_the_transfer() -> None:
    host = Host()
    host.receive(ENQ)
    host.receive(build_frame(1, b"H|\r", last=True))
    host.receive(b"\x022half")
    assert host.wait(29.0) == b""
    assert Ended("no frame within 30 s") not in host.events
    host.wait(1.5)
    assert Ended("no frame within 30 s") in host.events
    assert host.receive(build_frame(2, b"L|\r", last=True)) == b""  # outside a transfer now
    assert host.receive(ENQ) == ACK


def test_busy_host_says_nak() -> None:
    host = Host()
    host.core.busy = True
    assert host.receive(ENQ) == NAK
    host.core.busy = False
    assert host.receive(ENQ) == ACK


def test_enq_in_the_middle_restarts() -> None:
    host = Host()
    host.receive(ENQ)
    host.receive(build_frame(1, b"H|1\r", last=True))
    host.receive(build_frame(2, b"P|\r", last=True))
    assert host.receive(ENQ) == ACK
    assert host.receive(build_frame(1, b"H|2\r", last=True)) == ACK
    assert host.kinds().count(Started) == 2


def test_enq_inside_a_frame_counts_when_silence_follows() -> None:
    host = Host()
    host.receive(ENQ)
    assert host.receive(b"\x021H|cut" + ENQ) == b""
    assert host.wait(0.06) == ACK


def test_noise_that_looks_like_control_costs_no_frame() -> None:
    host = Host()
    host.receive(ENQ)
    one, two, three, *_ = frames_of(RECORDS)
    assert host.receive(one) == ACK
    host.receive(ENQ)  # noise
    assert host.receive(two) == ACK
    host.receive(EOT)  # noise
    assert host.receive(three) == ACK
    assert host.kinds().count(Started) == 1
    assert len(host.texts) == 3


def test_frames_outside_a_transfer_are_not_answered() -> None:
    host = Host()
    assert host.receive(build_frame(1, b"H|\r", last=True)) + host.wait(1) == b""
    assert host.receive(b"some noise") + host.wait(1) == b""
    assert host.texts == []


frames_strategy = st.lists(
    st.binary(min_size=1, max_size=20).map(
        lambda text: bytes(byte for byte in text if byte not in b"\x02\x03\x04\x05\x17\r\n") + b"\r"
    ),
    min_size=1,
    max_size=9,
)


@settings(max_examples=200, deadline=None)
@given(texts=frames_strategy, cuts=st.lists(st.integers(0, 400), max_size=10), noise=st.binary())
def test_any_split_gives_the_same(texts: list[bytes], cuts: list[int], noise: bytes) -> None:
    frames = [build_frame(n, text, last=True) for n, text in enumerate(texts, 1)]
    stream = noise + ENQ + b"".join(frames) + EOT + noise
    whole = Host()
    whole.receive(stream)
    whole.end()
    places = sorted({cut % (len(stream) + 1) for cut in cuts} | {0, len(stream)})
    pieces = Host()
    for first, last in itertools.pairwise(places):
        pieces.receive(stream[first:last])
    pieces.end()
    assert pieces.events == whole.events
    single = Host()
    for byte in stream:
        single.receive(bytes((byte,)))
    single.end()
    assert single.events == whole.events
    clean = not set(noise) & set(b"\x02\x03\x04\x05\x17")
    if clean:
        assert single.texts == texts


@settings(max_examples=300, deadline=None)
@given(content=st.binary(max_size=400), lenient=st.booleans())
def test_never_raises_on_bytes(content: bytes, lenient: bool) -> None:
    host = Host(needs_enquiry=not lenient)
    host.receive(content)
    host.wait(0.06)
    host.wait(31.0)
    host.end()


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(st.binary(min_size=1, max_size=600), min_size=1, max_size=5),
    hurt=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 7)), max_size=4),
)
def test_both_ends_a_byte_at_a_time(texts: list[bytes], hurt: list[tuple[int, int]]) -> None:
    """A sender and a receiver over a line that flips bits in some frames: all arrives, in order."""
    plain = [bytes(b if b > 0x1F else b + 0x20 for b in text) for text in texts]
    sender, host = E1381Sender(), Host()
    spoiled = {turn % 12: bit for turn, bit in hurt}
    out, now, turn = sender.start(frames_of(plain), 0.0), 0.0, 0
    for _ in range(20_000):
        if sender.state in (State.DELIVERED, State.FAILED):
            break
        answer = b""
        if len(out) > 1:
            if turn in spoiled:
                place = len(out) // 2
                out = out[:place] + bytes((out[place] ^ 1 << spoiled[turn],)) + out[place + 1 :]
            turn += 1
        for byte in out:
            answer += host.receive(bytes((byte,)))
        answer += host.wait(0.06)
        now += 0.1
        out = b"".join(sender.receive(bytes((byte,)), now) for byte in answer)
        if not answer:
            now += 15.0
            out += sender.tick(now)
    if sender.state is State.DELIVERED:
        assert b"".join(host.texts) == b"".join(text + b"\r" for text in plain)


def test_sender_gives_up_after_six_failures() -> None:
    sender = E1381Sender()
    assert sender.start(frames_of(RECORDS), 0.0) == ENQ
    frame = sender.receive(ACK, 0.1)
    for _ in range(5):
        assert sender.receive(NAK, 0.2) == frame
    assert sender.receive(NAK, 0.3) == EOT
    assert sender.state is State.FAILED


def test_sender_waits_when_busy_and_yields_in_contention() -> None:
    sender = E1381Sender()
    sender.start(frames_of(RECORDS), 0.0)
    sender.receive(NAK, 1.0)
    assert sender.tick(10.9) == b""
    assert sender.tick(11.0) == ENQ
    sender.receive(ENQ, 12.0)
    assert sender.tick(13.0) == ENQ
    assert sender.tick(28.0) == EOT  # 15 s without an answer
    host = E1381Sender("host")
    host.start(frames_of(RECORDS), 0.0)
    host.receive(ENQ, 1.0)
    assert host.tick(20.0) == b""
    assert host.tick(21.0) == ENQ
