"""Line protocol: what a line looks like, and what no store is asked to take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeseries.lines import line
from timeseries.names import EXACT, LATEST_NS, fault, plain_measurement, plain_tags, plain_text
from timeseries.port import Point, Value, from_ns, to_ns

AT_NS = 1_772_415_000_123_456_789


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (1e21, "1e+21"),
        (-0.1, "-0.1"),
        (3, "3.0"),
        (-(2**53), "-9007199254740992.0"),
        (True, "true"),
        (False, "false"),
        ('说 "好"\\,=', '"说 \\"好\\"\\\\,="'),
        ("a\nb", '"a\nb"'),
        ("", '""'),
    ],
)
def test_values(value: Value, text: str) -> None:
    assert line(Point("m", {}, {"f": value}, 7)) == f"m f={text} 7"


def test_names_are_escaped_and_tags_sorted() -> None:
    point = Point(
        "读 数,=x",
        {"site": "pj market,1=2", "区": "蓬江", "empty": "", "a b": "'\""},
        {"f 1,=": 1.5, "g": True},
        AT_NS,
    )
    assert line(point) == (
        "读\\ 数\\,=x,a\\ b='\",site=pj\\ market\\,1\\=2,区=蓬江 f\\ 1\\,\\==1.5,g=true "
        "1772415000123456789"
    )


def test_what_cannot_stand_in_a_name_gets_a_lookalike() -> None:
    assert plain_text("a\\b\n\r\t\0#c") == "a＼b␊␍␉␀#c"
    assert plain_measurement("#a#") == "＃a#"
    assert plain_tags({"b": "x\\", "a": "1", "none": ""}) == (("a", "1"), ("b", "x＼"))


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (Point("", {}, {"f": 1.0}, 0), "measurement is empty"),
        (Point("m", {}, {}, 0), "no fields"),
        (Point("m", {}, {"": 1.0}, 0), "a field has no name"),
        (Point("m", {}, {"f": float("nan")}, 0), "field f: nan is not a number that can be stored"),
        (Point("m", {}, {"f": float("-inf")}, 0), "field f: -inf is not a number"),
        (Point("m", {}, {"f": EXACT + 1}, 0), "field f: 9007199254740993 is no exact number"),
        (Point("m", {}, {"f": 1.0}, LATEST_NS + 1), "time 9223372036854775807 ns is out of range"),
        (Point("m", {"": "x"}, {"f": 1.0}, 0), "a tag has no name"),
        (Point("m", {"t": "\ud800"}, {"f": 1.0}, 0), "tag t: is not Unicode text"),
        (Point("m", {}, {"f": "\ud800"}, 0), "field f: is not Unicode text"),
        (Point("m", {"f": "x"}, {"f": 1.0}, 0), "field f: a tag has this name"),
        (Point("m", {"time": "x"}, {"f": 1.0}, 0), "tag time: the name is taken"),
        (Point("m", {}, {"time": 1.0}, 0), "field time: the name is taken"),
        (
            Point("readings", {}, {"value": True}, 0),
            "field value: a yes/no where readings has a number",
        ),
        (Point("tests", {}, {"positive": 1.0}, 0), "field positive: a number where tests has a"),
        (Point("tests", {}, {"number": "1.0"}, 0), "field number: a text where tests has a"),
    ],
)
def test_faults(point: Point, reason: str) -> None:
    told = fault(point)
    assert told is not None and told.startswith(reason)


def test_no_fault() -> None:
    assert fault(Point("m", {"t": "值", "e": ""}, {"f": "", "g": 1, "h": True}, -1)) is None


@given(st.lists(st.text(st.sampled_from([*"a\\\n\r\t\0#", *"＼␊␍␉␀␛＃"]), max_size=6), max_size=2))
def test_two_names_never_become_one(texts: list[str]) -> None:
    for plain in (plain_text, plain_measurement):
        assert len({plain(text) for text in texts}) == len(set(texts))
        assert not any(set(plain(text)) & set("\\\n\r\t\0") for text in texts)


def test_times() -> None:
    assert to_ns(from_ns(AT_NS)) == AT_NS // 1000 * 1000
    assert from_ns(-1).isoformat() == "1969-12-31T23:59:59.999999+00:00"
