"""Expressions that failed on an event: counted, and each sort of it told once in the log."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

TOLD_MOST = 1000


class Faults:
    """Called with the rule's id and what went wrong; may be called by several threads."""

    def __init__(self, count: Callable[[str], None]) -> None:
        self._count = count
        self._told: set[tuple[str, str]] = set()

    def __call__(self, rule: str, fault: str) -> None:
        """Count it; tell it if it is new."""
        self._count(rule)
        if (rule, fault) not in self._told and len(self._told) < TOLD_MOST:
            self._told.add((rule, fault))
            log.warning("rule %s: an expression failed, and it did not fire: %s", rule, fault)
