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
            path = f"{table}.{field.encode_name}" if table else field.encode_name
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
        yield from keys(struct, path.replace("[", "").replace("]", "") if "." in path else path)


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
