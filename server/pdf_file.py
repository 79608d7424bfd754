"""Long documents as PDF: headings, facts and tables of many pages; `pdf.py` draws single sheets.

The font is one of the Adobe fonts that every reader knows by name (STSong-Light): no font file is
needed, none is embedded. The same parts make the same bytes.
"""

import io
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from xml.sax.saxutils import escape

import msgspec
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from server.formats import minute

FONT = "STSong-Light"
MARGIN = 16 * mm
WIDTH = A4[0] - 2 * MARGIN
CELL = 8.5
"""Size of letters in tables, points."""
_WORDS = re.compile(r"[!-~]+|.", re.DOTALL)


class Heading(msgspec.Struct, frozen=True):
    """A heading; `level` 1 is the document's own."""

    text: str
    level: int = 2


class Text(msgspec.Struct, frozen=True):
    """A paragraph."""

    text: str
    small: bool = False


class Facts(msgspec.Struct, frozen=True):
    """Names and what they are, one below the other."""

    pairs: Sequence[tuple[str, str]]


class Table(msgspec.Struct, frozen=True):
    """Rows under a head that stands on every page; `widths` are shares of the page's width."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]


Part = Heading | Text | Facts | Table


def make_pdf(title: str, parts: Sequence[Part], foot: str, made_at: datetime) -> bytes:
    """The document on A4, each page with its number, when it was made, and `foot`."""
    _font()
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=14 * mm,
        bottomMargin=18 * mm,
        title=title,
        author="FoodSentry",
        invariant=1,
    )

    def foot_line(canvas: Canvas, page: SimpleDocTemplate) -> None:
        canvas.saveState()
        canvas.setFont(FONT, 8)
        canvas.setFillColor(colors.HexColor("#5f6e67"))
        canvas.drawString(MARGIN, 10 * mm, f"{minute(made_at)}  {foot}")
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, str(page.page))
        canvas.restoreState()

    flow = [flowable for part in parts for flowable in _flow(part)]
    document.build(flow, onFirstPage=foot_line, onLaterPages=foot_line)
    return out.getvalue()


@cache
def _font() -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))


@cache
def _style(size: float, colour: str = "#14201b", before: float = 0, after: float = 0) -> object:
    return ParagraphStyle(
        f"{size}{colour}{before}",
        fontName=FONT,
        fontSize=size,
        leading=size * 1.45,
        textColor=colors.HexColor(colour),
        wordWrap="CJK",
        spaceBefore=before,
        spaceAfter=after,
    )


def _paragraph(text: str, *style: float | str) -> Paragraph:
    return Paragraph(escape(_printable(text)).replace("\n", "<br/>"), _style(*style))


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() or one == "\n" else " " for one in text)


def _flow(part: Part) -> list[Flowable]:
    if isinstance(part, Heading):
        size = 18.0 if part.level == 1 else 12.0
        return [_paragraph(part.text, size, "#14201b", 0 if part.level == 1 else 10, 4)]
    if isinstance(part, Text):
        return [_paragraph(part.text, 8.0 if part.small else 10.0, "#46554e", 0, 4)]
    if isinstance(part, Facts):
        rows = [
            [_paragraph(name, 9.5, "#5f6e67"), _paragraph(said, 9.5)] for name, said in part.pairs
        ]
        return [_laid(rows, [0.2, 0.8], head=False)] if rows else []
    return [_table(part), Spacer(1, 6)]


def _table(part: Table) -> LongTable:
    """Cells as lines that were broken here: as paragraphs a long table would take minutes."""
    shares = [share * WIDTH - 6 for share in part.widths]
    rows = [
        [broken(_printable(cell), width, CELL) for cell, width in zip(row, shares, strict=True)]
        for row in (part.head, *part.rows)
    ]
    return _laid(rows, part.widths, head=True)


@cache
def _width(letter: str) -> float:
    """Of a letter at size 1, in points."""
    return float(pdfmetrics.stringWidth(letter, FONT, 1))


def broken(text: str, width: float, size: float) -> str:
    """Text in lines of at most `width` points: Latin words whole where they fit, Chinese anywhere.

    The font must be registered (`make_pdf` does it).
    """
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


def _laid(
    rows: Sequence[Sequence[Paragraph | str]], shares: Sequence[float], *, head: bool
) -> LongTable:
    table = LongTable(
        rows, colWidths=[share * WIDTH for share in shares], repeatRows=1 if head else 0
    )
    lines: list[tuple[object, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("FONT", (0, 0), (-1, -1), FONT, CELL, CELL * 1.45),
        ("LEFTPADDING", (0, 0), (-1, -1), 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
        ("TOPPADDING", (0, 0), (-1, -1), 2.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ]
    if head:
        lines.append(("TEXTCOLOR", (0, 0), (-1, 0), colors.HexColor("#5f6e67")))
        lines.append(("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#d9e1dc")))
    table.setStyle(TableStyle(lines))
    return table
