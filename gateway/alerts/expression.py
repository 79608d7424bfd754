"""CEL expressions of rules: compiled once, run on an event's fields; the only door to `cel`.

An expression that fails on an event is false there, and told as a fault: it stops nothing. What can
fail is refused when the rule file is read, as far as that can be known: names that the event does
not have, and comparing a field that may be null without asking first.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import cel

Fields = Mapping[str, Any]
"""Names and values; see `gateway.alerts.fields`."""
OnFault = Callable[[str, str], None]
"""Is told the rule's id and what went wrong."""

FUNCTIONS = frozenset(
    ("size", "matches", "startsWith", "endsWith", "contains", "int", "uint", "double", "string")
)
"""Functions that an expression may call, besides `has` and the macros over lists."""
_FAULTS = (LookupError, TypeError, RuntimeError, ValueError, ArithmeticError)


class WrongExpression(ValueError):
    """An expression that cannot be read, names what there is not, or fails; the text says why."""


class Scene:
    """An event's fields, ready for any number of expressions; only those `names` are taken."""

    def __init__(self, fields: Fields, names: Iterable[str]) -> None:
        self.context = cel.Context({name: fields[name] for name in names})


class Expression:
    """A compiled expression."""

    def __init__(self, source: str) -> None:
        """Raises WrongExpression."""
        self.source = source
        try:
            self._program = cel.compile(source)
        except ValueError as error:
            raise WrongExpression(_first_line(error)) from None
        self.names = frozenset(self._program.variables())
        missing = sorted(
            name for name in self._program.functions() if name.isalnum() and name not in FUNCTIONS
        )
        if missing:
            raise WrongExpression(
                f"{', '.join(missing)}: no such function; there are {', '.join(sorted(FUNCTIONS))}"
            )

    def run(self, scene: Scene) -> bool:
        """Whether it is true. Raises WrongExpression."""
        try:
            said = self._program.execute(scene.context)
        except _FAULTS as error:
            raise WrongExpression(f"{type(error).__name__}: {_first_line(error)}") from None
        if said is not True and said is not False:
            raise WrongExpression(f"says {said!r}, neither true nor false")
        return bool(said)

    def holds(self, scene: Scene, rule: str, on_fault: OnFault) -> bool:
        """Whether it is true; a fault is told, and not true."""
        try:
            return self.run(scene)
        except WrongExpression as error:
            on_fault(rule, str(error))
            return False

    def check(self, samples: Sequence[Fields]) -> None:
        """Run it on samples of the event that it will meet. Raises WrongExpression."""
        known = samples[0].keys()
        unknown = sorted(
            name for name in self.names if name not in known and not _bound(self, name)
        )
        if unknown:
            raise WrongExpression(
                f"{', '.join(unknown)}: not known here; there are {', '.join(sorted(known))}"
            )
        for fields in samples:
            try:
                self.run(Scene(fields, self.names & known))
            except WrongExpression as error:
                nothing = sorted(name for name in self.names & known if fields[name] is None)
                hint = f"; {', '.join(nothing)} may be null: ask first (x != null && …)"
                raise WrongExpression(f"{error}{hint if nothing else ''}") from None


def _bound(expression: Expression, name: str) -> bool:
    """Whether a name is bound within the expression itself (`flags.exists(flag, …)`)."""
    return any(
        f"{macro}({name}," in expression.source.replace(" ", "")
        for macro in ("all", "exists", "exists_one", "map", "filter")
    )


def _first_line(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return text.split("\n", 1)[0][:300]
