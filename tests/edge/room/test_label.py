"""Labels: what is printed is read back by a reader that is not ours, and opens its sample."""

import re
from collections.abc import Iterator
from datetime import date
from urllib.parse import quote

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from room_parts import Opened, Place, ask

from edge_agent.room.label import QUIET, bars_svg, modules
from edge_agent.room.numbers import as_given, number_for, plain
from edge_agent.room.operators import write_operator
from edge_agent.room.settings import RoomSettings

numbers = st.builds(
    number_for,
    st.dates(date(2020, 1, 1), date(2098, 12, 31)),  # python-barcode 0.16.1 drops a leading 99
    st.integers(1, 99_999),
    st.sampled_from(["", "A", "QX"]),
)


def printed(svg: str) -> np.ndarray:
    """The SVG's bars at two pixels a module."""
    (wide,) = map(int, re.findall(r'viewBox="0 0 (\d+) 1"', svg))
    line = np.full(2 * wide, 255, np.uint8)
    for at, length in re.findall(r'<rect x="(\d+)" width="(\d+)"', svg):
        line[2 * int(at) : 2 * (int(at) + int(length))] = 0
    return np.repeat(line[np.newaxis], 40, axis=0)


@settings(max_examples=40, deadline=None)
@given(numbers, st.floats(40, 110), st.sampled_from([8.0, 12.0]))
def test_another_reader_reads_what_is_printed(number: str, width: float, dots: float) -> None:
    svg = bars_svg(number, width - 3, 10, dots)
    (read,) = zxingcpp.read_barcodes(printed(svg))
    assert (read.format, read.text) == (zxingcpp.BarcodeFormat.Code128, plain(number))
    assert as_given(read.text) == number
    (width_mm,) = map(float, re.findall(r' width="([\d.]+)mm"', svg))
    module_dots = width_mm * dots / (len(modules(number)) + 2 * QUIET)
    assert abs(module_dots - round(module_dots)) < 0.01, "whole dots of the printer"
    assert width_mm <= width and (width < 50 or width_mm > 25)


@settings(deadline=None)
@given(st.text(max_size=14))
def test_what_is_no_number_of_ours_stands_for_none(sent: str) -> None:
    given_as = as_given(sent)
    assert not given_as or plain(given_as) == plain(sent)


@pytest.fixture
def opened(place: Place) -> Iterator[Opened]:
    """A room whose page is served, with labels of 60 by 40 mm."""
    place.settings = RoomSettings(port=0, label_width_mm=60, label_height_mm=40)
    made = place.open()
    made.serve()
    yield made
    made.close()


def test_a_label_is_a_page_without_scripts_that_names_its_sample(
    opened: Opened, place: Place
) -> None:
    port = opened.room.port()
    body = {"submit_id": "abcdef-0001", "product": "菜心 <b>", "stall": "A&1"}
    made = ask(port, "/api/samples", body)[2]
    status, headers, page = ask(port, f"/labels/{made['sample_id']}")
    told = page.decode()
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "菜心 &lt;b&gt;" in told and "A&amp;1" in told and "2026-11-26 08:30" in told
    assert "style=" not in told and re.findall(r"<script[^>]*>(.*?)</script>", told) == [""]
    (read,) = zxingcpp.read_barcodes(printed(told))
    assert as_given(read.text) == made["number"]
    style = ask(port, "/label.css")[2].decode()
    assert "size: 60mm 40mm" in style and ask(port, "/label.js")[0] == 200
    assert ask(port, f"/labels/{made['sample_id'][:-1]}0" + "0")[0] == 404
    other = "0" * 8 + made["sample_id"][8:]
    assert ask(port, f"/labels/{other}")[0] == 404

    place.later(days=2)  # no sample of today any more, and still found
    for code in (read.text, f" {made['number']} "):
        found = ask(port, f"/api/find?code={quote(code)}")[2]
        assert (found["ours"], found["sample"]["sample_id"]) == (True, made["sample_id"])
    assert ask(port, f"/api/find?code={plain(number_for(date(2026, 11, 25), 3))}")[2] == {
        "ours": True,
        "sample": None,
    }
    assert ask(port, "/api/find?code=6901234567892")[2] == {"ours": False, "sample": None}
    assert ask(port, "/api/find")[2] == {"ours": False, "sample": None}


def test_labels_are_for_who_has_signed_in(place: Place) -> None:
    write_operator(place.folder / "operators.toml", "陈思敏", "271828")
    place.settings = RoomSettings(port=0, operators_file="operators.toml")
    made = place.open()
    port = made.serve()
    status, headers, _ = ask(port, f"/labels/{'0' * 36}")
    assert (status, headers["Location"]) == (303, "/")
    assert ask(port, "/api/find?code=1")[0] == 401
    made.close()
