"""Documents as PDF: headings, text, facts and tables on A4. The only door to ReportLab.

Chinese is set in STSong-Light, one of the fonts that every PDF reader brings for the Adobe-GB1
characters: no font file is needed, and none is in the PDF. The same document gives the same bytes.
"""

import io
import re
from collections.abc import Sequence
from functools import cache
from xml.sax.saxutils import escape

import msgspec
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

FONT = "STSong-Light"
MARGIN = 15 * mm
CELL = 9.0
"""Size of letters in tables, points."""
_PAD = 3
"""Points left and right of a cell's text."""
_FRAME = 6
"""Points between the margin and the text, which a template of ReportLab's leaves."""
_INK = colors.HexColor("#14201b")
_QUIET = colors.HexColor("#5f6e67")
_LINE = colors.HexColor("#c9d3cd")
_WASH = colors.HexColor("#f6e3df")
_WORDS = re.compile(r"[!-~]+|.", re.DOTALL)


class Heading(msgspec.Struct, frozen=True):
    """A heading; `level` 1 is the document's own."""

    text: str
    level: int = 2


class Text(msgspec.Struct, frozen=True):
    """A paragraph; a quiet one is about the document rather than of it."""

    text: str
    quiet: bool = False


class Facts(msgspec.Struct, frozen=True):
    """Names and what they are, one below the other."""

    pairs: Sequence[tuple[str, str]]


class Table(msgspec.Struct, frozen=True):
    """Rows under a head that stands on every page."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    weights: Sequence[float]
    """Of the columns; their sum is the page's width."""
    marked: frozenset[int] = frozenset()
    """Rows with a wash behind them."""


Part = Heading | Text | Facts | Table


class Document(msgspec.Struct, frozen=True):
    """What is drawn."""

    title: str
    parts: Sequence[Part]
    foot: str
    """At the bottom of every page, before its number."""
    wide: bool = False
    """Across the paper."""


def draw(document: Document) -> bytes:
    """The document as A4 pages with numbers."""
    _font()
    page = landscape(A4) if document.wide else A4
    width = page[0] - 2 * (MARGIN + _FRAME)
    out = io.BytesIO()
    made = SimpleDocTemplate(
        out, pagesize=page, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN,
        bottomMargin=MARGIN + 4 * mm, title=document.title, author="FoodSentry", invariant=1,
    )  # fmt: skip

    def foot(canvas: Canvas, _: object) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 8.5)
        canvas.setFillColor(_QUIET)
        canvas.drawString(MARGIN + _FRAME, MARGIN - 3 * mm, document.foot)
        canvas.drawRightString(
            page[0] - MARGIN - _FRAME, MARGIN - 3 * mm, str(canvas.getPageNumber())
        )
        canvas.restoreState()

    flow = [flowable for part in document.parts for flowable in _flow(part, width)]
    made.build(flow, onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


@cache
def _font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


@cache
def _style(size: float, *, quiet: bool, before: float, after: float) -> ParagraphStyle:
    return ParagraphStyle(
        f"{size} {quiet} {before} {after}", fontName=FONT, fontSize=size, leading=size * 1.45,
        textColor=_QUIET if quiet else _INK, wordWrap="CJK", spaceBefore=before, spaceAfter=after,
    )  # fmt: skip


def _paragraph(
    text: str, size: float, *, quiet: bool = False, before: float = 0, after: float = 0
) -> Paragraph:
    style = _style(size, quiet=quiet, before=before, after=after)
    return Paragraph(escape(_printable(text)).replace("\n", "<br/>"), style)


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text)


def _flow(part: Part, width: float) -> list[Flowable]:
    match part:
        case Heading(text, 1):
            return [_paragraph(text, 18, after=4)]
        case Heading(text):
            return [_paragraph(text, 12, before=10, after=4)]
        case Text(text, quiet):
            return [_paragraph(text, 9.5, quiet=quiet, after=3)]
        case Facts(pairs):
            rows = [
                [_paragraph(name, 9.5, quiet=True), _paragraph(said, 9.5)] for name, said in pairs
            ]
            return [_laid(rows, [0.2 * width, 0.8 * width], [])] if rows else []
        case Table():
            return [Spacer(1, 4), _table(part, width), Spacer(1, 8)]


def _table(part: Table, width: float) -> LongTable:
    """Cells as lines that were broken here: as paragraphs a long table would take minutes."""
    whole = sum(part.weights)
    widths = [width * weight / whole for weight in part.weights]
    rows = [
        [
            broken(_printable(cell), wide - 2 * _PAD, CELL)
            for cell, wide in zip(row, widths, strict=True)
        ]
        for row in (part.head, *part.rows)
    ]
    shape: list[tuple[object, ...]] = [
        ("TEXTCOLOR", (0, 0), (-1, 0), _QUIET),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, _INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, _LINE),
    ]
    shape += [("BACKGROUND", (0, row + 1), (-1, row + 1), _WASH) for row in sorted(part.marked)]
    return _laid(rows, widths, shape)


def _laid(
    rows: Sequence[Sequence[Paragraph | str]],
    widths: Sequence[float],
    shape: Sequence[tuple[object, ...]],
) -> LongTable:
    """A table; one with a shape of its own has a head."""
    table = LongTable(rows, colWidths=widths, repeatRows=1 if shape else 0)
    common: list[tuple[object, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONT", (0, 0), (-1, -1), FONT, CELL, CELL * 1.45),
        ("LEFTPADDING", (0, 0), (-1, -1), _PAD),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), _PAD),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    table.setStyle(TableStyle([*common, *shape]))
    return table


@cache
def _width(letter: str) -> float:
    """Of a letter at size 1, in points."""
    return float(pdfmetrics.stringWidth(letter, FONT, 1))


def broken(text: str, width: float, size: float) -> str:
    """Text in lines of at most `width` points: Latin words whole if they fit, Chinese anywhere."""
    _font()
    lines = []
    for line in text.split("\n"):
        left, room = "", width
        for word in _WORDS.findall(line):
            for part in [word] if _long(word, size) <= width else word:
                needs = _long(part, size)
                if needs > room and left:
                    lines.append(left.rstrip())
                    left, room = "", width
                    if part.isspace():
                        continue
                left += part
                room -= needs
        lines.append(left.rstrip())
    return "\n".join(lines)


def _long(word: str, size: float) -> float:
    return size * sum(map(_width, word))
