"""Draws sheets as PDF: the only door to ReportLab.

Chinese is set in STSong-Light, one of the fonts that every PDF reader brings for the Adobe-GB1
characters: no font file is needed, and none is in the PDF. The same sheet gives the same bytes.
"""

import io
from collections.abc import Sequence
from html import escape

import msgspec
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

FONT = "STSong-Light"
_MARGIN = 15 * mm
_INK = colors.HexColor("#1b2420")
_QUIET = colors.HexColor("#5d6a64")
_LINE = colors.HexColor("#b8c1bc")


class Column(msgspec.Struct, frozen=True):
    """A column of a sheet's table."""

    name: str
    weight: float = 1.0
    """Its share of the width."""


class Sheet(msgspec.Struct, frozen=True):
    """What is drawn: a title, what it is about, a table, and what stands below it."""

    title: str
    lines: Sequence[str]
    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    marked: frozenset[int] = frozenset()
    """Rows with a wash behind them."""
    notes: Sequence[str] = ()
    foot: str = ""
    """At the bottom of every page, before its number."""
    wide: bool = False
    """Across the paper."""


def draw(sheet: Sheet) -> bytes:
    """The sheet as a PDF of A4 pages."""
    if FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    page = landscape(A4) if sheet.wide else A4
    buffer = io.BytesIO()
    made = SimpleDocTemplate(
        buffer, pagesize=page, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=_MARGIN,
        bottomMargin=_MARGIN + 4 * mm, title=sheet.title, author="FoodSentry", invariant=1,
    )  # fmt: skip
    story: list[object] = [Paragraph(escape(sheet.title), _style(18, leading=26))]
    story += [Paragraph(escape(one), _style(10, color=_QUIET)) for one in sheet.lines]
    story.append(Spacer(1, 4 * mm))
    if sheet.rows:
        story.append(_table(sheet, page[0] - 2 * _MARGIN))
        story.append(Spacer(1, 4 * mm))
    story += [Paragraph(escape(one), _style(9.5)) for one in sheet.notes]

    def foot(canvas: Canvas, document: object) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 8.5)
        canvas.setFillColor(_QUIET)
        canvas.drawString(_MARGIN, _MARGIN - 3 * mm, sheet.foot)
        canvas.drawRightString(page[0] - _MARGIN, _MARGIN - 3 * mm, str(canvas.getPageNumber()))
        canvas.restoreState()

    made.build(story, onFirstPage=foot, onLaterPages=foot)
    return buffer.getvalue()


def _style(size: float, *, leading: float = 0.0, color: object = _INK) -> ParagraphStyle:
    return ParagraphStyle(
        f"s{size}{color}", fontName=FONT, fontSize=size, leading=leading or size * 1.5,
        textColor=color, wordWrap="CJK",
    )  # fmt: skip


def _table(sheet: Sheet, width: float) -> Table:
    head, cell = _style(9.5, color=_QUIET), _style(9.5)
    total = sum(one.weight for one in sheet.columns)
    widths = [width * one.weight / total for one in sheet.columns]
    rows = [[Paragraph(escape(one.name), head) for one in sheet.columns]]
    rows += [[Paragraph(escape(text), cell) for text in row] for row in sheet.rows]
    shape = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, _INK),
        ("LINEBELOW", (0, 1), (-1, -1), 0.3, _LINE),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 3),
    ]
    wash = colors.HexColor("#f6e3df")
    shape += [("BACKGROUND", (0, row + 1), (-1, row + 1), wash) for row in sorted(sheet.marked)]
    return Table(rows, colWidths=widths, repeatRows=1, style=TableStyle(shape))
