"""The console's words: one catalogue a language, read from its .po file, and their look-up.

Message ids are names (``desk.title``), so that no language is the code's own. A message with
plurals takes its form by the argument `n`.
"""

from collections.abc import Mapping
from pathlib import Path

from babel import Locale
from babel.messages.pofile import read_po

from contracts.words import in_chinese, in_english

LOCALES = Path(__file__).parent / "locales"
LANGUAGES = ("zh_CN", "en")
DEFAULT = "zh_CN"
TAGS = {"zh_CN": "zh-CN", "en": "en"}
"""Language tags for HTML."""


_CLDR = ("zero", "one", "two", "few", "many", "other")


class MissingWord(KeyError):
    """A message that the catalogue does not hold."""


class Words:
    """One language's messages."""

    def __init__(self, language: str, folder: Path = LOCALES) -> None:
        self.language = language
        self.tag = TAGS[language]
        path = folder / language / "LC_MESSAGES" / "console.po"
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language, abort_invalid=True)
        self._plural = Locale.parse(language).plural_form
        self._forms = sorted(self._plural.tags | {"other"}, key=_CLDR.index)
        self.messages: Mapping[str, tuple[str, ...]] = {
            _name(message.id): _forms(message.string) for message in catalogue if message.id
        }

    def __call__(self, name: str, /, **values: object) -> str:
        """The message with `{…}` filled in. Raises MissingWord."""
        try:
            forms = self.messages[name]
        except KeyError:
            raise MissingWord(f"{self.language}: {name}") from None
        n = values.get("n")
        index = self._forms.index(self._plural(n)) if isinstance(n, int) and len(forms) > 1 else 0
        return forms[index].format_map(values) if values else forms[index]

    def has(self, name: str) -> bool:
        """Whether the catalogue holds this message."""
        return name in self.messages

    def pick(self, zh: str, en: str) -> str:
        """The one of two texts that is in this language; the other where it is missing."""
        return (en or zh) if self.language == "en" else (zh or en)

    def half(self, said: str) -> str:
        """This language's half of what was said in both; other text as it is."""
        return in_english(said) if self.language == "en" else in_chinese(said)


def load_words(folder: Path = LOCALES) -> dict[str, Words]:
    """Every language's words."""
    return {language: Words(language, folder) for language in LANGUAGES}


def chosen(cookie: str | None, accept: str | None) -> str:
    """A request's language: by cookie, else English if the browser wants that before Chinese."""
    if cookie in LANGUAGES:
        return cookie
    for part in (accept or "").split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh_CN"
        if tag.startswith("en"):
            return "en"
    return DEFAULT


def _name(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def _forms(string: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    if string is None:
        return ("",)
    return (string,) if isinstance(string, str) else tuple(string)
