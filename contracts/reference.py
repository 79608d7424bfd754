"""Reference tables of settings files, written from the settings types themselves."""

import json
import types
import typing
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import NODEFAULT


class Key(msgspec.Struct, frozen=True):
    """One key of a settings file."""

    table: str
    name: str
    kind: str
    default: str | None
    """As TOML; None when the key must be given."""
    description: str


class Undocumented(ValueError):
    """A settings field without a description; the text names it."""


def _without_annotation(kind: Any) -> tuple[Any, msgspec.Meta | None]:
    if typing.get_origin(kind) is typing.Annotated:
        inner, *marks = typing.get_args(kind)
        metas = [mark for mark in marks if isinstance(mark, msgspec.Meta)]
        described = next((meta for meta in metas if meta.description), None)
        return inner, described or (metas[0] if metas else None)
    return kind, None


def _struct_of(kind: Any) -> tuple[type[msgspec.Struct] | None, bool]:
    """The settings table inside `kind`, and whether it is an array of tables."""
    kind, _ = _without_annotation(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind, False
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (list, tuple) and arguments:
        return _struct_of(arguments[0])[0], True
    if origin in (typing.Union, types.UnionType):
        for argument in arguments:
            struct, many = _struct_of(argument)
            if struct:
                return struct, many
    return None, False


def _kind_name(kind: Any) -> str:
    kind, _ = _without_annotation(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return " \\| ".join(json.dumps(value) for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " \\| ".join(_kind_name(part) for part in arguments if part is not type(None))
    if origin in (list, tuple):
        return f"list of {_kind_name(arguments[0])}" if arguments else "list"
    if origin is dict:
        return "table"
    names = {str: "text", int: "whole number", float: "number", bool: "true/false"}
    return names.get(kind, getattr(kind, "__name__", str(kind)))


def _toml(value: Any) -> str:
    value = msgspec.to_builtins(value)
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def keys(settings: type[msgspec.Struct], table: str = "") -> Iterator[Key]:
    """Every key of a settings type, depth first. Raises Undocumented."""
    hints = typing.get_type_hints(settings, include_extras=True)
    nested = []
    for field in msgspec.structs.fields(settings):
        hint = hints[field.name]
        struct, many = _struct_of(hint)
        if struct is not None:
            outer = table.strip("[]")
            path = f"{outer}.{field.encode_name}" if outer else field.encode_name
            nested.append((struct, f"[{path}]" if many else path))
            continue
        kind, meta = _without_annotation(hint)
        if meta is None or not meta.description:
            raise Undocumented(f"{settings.__name__}.{field.name} has no description")
        default = field.default
        if field.default_factory is not NODEFAULT:
            default = field.default_factory()
        shown = None if default is NODEFAULT else "" if default is None else _toml(default)
        yield Key(table, field.encode_name, _kind_name(kind), shown, meta.description)
    for struct, path in nested:
        yield from keys(struct, path)


def markdown(settings: type[msgspec.Struct]) -> str:
    """Tables of every key, one per settings table, as Markdown."""
    lines: list[str] = []
    table: str | None = None
    for key in keys(settings):
        if key.table != table:
            table = key.table
            heading = f"[{table}]" if table else "Top level"
            lines += ["", f"### `{heading}`" if table else f"### {heading}", ""]
            lines += ["| key | kind | default | meaning |", "| --- | --- | --- | --- |"]
        default = "**required**" if key.default is None else f"`{key.default or '–'}`"
        lines.append(f"| `{key.name}` | {key.kind} | {default} | {key.description} |")
    return "\n".join(lines).strip() + "\n"


class Table(msgspec.Struct, frozen=True):
    """A table of a file whose parts come in kinds: where it stands, which kind, its keys."""

    path: str
    tag: str
    """What its `kind` says, or empty."""
    summary: str
    keys: tuple[Key, ...]


def tables(
    kind: type[msgspec.Struct], path: str = "", told: set[type[msgspec.Struct]] | None = None
) -> Iterator[Table]:
    """Every table of a type, each kind of it, once each. Raises Undocumented."""
    told = set() if told is None else told
    told.add(kind)
    hints = typing.get_type_hints(kind, include_extras=True)
    rows: list[Key] = []
    inside: list[tuple[type[msgspec.Struct], str]] = []
    for field in msgspec.structs.fields(kind):
        hint = hints[field.name]
        bare, meta = _without_annotation(hint)
        if meta is None or not meta.description:
            raise Undocumented(f"{kind.__name__}.{field.name} has no description")
        here = f"{path}.{field.encode_name}" if path else field.encode_name
        structs = list(_structs_in(hint))
        inside += [(struct, here) for struct in structs]
        default = field.default
        if field.default_factory is not NODEFAULT:
            default = field.default_factory()
        shown = None if default is NODEFAULT else "" if default is None else _toml(default)
        name = f"table, see `{here}`" if structs else _kind_name(bare)
        rows.append(Key(path, field.encode_name, name, shown, meta.description))
    tag = kind.__struct_config__.tag
    summary = " ".join((kind.__doc__ or "").split())
    yield Table(path, "" if tag is None else str(tag), summary, tuple(rows))
    for struct, here in inside:
        if struct not in told:
            yield from tables(struct, here, told)


def _structs_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    kind, _ = _without_annotation(kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for argument in typing.get_args(kind):
        yield from _structs_in(argument)


def table_markdown(table: Table) -> str:
    """One table as a Markdown section."""
    heading = f"`{table.path}`" if table.path else "Top level"
    kind = f' with `kind = "{table.tag}"`' if table.tag else ""
    lines = [f"## {heading}{kind}", "", table.summary, ""]
    lines += ["| key | what | default | meaning |", "| --- | --- | --- | --- |"]
    for key in table.keys:
        default = "**required**" if key.default is None else f"`{key.default or '–'}`"
        lines.append(f"| `{key.name}` | {key.kind} | {default} | {key.description} |")
    return "\n".join(lines) + "\n"
