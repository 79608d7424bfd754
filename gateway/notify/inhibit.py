"""Which alert explains another one at the same site, so that nobody is told of both. Pure.

A rule names those that it inhibits. Of rules that inhibit each other in a circle the gravest alert
that began first is told. What explains others goes on doing so for `linger_s` after it is resolved:
its consequences have that long to be over by themselves. Class 1 is never inhibited.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from contracts.words import Severity
from ledger.alert_types import AlertRow


class Inhibition:
    """What inhibits what, by rule."""

    def __init__(self, inhibits: Mapping[str, Sequence[str]], linger_s: float = 30.0) -> None:
        """`inhibits`: patterns of rule ids by the rule that inhibits them."""
        self._patterns = {rule: tuple(some) for rule, some in inhibits.items() if some}
        self._linger = timedelta(seconds=linger_s)

    @property
    def rules(self) -> frozenset[str]:
        """Rules that inhibit others."""
        return frozenset(self._patterns)

    def sources_since(self, at: datetime) -> datetime:
        """Sources that were resolved before that do not count any more."""
        return at - self._linger

    def until(self, source: AlertRow) -> datetime | None:
        """Until when a source inhibits: None while it fires."""
        return None if source.resolved_at is None else source.changed_at + self._linger

    def source(
        self, target: AlertRow, at: datetime, sources: Iterable[AlertRow]
    ) -> AlertRow | None:
        """The alert of `sources` that explains `target`, if nobody is to be told of it."""
        if target.severity is Severity.AT_ONCE:
            return None
        here = (one for one in sources if one.site == target.site)
        for source in sorted(here, key=_rank):
            until = self.until(source)
            if (
                source.alert_id != target.alert_id
                and self._names(source.rule, target.rule)
                and (until is None or until > at)
                and not (_rank(target) < _rank(source) and self._reaches(target.rule, source.rule))
            ):
                return source
        return None

    def _names(self, source: str, target: str) -> bool:
        if source == target:
            return False
        return any(fnmatchcase(target, pattern) for pattern in self._patterns.get(source, ()))

    def _reaches(self, start: str, goal: str) -> bool:
        """Whether `start` inhibits `goal`, itself or by others."""
        seen, edge = {start}, [start]
        while edge:
            here = edge.pop()
            if self._names(here, goal):
                return True
            for rule in self._patterns:
                if rule not in seen and self._names(here, rule):
                    seen.add(rule)
                    edge.append(rule)
        return False


def _rank(alert: AlertRow) -> tuple[int, datetime, str]:
    return (alert.severity, alert.raised_at, alert.alert_id)
