"""The page that a label printer prints: one sample's number as text and bars, without scripts."""

from datetime import datetime
from html import escape
from pathlib import Path
from string import Template

from contracts.room import SampleRecord
from edge_agent.room.label import bars_svg
from edge_agent.room.settings import RoomSettings
from edge_agent.room.words import LABEL

_STATIC = Path(__file__).parent / "static"
MARGIN_MM = 1.5


def label_page(record: SampleRecord, registered_at: datetime, settings: RoomSettings) -> bytes:
    """One sample's label as HTML; `registered_at` in the room's own time."""
    width_mm = settings.label_width_mm - 2 * MARGIN_MM
    height_mm = max(6.0, settings.label_height_mm * 0.35)
    page = Template((_STATIC / "label.html").read_text("utf-8"))
    told = {
        "number": record.number,
        "product": record.product,
        "stall": record.stall,
        "at": f"{registered_at:%Y-%m-%d %H:%M}",
        **LABEL,
    }
    bars = bars_svg(record.number, width_mm, height_mm, settings.label_dots_per_mm)
    shown = {name: escape(value) for name, value in told.items()}
    return page.substitute(shown, bars=bars).encode()


def label_css(settings: RoomSettings) -> bytes:
    """The label's look, with the size of the room's labels."""
    size = f"{settings.label_width_mm:g}mm {settings.label_height_mm:g}mm"
    width, height = size.split()
    own = f"@page {{ size: {size}; margin: 0; }}\n.label {{ width: {width}; height: {height}; }}\n"
    return (_STATIC / "label.css").read_bytes() + own.encode()
