"""Hashes and checks passwords with argon2id; nothing else in the project touches argon2."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from server.password_rules import MAX_LENGTH, MIN_LENGTH

AT_ONCE = 4
"""Hashes computed at the same time: each takes 64 MiB, so a flood of sign-ins stays bounded."""


class WeakPassword(ValueError):
    """A password that is not accepted; the text says why."""


class Passwords:
    """Makes and checks hashes; a check takes as long for an unknown login as for a known one."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._nobody = self._hasher.hash("the password of nobody")

    def hash(self, password: str) -> str:
        """The text that the ledger keeps. Raises WeakPassword."""
        if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            raise WeakPassword(f"a password has {MIN_LENGTH} to {MAX_LENGTH} characters")
        with self._turn:
            return self._hasher.hash(password)

    def check(self, stored: str | None, given: str) -> bool:
        """Whether `given` fits `stored`; without a stored hash it computes one all the same."""
        with self._turn:
            try:
                fits = self._hasher.verify(stored or self._nobody, given[:MAX_LENGTH])
            except (VerificationError, InvalidHashError):
                return False
        return fits and stored is not None

    def outdated(self, stored: str) -> bool:
        """Whether `stored` was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)
