"""CSV files as offices make them: both encodings, both languages of headers, quoting, formulas."""

import csv
import io
import re
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.sheets import faults
from ledger.sheets.cells import (
    MOST_ROWS,
    Column,
    Encoding,
    Row,
    encoding_of,
    read_rows,
    write_rows,
)
from ledger.sheets.faults import WORDS, Fault, Wrong
from ledger.sheets.kinds import SHEETS

COLUMNS = (
    Column("name", "名称", needed=True),
    Column("kind", "类型", options=(("market", "农贸市场"), ("van", "快检车"))),
    Column("note", "备注"),
)


def read(content: bytes) -> list[tuple[int, Row] | Fault]:
    file = io.BytesIO(content)
    return list(read_rows(file, encoding_of(file), COLUMNS))


def read_text(text: str) -> list[tuple[int, Row] | Fault]:
    return read(text.encode())


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("名称\n好又多\n".encode(), "utf-8"),
        ("名称\n好又多\n".encode("utf-8-sig"), "utf-8-bom"),
        ("名称\n好又多\n".encode("gb18030"), "gb18030"),
        (b"name\nplain\n", "utf-8"),
    ],
)
def test_it_says_how_a_file_is_written_and_reads_it(content: bytes, encoding: Encoding) -> None:
    file = io.BytesIO(content)
    assert encoding_of(file) == encoding
    ((row, cells),) = read(content)  # type: ignore[misc]
    assert row == 2 and cells["name"] in ("好又多", "plain")


def test_a_file_in_neither_is_refused() -> None:
    with pytest.raises(Wrong) as wrong:
        encoding_of(io.BytesIO("名称\n好又多\n".encode("utf-16")))
    assert wrong.value.kind == "unreadable"


def test_a_character_that_is_cut_by_a_block_is_read() -> None:
    content = ("a" * 65_533 + "好又多" * 50).encode()
    assert encoding_of(io.BytesIO(b"name\n" + content)) == "utf-8"
    with pytest.raises(Wrong):
        encoding_of(io.BytesIO(content + b"\xff"))


def test_headers_in_either_language_in_any_order_and_empty_rows_are_counted() -> None:
    found = read_text('\n备注, NAME ,类型,,\n" 一, 二 ",甲,快检车\n,,\n\n"x ""y""",乙,,,\n')
    assert found == [
        (3, {"note": "一, 二", "name": "甲", "kind": "快检车"}),
        (6, {"note": 'x "y"', "name": "乙", "kind": ""}),
    ]


def test_every_fault_of_a_file_is_told_with_its_row() -> None:
    def kinds(text: str) -> list[tuple[int, str]]:
        return [(one.row, one.kind) for one in read_text(text) if isinstance(one, Fault)]

    assert kinds("") == [(0, "empty")]
    assert kinds("类型,价格,类型\n") == [(1, "missing"), (1, "strange"), (1, "twice")]
    assert kinds("name,kind\n甲\n乙,van\n丙,van,3\n") == [(2, "width"), (4, "width")]
    assert kinds('name\n"甲\n') == [(2, "csv")]
    assert kinds("name,kind\n" + "x" * 200_000 + ",van\n") == [(2, "csv")]
    many = "name\n" + "x\n" * (MOST_ROWS + 5)
    assert kinds(many) == [(MOST_ROWS + 2, "rows")]


def test_a_cell_is_read_in_either_language_and_refused_with_its_reason() -> None:
    name, kind, _ = COLUMNS
    assert [kind.reads(cell) for cell in ("快检车", "van", "VAN", "")] == ["van", "van", "van", ""]
    for column, cell, why in (
        (kind, "船", "choice"),
        (name, "x" * 201, "long"),
        (name, "a\nb", "control"),
        (name, "a\x00b", "control"),
        (name, "a\u2028b", "control"),
    ):
        with pytest.raises(Wrong) as wrong:
            column.reads(cell)
        assert wrong.value.kind == why
        assert wrong.value.fault(7).row == 7


CELLS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=30).map(
    str.strip
) | st.sampled_from(
    ["=1+1", "'=x", "''-2", "+86 138", "@a", "-", "'", "'a", "a,b", '"', "＝SUM(A1)", "\ufeffx"]
)


@given(
    st.lists(st.fixed_dictionaries({"name": CELLS.filter(bool), "note": CELLS}), max_size=20),
    st.booleans(),
    st.sampled_from(["utf-8-bom", "gb18030"]),
)
def test_what_is_written_is_read_as_the_same_cells(
    rows: list[Row], chinese: bool, encoding: Encoding
) -> None:
    given_rows = [row | {"kind": "van"} for row in rows]
    content = b"".join(write_rows(given_rows, COLUMNS, chinese=chinese, encoding=encoding))
    file = io.BytesIO(content)
    found = [
        one if isinstance(one, Fault) else one[1] for one in read_rows(file, encoding, COLUMNS)
    ]
    assert found == [row | {"kind": "快检车" if chinese else "van"} for row in given_rows]
    codec = "gb18030" if encoding == "gb18030" else "utf-8-sig"
    for row in csv.reader(io.StringIO(content.decode(codec), newline="")):
        assert not any(cell[:1] in set("=+-@＝＋－＠\t\r") and cell for cell in row)


def test_every_kind_of_fault_is_in_both_languages_with_the_same_places() -> None:
    for kind, (zh, en) in WORDS.items():
        places = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (zh, en)
        ]
        assert zh and en and places[1] <= places[0] | {"value", "options"}, kind


def test_every_kind_of_fault_is_told_somewhere() -> None:
    sources = Path(faults.__file__).parent.glob("*.py")
    told = {
        kind
        for one in sources
        for kind in re.findall(r'Wrong\(\s*"([a-z_]+)"', one.read_text("utf-8"))
    }
    assert told == set(WORDS)


def test_no_two_columns_of_a_sheet_have_one_name() -> None:
    for sheet in SHEETS.values():
        names = [name for column in sheet.columns for name in (column.name, column.zh)]
        assert len(set(names)) == len(names)
