"""The page docs/pages.md: every page with a sentence and its pictures (`foodsentry.reference`)."""

from foodsentry.pictures.pages import PAGES, Page

FOLDER = "pictures/pages"
LOOKS = ("desk", "phone")
"""A desk's screen in light colours, a phone's in dark ones."""
_HEAD = """\
# Every page

每个页面一句话、一张桌面图（1440 px，浅色）和一张手机图（390 px，深色）。

Written by `make docs` from the table in `foodsentry/pictures/pages.py`; the pictures are of a
made-up district of 500 establishments (`foodsentry district`), every name in it is invented, and
are renewed by `foodsentry pictures --docs [--page NAME]`.
"""


def file_of(page: Page, look: str) -> str:
    """The picture's file, relative to docs/."""
    return f"{FOLDER}/{page.name}-{look}.webp"


def pages_page() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    for page in PAGES:
        desk, phone = (
            f'<img src="{file_of(page, look)}" height="360" alt="{page.en}">' for look in LOOKS
        )
        parts.append(f"## {page.zh} {page.en}\n\n`{page.path}`\n\n{desk} {phone}\n")
    return "\n".join(parts)
