"""LIS2 records: delimiters of the header, escapes, records across frames, context and raw bytes."""

from edge_agent.protocols.lis2 import Delimiters, Message, delimiters, field, unescape


def message(*texts: tuple[bytes, bool]) -> Message:
    made = Message()
    for number, (text, last) in enumerate(texts):
        made.add(text, b"<%d>" % number, last=last)
    return made


def test_results_know_what_they_belong_to_and_which_frames_they_came_in() -> None:
    made = message(
        (b"H|\\^&\rP|1\rO|1|A\rR|1|x|1\r", True),
        (b"C|1|I|note\rR|2|y|2\rO|2|B\rR|1|x", False),
        (b"|3\rL|1|N\r", True),
    )
    first, second, third = made.results()
    assert first.records["O"].content == b"O|1|A"
    assert first.records["C"].content == b"C|1|I|note"
    assert "C" not in second.records
    assert third.records["O"].content == b"O|2|B"
    assert third.records["R"].content == b"R|1|x|3"
    assert first.raw == b"<0><1>"
    assert third.raw == b"<0><1><2>"
    assert made.terminated
    assert not made.broken


def test_record_without_final_cr_is_whole_at_etx_and_open_at_etb() -> None:
    assert message((b"H|\\^&\rR|1|x|1", True)).results()[0].records["R"].content == b"R|1|x|1"
    half = message((b"H|\\^&\rR|1|x|1", False))
    assert half.broken
    assert half.results() == []


def test_other_delimiters() -> None:
    marks = delimiters("H!@$%")
    assert marks == Delimiters("!", "@", "$", "%")
    assert field("R!1!a$b$c!5", 3, None, marks) == "a$b$c"
    assert field("R!1!a$b$c!5", 3, 2, marks) == "b"
    assert field("R!1", 9, None, marks) == ""
    assert field("H!@$%!x", 2, None, marks) == "@$%"


def test_escapes() -> None:
    marks = Delimiters()
    assert unescape("a&F&b&S&c&R&d&E&e", marks) == "a|b^c\\d&e"
    assert unescape("&X41&", marks) == "A"
    assert unescape("plain & simple", marks) == "plain & simple"


def test_gap_keeps_the_specimen_only_if_the_count_goes_on() -> None:
    made = Message()
    made.add(b"H|\\^&\rP|1\rO|1|A\rR|1|x|1\r", b"<0>", last=True)
    assert made.gap(1) == b""
    made.add(b"R|3|x|3\r", b"<1>", last=True)
    made.add(b"R|4|x|4|cut", b"<2>", last=False)
    assert made.gap(1) == b"R|4|x|4|cut"
    assert made.add(b"tail of it|R|9\rR|1|x|5\r", b"<3>", last=True) == b"tail of it|R|9"
    first, third, other = made.results()
    assert "O" in first.records
    assert third.records["O"].content == b"O|1|A"
    assert other.records["R"].content == b"R|1|x|5"
    assert set(other.records) == {"H", "R"}
