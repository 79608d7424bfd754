"""Settings of the ledger: where the database is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec

from contracts.settings import SettingsError, read_secret
from ledger.engine import Engine, open_engine


class LedgerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The book of record's database."""

    url: Annotated[
        str,
        msgspec.Meta(
            description="Database URL: sqlite:///path (relative to this settings file) or "
            "postgresql+psycopg://user@host/database. Empty: read from url_file or from the "
            "environment variable FOODSENTRY_LEDGER_URL."
        ),
    ] = ""
    url_file: Annotated[
        str,
        msgspec.Meta(
            description="File that holds the URL, for one with a password; relative to this "
            "settings file."
        ),
    ] = ""

    def open(self, settings_file: Path) -> Engine:
        """An engine for the database. Raises SettingsError that names the file and the key."""
        where = f"{settings_file}: ledger"
        url = self.url or read_secret(
            self.url_file,
            "FOODSENTRY_LEDGER_URL",
            f"{where}.url_file",
            base=settings_file.parent,
        )
        if not url:
            raise SettingsError(f"{where}.url: no database URL")
        prefix = "sqlite:///"
        if url.startswith(prefix):
            path = url.removeprefix(prefix)
            url = f"{prefix}{(settings_file.parent / path).resolve()}"
        try:
            return open_engine(url)
        except ValueError as error:
            raise SettingsError(f"{where}.url: {error}") from None

    @contextmanager
    def opened(self, settings_file: Path) -> Iterator[Engine]:
        """The same for a while. Raises SettingsError."""
        engine = self.open(settings_file)
        try:
            yield engine
        finally:
            engine.dispose()
