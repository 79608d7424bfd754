"""Operators who may work at the room's page: names and hashed PINs from a file, sessions, patience.

A session is a signed cookie, so that a restart of the agent signs nobody out; a new PIN, or a name
that is taken off the file, ends it. The file is read again when it changes.
"""

import base64
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec

from contracts.settings import SettingsError, load_settings

SESSION = timedelta(hours=12)
LEAST_PIN = 6
TRIES = 5
"""Wrong PINs of one name before it must wait …"""
FIRST_WAIT_S = 60.0
LONGEST_WAIT_S = 900.0
_N, _R, _P = 1 << 14, 8, 1


class Operator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the file."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    pin: Annotated[str, msgspec.Meta(pattern=r"^scrypt\$[0-9a-f]{32}\$[0-9a-f]{64}$")]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    operator: tuple[Operator, ...] = ()


def hash_pin(pin: str, salt: bytes | None = None) -> str:
    """A PIN as the file holds it. Raises SettingsError for one that is too easy."""
    if len(pin) < LEAST_PIN or not pin.isdecimal() or not pin.isascii():
        raise SettingsError(f"a PIN has {LEAST_PIN} digits or more, and nothing else")
    steps = {ord(b) - ord(a) for a, b in pairwise(pin)}
    if len(steps) == 1 and steps <= {-1, 0, 1}:
        raise SettingsError("a PIN of equal digits, or of digits in a row, is guessed first")
    return _hashed(pin, salt or secrets.token_bytes(16))


def _hashed(pin: str, salt: bytes) -> str:
    made = hashlib.scrypt(pin.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)
    return f"scrypt${salt.hex()}${made.hex()}"


def read_operators(file: Path) -> dict[str, Operator]:
    """Operators by name. Raises SettingsError."""
    operators = load_settings(file, _File).operator
    found = {one.name: one for one in operators}
    if len(found) != len(operators):
        raise SettingsError(f"{file}: a name stands there twice")
    if not found:
        raise SettingsError(f"{file}: names no operator")
    return found


def write_operator(file: Path, name: str, pin: str) -> None:
    """Add an operator, or give one a new PIN. Raises SettingsError."""
    known = read_operators(file) if file.exists() else {}
    known[name] = msgspec.convert({"name": name, "pin": hash_pin(pin)}, Operator)
    lines = ["# Operators of the testing room, with hashed PINs; see docs/testing-room.md."]
    for one in known.values():
        quoted = msgspec.json.encode(one.name).decode()
        lines += ["", "[[operator]]", f"name = {quoted}", f'pin = "{one.pin}"']
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write("\n".join(lines) + "\n")
    fresh.replace(file)


def session_key(file: Path) -> bytes:
    """The key that signs sessions; made at the first start, readable for the agent alone."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(made, "wb") as out:
            out.write(secrets.token_bytes(32))
    key = file.read_bytes()
    if len(key) != 32:
        raise SettingsError(f"{file}: is no key; remove it, and everybody signs in anew")
    return key


class Gate:
    """Who is let in. With no file nobody need sign in."""

    def __init__(
        self,
        file: Path | None,
        key: bytes,
        clock: Callable[[], datetime],
        ticks: Callable[[], float],
    ) -> None:
        self._file, self._key, self._clock, self._ticks = file, key, clock, ticks
        self._lock = threading.Lock()
        self._wrong: dict[str, tuple[int, float]] = {}
        self._known: dict[str, Operator] = {}
        self._stamp: tuple[int, int] | None = None

    @property
    def is_open(self) -> bool:
        """True if nobody need sign in."""
        return self._file is None

    def names(self) -> list[str]:
        """Who may sign in."""
        return list(self._operators())

    def sign_in(self, name: str, pin: str) -> tuple[str, float]:
        """A session, or an empty one and for how many seconds there is no use in trying again."""
        with self._lock:
            operator = self._operators().get(name)
            heading = name if operator else ""
            count, until = self._wrong.get(heading, (0, 0.0))
            left = until - self._ticks()
            if left > 0:
                return "", left
            stored = operator.pin if operator else "scrypt$" + "0" * 32 + "$" + "0" * 64
            made = _hashed(pin[:64], bytes.fromhex(stored.split("$")[1]))
            if operator and hmac.compare_digest(made, stored):
                self._wrong.pop(heading, None)
                return self._session(operator), 0.0
            count += 1
            wait_s = 0.0
            if count >= TRIES:
                wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(10, count - TRIES))
            self._wrong[heading] = (count, self._ticks() + wait_s)
            return "", wait_s

    def who(self, session: str) -> str | None:
        """The operator whose session it is, "" where nobody need sign in, None for a stranger."""
        if self.is_open:
            return ""
        name64, _, rest = session.partition(".")
        until, _, _sign = rest.partition(".")
        try:
            name = base64.urlsafe_b64decode(name64).decode()
            ends = datetime.fromtimestamp(int(until), self._clock().tzinfo)
        except (ValueError, OverflowError, OSError):
            return None
        with self._lock:
            operator = self._operators().get(name)
        if operator is None or ends < self._clock():
            return None
        return name if hmac.compare_digest(session, self._signed(operator, int(until))) else None

    def _session(self, operator: Operator) -> str:
        return self._signed(operator, int((self._clock() + SESSION).timestamp()))

    def _signed(self, operator: Operator, until: int) -> str:
        head = f"{base64.urlsafe_b64encode(operator.name.encode()).decode()}.{until}"
        sign = hmac.new(self._key, f"{head}.{operator.pin}".encode(), hashlib.sha256)
        return f"{head}.{sign.hexdigest()}"

    def _operators(self) -> dict[str, Operator]:
        if self._file is None:
            return {}
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._known, self._stamp = read_operators(self._file), stamp
        except (OSError, SettingsError):
            self._known, self._stamp = {}, None  # nobody gets in until it is right again
        return self._known
