"""Reads a process's settings from one TOML file into a typed value; refuses unknown keys.

Errors name the file and the key. Secrets are not written into settings: a `…_file` key names the
file that holds one, or the environment does.
"""

import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

S = TypeVar("S", bound=msgspec.Struct)


class SettingsError(Exception):
    """Settings that cannot be used; the text names the file and the key."""


def load_settings(path: Path, kind: type[S]) -> S:
    """Read the TOML file at `path` as `kind` (a Struct with ``forbid_unknown_fields=True``)."""
    try:
        text = path.read_bytes().decode("utf-8")
        table = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    return convert_settings(table, kind, str(path))


def convert_settings(table: dict[str, Any], kind: type[S], where: str) -> S:
    """Check a parsed table against `kind`; `where` opens every error."""
    try:
        return msgspec.convert(table, kind, strict=True)
    except msgspec.ValidationError as error:
        message, _, key = str(error).partition(" - at `$")
        key = key.removesuffix("`").lstrip(".") or "(top level)"
        raise SettingsError(f"{where}: {key}: {message}") from None


def read_secret(file: str, environment: str, where: str, *, base: Path | None = None) -> str | None:
    """A secret from `file` (may be relative to `base`), else from the environment, else None."""
    if file:
        path = (base or Path()) / file
        try:
            return path.read_text("utf-8").strip()
        except OSError as error:
            raise SettingsError(f"{where}: secret file {path}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise SettingsError(f"{where}: secret file {path}: is not UTF-8 text") from None
    return os.environ.get(environment) or None
