"""The page docs/pages.md: every page, what it is for, who sees it, its pictures."""

from foodsentry.pictures.pages import PAGES, Page
from server.access import RIGHTS, Right
from server.app import routes
from server.languages import Words, load_words
from server.rights_page import ROLES, right_for

FOLDER = "pictures/pages"
LOOKS = ("desk", "phone")
"""A desk's screen in light colours, a phone's in dark ones."""
_HEAD = """\
# Every page

控制台的每一个页面：做什么用、谁能看到、桌面图（1440 px，浅色）和手机图（390 px，深色）。

Written by `make docs` from the table in `foodsentry/pictures/pages.py` and the routes' rights
([rights.md](rights.md)). The pictures are of a made-up district of 500 establishments
(`foodsentry district`); every name in it is invented. They are renewed by
`foodsentry pictures --docs [--page NAME]`. Fields of dates look as the browser's own language has
them.
"""


def file_of(page: Page, look: str) -> str:
    """The picture's file, relative to docs/."""
    return f"{FOLDER}/{page.name}-{look}.webp"


def pages_page() -> str:
    """The page as Markdown."""
    words, every = load_words(), routes()
    parts = [_HEAD]
    for page in PAGES:
        zh, en = page.zh.rstrip("。"), page.en.rstrip(".")
        title = f"{_title(zh, '：，')} {_title(en, ':,')}"
        right = right_for(every, page.path)
        seen = " / ".join(_seen_by(right, words[one]) for one in ("zh_CN", "en"))
        desk, phone = (
            f'<img src="{file_of(page, look)}" height="360" alt="{page.en}">' for look in LOOKS
        )
        said = "" if title == f"{zh} {en}" else f"{page.zh} {page.en}\n\n"
        parts.append(f"## {title}\n\n{said}`{page.path}` · {seen}\n\n{desk} {phone}\n")
    return "\n".join(parts)


def _title(sentence: str, ends: str) -> str:
    """What stands before the first of these marks."""
    found = [sentence.find(end) for end in ends if end in sentence]
    return sentence[: min(found)] if found else sentence


def _seen_by(right: Right | None, words: Words) -> str:
    """Who has that right."""
    chinese = words.language == "zh_CN"
    if right is None:
        return "任何人" if chinese else "anyone"
    roles = [role for role in ROLES if right in RIGHTS[role]]
    if len(roles) == len(ROLES):
        return "所有登录的人" if chinese else "whoever is signed in"
    return ("、" if chinese else ", ").join(words(f"role.{role.value}") for role in roles)
