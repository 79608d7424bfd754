"""Profiles as folders: read, checked beyond their schema, and named in every error."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from contracts.events import ProfileRef
from contracts.profile import E1381, Listen, Modbus, Poll, Profile
from contracts.profile_framing import RowsFramer
from contracts.profile_records import (
    BinaryField,
    BinaryRecord,
    Lis2Record,
    Record,
    ResultMap,
    TextRecord,
)
from contracts.settings import SettingsError, load_settings
from edge_agent.instruments.templates import TemplateError, parse_template

FILE = "profile.toml"
_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}\Z")


class LoadedProfile(msgspec.Struct, frozen=True):
    """A profile with its name and folder."""

    name: str
    folder: Path
    spec: Profile

    @property
    def ref(self) -> ProfileRef:
        """How results name it."""
        return ProfileRef(self.name, self.spec.version)

    def record(self, name: str) -> Record:
        """The record of that name (the profile has been checked: there is one)."""
        return next(record for record in self.spec.records if record.name == name)


def profile_names(folder: Path) -> list[str]:
    """Names of all profiles in `folder`."""
    return sorted(path.parent.name for path in folder.glob(f"*/{FILE}"))


def load_profile(folder: Path, name: str) -> LoadedProfile:
    """Read the profile `name` in `folder`. Raises SettingsError that names file and key."""
    path = folder / name / FILE
    if not _NAME.match(name):
        raise SettingsError(f"{path}: a profile's name is lower-case letters, digits and '_'")
    if not path.is_file():
        known = ", ".join(profile_names(folder)) or "none"
        raise SettingsError(f"{path}: no profile {name!r}; there are: {known}")
    loaded = LoadedProfile(name, path.parent, load_settings(path, Profile))
    for complaint in complaints(loaded.spec):
        raise SettingsError(f"{path}: {complaint}")
    return loaded


def complaints(spec: Profile) -> Iterator[str]:
    """What a schema can't say: ``key: what is wrong and what to write instead``."""
    yield from _names(spec)
    yield from _dialogue(spec)
    for index, record in enumerate(spec.records):
        yield from _record(record, f"records[{index}]")


def _names(spec: Profile) -> Iterator[str]:
    names = [record.name for record in spec.records]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield f"records[{index}].name: {name!r} is there twice; give each its own"


def _dialogue(spec: Profile) -> Iterator[str]:
    dialogue, records = spec.dialogue, {record.name: record for record in spec.records}
    if isinstance(dialogue, Listen | Poll) and spec.framer is None:
        yield f'framer: is missing; a {_tag(dialogue)} dialogue needs one, e.g. kind = "line"'
    if isinstance(dialogue, E1381 | Modbus) and spec.framer is not None:
        yield f"framer: leave it out; a {_tag(dialogue)} dialogue has its own framing"
    if isinstance(dialogue, E1381) and not all(isinstance(r, Lis2Record) for r in spec.records):
        yield 'records: an e1381 dialogue carries records of kind = "lis2"'
    if isinstance(spec.framer, RowsFramer) and spec.framer.each and not spec.framer.each_size:
        yield "framer.each_size: is missing; how many bytes has a block that `each` looks at?"
    check = getattr(spec.framer, "check", None)
    head = getattr(spec.framer, "head_check", None)
    if isinstance(dialogue, Listen) and dialogue.acknowledge:
        yield from _template(dialogue.acknowledge, "dialogue.acknowledge", check is not None)
    if isinstance(dialogue, Modbus):
        for index, read in enumerate(dialogue.reads):
            if not isinstance(records.get(read.name), BinaryRecord):
                yield (
                    f"dialogue.reads[{index}].name: no record {read.name!r}; "
                    'add [[records]] with kind = "binary" and this name'
                )
    if isinstance(dialogue, Poll):
        steps = {step.name for step in dialogue.steps}
        for name in dialogue.opens:
            if name not in steps:
                yield f"dialogue.opens: no step {name!r}; one of {sorted(steps)}"
        for index, step in enumerate(dialogue.steps):
            where = f"dialogue.steps[{index}]"
            yield from _template(
                step.request, f"{where}.request", check is not None, head is not None
            )
            record = records.get(step.reply)
            if record is None:
                yield f"{where}.reply: no record {step.reply!r}; one of {sorted(records)}"
                continue
            for key, name in (("then", step.then), ("otherwise", step.otherwise)):
                if name and name not in steps:
                    yield f"{where}.{key}: no step {name!r}; one of {sorted(steps)}"
            for key, name in (("ends", step.ends), *(("also", also) for also in step.also)):
                if name and name not in records:
                    yield f"{where}.{key}: no record {name!r}; one of {sorted(records)}"
            if step.past and not step.then:
                yield f"{where}.past: needs `then`, the step that fetches a record"
            for key, name in (
                ("total", step.total),
                ("first", step.first),
                ("past", step.past),
                *(("changed", changed) for changed in step.changed),
            ):
                if name and name not in _fields(record):
                    yield f"{where}.{key}: record {record.name!r} has no field {name!r}"


def _tag(dialogue: msgspec.Struct) -> str:
    return str(dialogue.__struct_config__.tag)


def _template(
    text: str, where: str, has_check: bool, has_head_check: bool = False
) -> Iterator[str]:
    try:
        template = parse_template(text)
    except TemplateError as error:
        yield f"{where}: {error}"
        return
    if template.has_check and not has_check:
        yield f"{where}: {{check}} needs a [framer.check] that says which"
    if template.has("head_check") and not has_head_check:
        yield f"{where}: {{head_check}} needs a [framer.head_check] that says which"


def _fields(record: Record) -> set[str]:
    match record:
        case BinaryRecord(fields=fields, repeat=repeat):
            beside = repeat.beside if repeat else None
            return {
                *fields,
                *(repeat.fields if repeat else ()),
                *(beside.fields if beside else ()),
            }
        case Lis2Record(fields=paths):
            return set(paths)
        case TextRecord():
            if record.pattern:
                try:
                    return set(re.compile(record.pattern).groupindex)
                except re.error:
                    return set()
            return {name for name in record.columns if name}


def _record(record: Record, where: str) -> Iterator[str]:
    if isinstance(record, TextRecord):
        if bool(record.pattern) == bool(record.separator and record.columns):
            yield f"{where}: give either `pattern`, or `separator` and `columns`"
        if record.many and not record.pattern:
            yield f"{where}.many: needs a `pattern`"
        try:
            re.compile(record.pattern)
        except re.error as error:
            yield f"{where}.pattern: not a regular expression: {error}"
    if isinstance(record, BinaryRecord):
        for name, field in record.fields.items():
            if field.kind in ("text", "bytes", "bcd") and not field.length:
                yield f"{where}.fields.{name}.length: a {field.kind} field needs one"
        for name, field in _binary_fields(record):
            if field.kind == "milli14" and field.length < 3:
                yield f"{where}: {name}.length: a milli14 field has at least 3 bytes"
            if not all(low.isdecimal() for low in field.bands):
                yield f"{where}: {name}.bands: write the lowest number of each band, like 128"
        for name in record.sane:
            if name not in _fields(record):
                yield f"{where}.sane: no field {name!r}; one of {sorted(_fields(record))}"
        if record.repeat and record.repeat.count and record.repeat.count not in record.fields:
            yield f"{where}.repeat.count: no field {record.repeat.count!r}"
        if record.repeat and record.repeat.used and record.repeat.used not in record.fields:
            yield f"{where}.repeat.used: no field {record.repeat.used!r}"
    known = _fields(record)
    if record.result is not None:
        yield from _result(record.result, known, f"{where}.result")
    if not isinstance(record, Lis2Record):
        for index, reading in enumerate(record.readings):
            if reading.value not in known:
                yield f"{where}.readings[{index}].value: no field {reading.value!r}"


def _binary_fields(record: BinaryRecord) -> Iterator[tuple[str, BinaryField]]:
    yield from record.fields.items()
    if record.repeat:
        yield from record.repeat.fields.items()
        if record.repeat.beside:
            yield from record.repeat.beside.fields.items()


def _result(spec: ResultMap, known: set[str], where: str) -> Iterator[str]:
    if bool(spec.item) == bool(spec.item_field):
        yield f"{where}: give either `item` (a constant) or `item_field`"
    names = ("value", "item_field", "unit_field", "sample_number", "sample_name", "record_number",
             "channel", "measured", "sent", "operator", "flag", "status", "verdict")  # fmt: skip
    for key in names:
        name = getattr(spec, key)
        if name and name not in known:
            yield f"{where}.{key}: no field {name!r}; one of {sorted(known)}"
    for name in spec.dedupe:
        if name not in known:
            yield f"{where}.dedupe: no field {name!r}; one of {sorted(known)}"
