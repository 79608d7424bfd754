"""What an alert rule is: a ``[[rule]]`` table of ``firmware_configs/rules/*.toml``, as types."""

from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from contracts.events import Name
from contracts.words import Severity
from gateway.alerts.day_times import Schedule
from gateway.alerts.kinds import DeviceKinds, Globs, When

Cell = str | float | int | bool


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom a rule concerns; what is left out does not narrow it."""

    sites: Annotated[Globs, Meta(description="Patterns of site ids.")] = ()
    site_kinds: Annotated[
        tuple[str, ...], Meta(description="`testing_room`, `quick_test_van`, `canteen`.")
    ] = ()
    establishment_kinds: Annotated[
        tuple[str, ...], Meta(description="`market`, `canteen`, `van`, `supermarket`.")
    ] = ()
    devices: Annotated[
        Globs, Meta(description="Patterns of device ids, or of their registered names.")
    ] = ()
    device_kinds: DeviceKinds = ()


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is told, and whether the rule fires on it: run by `check-rules`."""

    name: Annotated[Name, Meta(description="What it shows.")]
    fires: Annotated[bool, Meta(description="Whether the rule must raise an alert.")]
    at: Annotated[
        Annotated[datetime, Meta(tz=False)] | None,
        Meta(description="Local time of the first event."),
    ] = None
    region: Annotated[str, Meta(description="Where.")] = "440703"
    site_kind: Annotated[str, Meta(description="Kind of the site.")] = ""
    establishment_kind: Annotated[str, Meta(description="Kind of the establishment.")] = ""
    device: Annotated[str, Meta(description="Id of the device.")] = "device1"
    device_kind: Annotated[str, Meta(description="Kind of the device.")] = "probe"
    metric: Annotated[str, Meta(description="What `readings` measure.")] = "temperature"
    unit: Annotated[str, Meta(description="Their unit.")] = "Cel"
    readings: Annotated[
        tuple[tuple[float, float], ...], Meta(description="Minute and value of each.")
    ] = ()
    tests: Annotated[
        tuple[dict[str, Cell], ...],
        Meta(
            description="Fields of each result; without a `verdict`, its `text` is judged by "
            "limits/quick_tests.csv. `minute`, `device`, `site` as well."
        ),
    ] = ()
    observations: Annotated[
        tuple[dict[str, Cell], ...],
        Meta(description="Fields of each episode; `minute`, `device` as well."),
    ] = ()
    alerts: Annotated[
        tuple[dict[str, Cell], ...],
        Meta(description="`rule`, `device`, `minute` and perhaps `over` (minute) of each."),
    ] = ()
    states: Annotated[
        tuple[dict[str, Cell], ...],
        Meta(description="What the device says of itself, with the `minute`."),
    ] = ()


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One rule: what it waits for, how grave that is, and how to say it."""

    id: Annotated[
        str,
        Meta(
            pattern="^[a-z][a-z0-9_]{0,63}$",
            description="Never changes: the alerts of history refer to it.",
        ),
    ]
    version: Annotated[Name, Meta(description="Changes with the rule.")]
    severity: Annotated[
        Severity, Meta(description="Class: 1 at once, 2 with a deadline, 3 daily guidance.")
    ]
    when: Annotated[When, Meta(description="What it waits for.")]
    title_zh: Annotated[Name, Meta(description="Template of the title, in Chinese.")]
    title_en: Annotated[Name, Meta(description="… and in English.")]
    summary_zh: Annotated[str, Meta(max_length=300, description="Template of the text.")]
    summary_en: Annotated[str, Meta(max_length=300, description="… and in English.")]
    basis: Annotated[str, Meta(description="Legal or technical basis, in words.")] = ""
    source: Annotated[
        str, Meta(description="Where its numbers come from, each with its mark: [V], [S] or [U].")
    ] = ""
    effective_from: Annotated[
        date | None, Meta(description="First day on which it holds (UTC+8).")
    ] = None
    effective_until: Annotated[date | None, Meta(description="Last day on which it holds.")] = None
    regions: Annotated[Globs, Meta(description="Patterns of region codes; none: any.")] = ()
    scope: Annotated[Scope, Meta(description="Whom it concerns.")] = Scope()
    schedule: Annotated[
        Schedule | None, Meta(description="When it counts, by the time of the fact.")
    ] = None
    routes: Annotated[
        tuple[Name, ...],
        Meta(description="Names of the routes that its alerts take; none: the one of its class."),
    ] = ()
    evidence: Annotated[
        tuple[Name, ...],
        Meta(
            description="What an alert should be proved by: `picture`, `readings`, `retest`, "
            "`confirmatory_test` …"
        ),
    ] = ()
    inhibits: Annotated[
        Globs,
        Meta(
            description="Patterns of rules that are not notified at the same site while this one "
            "fires; class 1 always passes."
        ),
    ] = ()
    notify: Annotated[
        Literal["push", "digest", "none"],
        Meta(description="Told at once, in the day's digest, or found on the console only."),
    ] = "push"
    example: Annotated[tuple[Example, ...], Meta(description="Run by `check-rules`.")] = ()


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The shape of a rule file."""

    rule: Annotated[tuple[Rule, ...], Meta(description="The rules.")]


def matches(patterns: Globs, text: str) -> bool:
    """Whether `text` fits one of the patterns; no patterns fit everything."""
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a rule file: what editors check while one is written."""
    schema = msgspec.json.schema(RuleFile)
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **plain}
