"""A sample's number as a QR code and as bars; nothing else at the edge touches segno or barcode.

The bars are Code 128's as python-barcode encodes them (MIT, pure Python, needs nothing itself);
drawn here, for its writers put styles where the page's content policy allows none.
"""

import io
from itertools import groupby

import segno
from barcode.codex import Code128

from edge_agent.room.numbers import plain

QUIET = 10
"""Modules that stay white before and after the bars, as the standard wants them."""
WIDEST_MM = 0.5
"""Bars need not be wider than this, in mm."""


def qr_svg(number: str) -> bytes:
    """A QR code of a sample number (error correction M) as a stand-alone SVG."""
    code = segno.make(number, error="m", micro=False)
    out = io.BytesIO()
    code.save(
        out, kind="svg", scale=8, border=4, dark="#000", light="#fff", omitsize=True, nl=False,
        svgclass=None, lineclass=None,
    )  # fmt: skip
    return out.getvalue()


def modules(number: str) -> str:
    """A number's bars (1) and gaps (0) without the quiet zones; its dash is left out."""
    (made,) = Code128(plain(number)).build()
    return str(made)


def bars_svg(number: str, width_mm: float, height_mm: float, dots_per_mm: float) -> str:
    """The bars as an SVG of at most `width_mm`, each of whole dots of the printer."""
    made = modules(number)
    wide = len(made) + 2 * QUIET
    most = min(width_mm / wide, WIDEST_MM)
    module_mm = max(1, int(most * dots_per_mm + 1e-9)) / dots_per_mm
    bars, at = [], QUIET
    for bar, run in groupby(made):
        length = len(list(run))
        if bar == "1":
            bars.append(f'<rect x="{at}" width="{length}" height="1"/>')
        at += length
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide * module_mm:.3f}mm" '
        f'height="{height_mm:g}mm" viewBox="0 0 {wide} 1" preserveAspectRatio="none" '
        f'shape-rendering="crispEdges" role="img" aria-label="Code 128 {plain(number)}">'
        f'<rect width="{wide}" height="1" fill="#fff"/>{"".join(bars)}</svg>'
    )
