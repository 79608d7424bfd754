"""Examples in rule files: what is told, and whether the rule fires on it. Run by `check-rules`."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from contracts.events import (
    Observation,
    ProfileRef,
    RawFrame,
    Reading,
    Sample,
    TestResult,
    Value,
)
from contracts.limits import Limits
from contracts.topics import Identity
from contracts.words import Phase, Verdict
from gateway.alerts.book import RuleBook
from gateway.alerts.day_times import LOCAL
from gateway.alerts.dry import DryRun
from gateway.alerts.kinds import Combination
from gateway.alerts.outcomes import Raise, Resolve
from gateway.alerts.rule import Cell, Example, Rule
from ledger.devices import Device

MONDAY_NOON = datetime(2026, 3, 2, 12, 0, tzinfo=LOCAL)
"""When an example happens that does not say."""
Table = dict[str, Cell]


class WrongExample(ValueError):
    """An example that cannot be read; the text says what is wrong."""


def failing(book: RuleBook, tests: Limits, rule: Rule) -> Iterator[str]:
    """Examples of a rule on which it does not do what they say, each as a sentence."""
    for example in rule.example:
        try:
            fired = fires(book, tests, rule, example)
        except WrongExample as error:
            yield f"example {example.name!r}: {error}"
            continue
        if fired is not example.fires:
            does, should = ("fires", "must not") if fired else ("does not fire", "must")
            yield f"example {example.name!r}: {does}, and {should}"


def fires(book: RuleBook, tests: Limits, rule: Rule, example: Example) -> bool:
    """Whether the rule raises an alert on what is told. Raises WrongExample."""
    rules = book.rules if isinstance(rule.when, Combination) else (rule,)
    faults: list[str] = []
    alone = RuleBook(rules, book.limits, book.timetable)
    alone.on_fault = lambda _rule, fault: faults.append(fault)
    run = DryRun(alone)
    try:
        _play(run, tests, example)
    except (TypeError, ValueError, LookupError) as error:
        raise WrongExample(f"{type(error).__name__}: {error}") from None
    if faults:
        raise WrongExample(f"the expression fails: {faults[0]}")
    return any(raised.rule.id == rule.id for raised in run.raised())


def _play(run: DryRun, tests: Limits, example: Example) -> None:
    begun = example.at.replace(tzinfo=LOCAL) if example.at else MONDAY_NOON
    begun = begun.astimezone(UTC)
    device = _device(example, {}, begun)
    for number, table in enumerate(example.tests):
        at = begun + timedelta(minutes=float(table.get("minute", 0)))
        run.test(_device(example, table, begun), f"t{number}", _test(table, at, tests))
    for number, table in enumerate(example.observations):
        at = begun + timedelta(minutes=float(table.get("minute", 0)))
        run.observation(_device(example, table, begun), _observation(table, f"o{number}", at))
    for minute, value in example.readings:
        at = begun + timedelta(minutes=minute)
        run.readings(device, [Reading(example.metric, value, example.unit, at)])
    for table in example.states:
        at = begun + timedelta(minutes=float(table.get("minute", 0)))
        run.device(_device(example, table, at), at)
    _alerts(run, example, begun)


def _device(example: Example, table: Table, at: datetime) -> Device:
    fixed = {"region": example.region, "site": "site1", "device": example.device}
    told: dict[str, Any] = fixed | {
        "kind": example.device_kind,
        "site_kind": example.site_kind,
        "establishment_kind": example.establishment_kind,
        "name": "",
        "registered_at": at,
        "last_seen_at": at,
        "status_received_at": at,
        "state": "online",
    }
    names = {field.name for field in msgspec.structs.fields(Device)}
    told |= {name: value for name, value in table.items() if name in names - {"kind"}}
    return msgspec.convert(told, Device)


def _test(table: Table, at: datetime, limits: Limits) -> TestResult:
    text = str(table.get("text", ""))
    value = _value(text, str(table.get("unit", "%")), str(table.get("qualitative", "")))
    item_code = str(table.get("item_code", ""))
    item = str(table.get("item", item_code)) or "item"
    judged = limits.judge(item, item_code, value, at.astimezone(LOCAL).date())
    verdict = str(table.get("verdict", judged.verdict.value))
    return TestResult(
        sample=Sample(
            name=str(table.get("sample", "菜心")),
            stall=str(table.get("stall", "")),
            lot=str(table.get("lot", "")),
            supplier=str(table.get("supplier", "")),
        ),
        item=item,
        item_code=judged.item_code,
        value=value,
        verdict=msgspec.convert(verdict, Verdict),
        captured_at=at,
        limit_text=judged.limit_text,
        clock_offset_s=float(table["clock_offset_s"]) if "clock_offset_s" in table else None,
        operator=str(table.get("operator", "")),
        profile=ProfileRef("example", "1"),
        raw=RawFrame(text.encode(), hashlib.sha256(text.encode()).hexdigest()),
    )


def _value(text: str, unit: str, qualitative: str) -> Value:
    comparator = text[:1] if text[:1] in {"<", ">"} else ""
    try:
        number = float(text[len(comparator) :])
    except ValueError:
        return Value(text or qualitative, unit=unit, qualitative=qualitative)
    if comparator:
        return Value(text, comparator=comparator, bound=number, unit=unit)
    return Value(text, number=number, unit=unit, qualitative=qualitative)


def _observation(table: Table, name: str, at: datetime) -> Observation:
    told = {"kind": "no_hat", "reason": "", "people": 1, "confidence": 0.9} | table
    names = {field.name for field in msgspec.structs.fields(Observation)}
    made = {name: value for name, value in told.items() if name in names}
    fixed = {"observation_id": name, "phase": Phase.OPEN, "started_at": at, "captured_at": at}
    return msgspec.convert(fixed | made, Observation)


def _alerts(run: DryRun, example: Example, begun: datetime) -> None:
    """Alerts of other rules, in order of time."""
    by_id = {rule.id: rule for rule in run.book.rules}
    told: list[tuple[datetime, Raise | Resolve]] = []
    for table in example.alerts:
        rule = by_id[str(table["rule"])]
        who = Identity(example.region, "site1", str(table.get("device", example.device)))
        at = begun + timedelta(minutes=float(table.get("minute", 0)))
        name = f"{rule.id}|{who.source}|example"
        made = Raise(
            fingerprint=name,
            rule=rule,
            who=who,
            at=at,
            title_zh="",
            title_en="",
            summary_zh="",
            summary_en="",
            facts={},
        )
        told.append((at, made))
        if "over" in table:
            over = begun + timedelta(minutes=float(table["over"]))
            told.append((over, Resolve(fingerprint=name, at=over, reason="")))
    for _, outcome in sorted(told, key=lambda pair: pair[0]):
        run.take([outcome])
