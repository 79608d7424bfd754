"""Values as sent, and what is made of them; field kinds; clocks that are wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contracts.foods import load_foods
from contracts.limits import load_limits
from contracts.profile_records import BinaryField, BinaryRecord, Match, Repeat, TextRecord
from contracts.words import Verdict
from edge_agent.instruments.captures import CAPTURED_AT
from edge_agent.instruments.decoder import decode_frame
from edge_agent.instruments.fields import Cell, binary_rows, decode_text, text_rows, wall_time
from edge_agent.instruments.offline import Found, decode_stream
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.results import Reader
from edge_agent.instruments.values import read_value
from edge_agent.simulation.serial_lz4000t import Record, record_frame

CONFIGS = Path(__file__).parents[3] / "firmware_configs"


@pytest.mark.parametrize(
    ("text", "number", "comparator", "qualitative", "unit"),
    [
        ("5.0", 5.0, "", "", ""),
        (" 12.50 ", 12.5, "", "", ""),
        ("+   1.234", 1.234, "", "", ""),
        ("-  0.50", -0.5, "", "", ""),
        ("<5.0", 5.0, "<", "", ""),
        ("＜5.0", 5.0, "<", "", ""),
        ("≥100", 100.0, ">", "", ""),
        ("1.2e3", 1200.0, "", "", ""),
        ("5.0 mg/kg", 5.0, "", "", "mg/kg"),
        ("5.0ppb", 5.0, "", "", "[ppb]"),
        ("未检出", None, "", "negative", ""),
        ("阴性", None, "", "negative", ""),
        ("阳性", None, "", "positive", ""),
        ("POSITIVE", None, "", "positive", ""),
        ("NA", None, "", "invalid", ""),
        ("----", None, "", "invalid", ""),
        ("0.35 阴性", 0.35, "", "negative", ""),
        ("5,0", None, "", "", ""),
        ("12 monkeys", None, "", "", ""),
        ("", None, "", "", ""),
    ],
)
def test_values(
    text: str, number: float | None, comparator: str, qualitative: str, unit: str
) -> None:
    value = read_value(text, {}, "", {})
    assert value.text == text
    read = value.bound if comparator else value.number
    assert (read, value.comparator) == (number, comparator)
    assert value.number is None or not comparator, "a bound is never the value"
    assert (value.qualitative, value.unit) == (qualitative, unit)


def cell(content: str, **spec: object) -> Cell:
    record = BinaryRecord("x", fields={"f": BinaryField(at=0, **spec)})  # type: ignore[arg-type]
    return binary_rows(record, bytes.fromhex(content))[0]["f"]


def test_field_kinds() -> None:
    assert cell("C814", kind="u16", decimals=2).text == "53.20"
    assert cell("FFCD", kind="i16", order="big", decimals=1).text == "-5.1"
    assert cell("FFFB", kind="i16", order="big", decimals=2).text == "-0.05"
    assert cell("0523", kind="bcd", length=2, order="big", decimals=1).text == "52.3"
    assert cell("05A3", kind="bcd", length=2, order="big").invalid
    assert cell("3F800000", kind="f32", order="big").number == 1.0
    assert cell("7FC00000", kind="f32", order="big").invalid
    assert cell("FF7F", kind="u16", invalid=("FF7F",)).invalid
    assert cell("02", kind="u8", words={"2": "牛肉"}).text == "牛肉"
    assert cell("1A0B170A0F1E", kind="ymdhms").text == "2026-11-23 10:15:30"
    assert cell("1A0D170A0F1E", kind="ymdhms").invalid
    packed = (26 << 25 | 11 << 21 | 23 << 16 | 10 << 11 | 15 << 5 | 15).to_bytes(4, "little")
    assert cell(packed.hex(), kind="fat_time").text == "2026-11-23 10:15:30"


def test_names_cut_inside_a_character() -> None:
    name = "A青菜叶".encode("gb18030")[:6]
    assert decode_text(name, "gb2312") == ("A青菜", True)
    assert decode_text("青菜".encode(), "auto") == ("青菜", False)
    assert decode_text("青菜".encode("gb18030"), "auto") == ("青菜", False)
    assert decode_text(b"\xff\xff\xff", "gb2312")[0] == "\ufffd\ufffd\ufffd"


def test_repeated_blocks() -> None:
    repeat = Repeat(
        at=1, size=2, trailer=1, fields={"v": BinaryField(at=1, kind="u8")},
        skip=(Match(at=0, hex="99"),),
    )  # fmt: skip
    record = BinaryRecord("x", fields={"head": BinaryField(at=0, kind="u8")}, repeat=repeat)
    rows = binary_rows(record, bytes.fromhex("07 010A 990B 020C FF"))
    assert [(row["head"].number, row["v"].number) for row in rows] == [(7, 10), (7, 12)]


def test_text_is_decoded_before_it_is_split() -> None:
    # The second byte of 丂 is 40, of 亅 is 7C in GBK: a separator inside a character.
    record = TextRecord("x", separator="|", columns=("a", "b"))
    ((row, _raw),) = text_rows(record, "亅|2\r\n".encode("gb18030"))
    assert row["a"].text == "亅"
    assert text_rows(record, b"1|2|3\n") == []


def test_two_digit_years() -> None:
    assert wall_time(Cell("26-11-23", b""), ("%y-%m-%d",)) == datetime(2026, 11, 23)
    assert wall_time(Cell("99-11-23", b""), ("%y-%m-%d",)) == datetime(2099, 11, 23)
    assert wall_time(Cell("soon", b""), ("%Y-%m-%d",)) is None


def test_wrong_clock_does_not_choose_the_rule() -> None:
    profile = load_profile(CONFIGS / "instruments", "dayuan_lz_4000t")
    reader = Reader(profile.ref, load_limits(CONFIGS / "limits"))
    now = datetime(2026, 11, 23, 4, tzinfo=UTC)
    frame = record_frame(Record(1, "菜", 60.0, datetime(2000, 1, 1)), 1)
    (row,) = decode_frame(profile, frame)
    assert row.record.result is not None
    result = reader.result(row.record.result, row.cells, row.raw, now).result
    assert result.verdict is Verdict.POSITIVE
    assert result.measured_text == "2000-01-01 00:00:00"
    assert result.measured_at is not None
    assert now - result.measured_at > timedelta(days=9000)


def test_a_cut_name_keeps_its_text_and_bears_a_guess() -> None:
    profile = load_profile(CONFIGS / "instruments", "dayuan_lz_4000t")
    foods = load_foods(CONFIGS / "foods")
    reader = Reader(profile.ref, load_limits(CONFIGS / "limits"), foods=foods)
    at = datetime(2026, 11, 23, 2, 0)  # the instrument's own clock has no zone
    frames = b"".join(
        record_frame(Record(number, name, 1.0, at), 3)
        for number, name in enumerate(("南美白对虾", "通菜", "豆腐干"), 1)
    )
    found = decode_stream(profile, reader, [frames], CAPTURED_AT)
    lines = [each.line for each in found if isinstance(each, Found)]
    assert [(line["sample_name"], line["name_guess"]) for line in lines] == [
        ("南美白", "南美白对虾:0.95"),
        ("通菜", "空心菜:0.98"),
        ("豆腐干", "豆腐干:0.95"),
    ]
