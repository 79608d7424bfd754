"""Brings a ledger's tables to this version's schema, by Alembic's revisions in `migrations/`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from ledger.engine import Engine, reading, writing

LOCK_KEY = 0x66730003
"""PostgreSQL advisory lock: of several processes that start at once, one migrates."""


class LedgerOutdated(Exception):
    """The ledger's tables are not of this version; the text says what to run."""


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the tables up, all or nothing; makes an SQLite file and its folder if there is none.

    Harmless if they are up. Raises LedgerDown.
    """
    if engine.url.get_backend_name() == "sqlite" and engine.url.database not in (None, ":memory:"):
        Path(str(engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK_KEY})
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def current(engine: Engine) -> str | None:
    """The revision of the tables; None for an empty database. Raises LedgerDown."""
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def expected() -> str | None:
    """The revision that this version's code needs."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def check(engine: Engine) -> None:
    """Raise LedgerOutdated unless the tables are of this version. Raises LedgerDown."""
    have, want = current(engine), expected()
    if have != want:
        raise LedgerOutdated(
            f"ledger tables are at revision {have or 'none'}, this version needs {want}; "
            "run `foodsentry ledger migrate`"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
