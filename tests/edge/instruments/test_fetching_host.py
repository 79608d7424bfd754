"""The host that fetches record by record, in virtual time: templates, silence, what is missing."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from contracts.limits import load_limits
from contracts.profile_framing import Check
from edge_agent.instruments.hosts.actions import Action, Missing, NoAnswer, Send
from edge_agent.instruments.hosts.make import make_host
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.results import Reader
from edge_agent.instruments.templates import parse_template
from edge_agent.simulation.serial_dy3000dy import WET, Dy3000dyFarEnd, Stored, frame, wet_record

CONFIGS = Path(__file__).parents[3] / "firmware_configs"
AT = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
HEAD, BODY = Check(kind="xor8", at=10), Check(kind="xor8", at=11, start=12)


def fill(text: str, index: int = 0) -> str:
    filled = parse_template(text).fill(
        day=date(2026, 11, 23), address=0, check=BODY, head_check=HEAD, index=index
    )
    return filled.hex().upper()


def test_requests_are_those_of_the_maker() -> None:
    history = "03 FF 43 00 00 00 00 00 08 00 {head_check} {check} {day:fat} {day:fat_end}"
    assert fill(history).startswith("03FF4300000000000800B7")
    assert fill(history.replace("43", "63")).startswith("03FF630000000000080097")
    assert fill(history.replace("43", "73")).startswith("03FF730000000000080087")
    assert fill(history)[24:] == "000077357DBF7735"
    assert fill("03 FF 45 00 {index:u32} 00 00 {head_check} {check}", 258) == (
        "03FF45000201000000 00BA00".replace(" ", "")
    )


class Far:
    """Answers histories, and of the records those that are not lost."""

    def __init__(self, records: int, lost: set[int]) -> None:
        self.far = Dy3000dyFarEnd()
        self.lost = lost
        for minute in range(records):
            at = datetime(2026, 11, 23, 9, minute)
            content = wet_record(0, at, [(1, 0x80, bytes(4))])
            self.far.memories[WET].append(Stored(at, content))

    def answer(self, request: bytes) -> bytes:
        if request[2] == 0x45 and request[4] in self.lost:
            return b""
        return self.far.receive(request, 0.0)


def run(far: Far, seconds: float) -> list[Action]:
    profile = load_profile(CONFIGS / "instruments", "dayuan_dy_3000dy")
    host = make_host(profile, Reader(profile.ref, load_limits(CONFIGS / "limits")))
    told: list[Action] = []
    now = 0.0

    def carry_out(wanted: Iterator[Action]) -> None:
        for action in wanted:
            told.append(action)
            if isinstance(action, Send) and (reply := far.answer(action.content)):
                carry_out(host.receive(reply, now, AT))

    carry_out(host.open(now))
    while (now := host.due()) < seconds:
        carry_out(host.wake(now, AT))
    return told


def asked(told: list[Action]) -> list[int]:
    return [
        action.content[4]
        for action in told
        if isinstance(action, Send) and action.content[2] == 0x45
    ]


def test_a_lost_record_is_asked_for_again_then_told_missing() -> None:
    told = run(Far(4, {1}), 120)
    assert asked(told)[:5] == [0, 1, 1, 2, 3]
    assert asked(told).count(1) == 6, "twice in each of three rounds"
    assert [action.count for action in told if isinstance(action, Missing)] == [1]


def test_no_one_answering_ends_the_round() -> None:
    told = run(Far(9, set(range(9))), 30)
    assert set(asked(told)) == {0, 1, 2}
    assert sum(isinstance(action, NoAnswer) for action in told) >= 3


def test_a_place_that_holds_nothing_is_an_answer() -> None:
    far = Far(2, set())
    far.far.memories[WET][0] = Stored(datetime(2026, 11, 23, 9, 0), bytes(11))
    told = run(far, 10)
    assert asked(told) == [0, 1]
    assert frame(0x45, b"", bytes(11))[12] == 0
