"""Writes a draft profile folder from a guess, with the capture as its first case.

The draft decodes: every frame gives one result whose value is the guessed column, or the frame's
bytes. What the value means stays for a person to say; those places are marked TODO.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from contracts.limits import Limits
from contracts.profile import Link
from edge_agent.instruments.captures import CAPTURED_AT
from edge_agent.instruments.offline import Found, decode_stream
from edge_agent.instruments.profiles import load_profile
from edge_agent.instruments.results import Reader
from edge_agent.instruments.sniff.guess import Guess

_EXPECTED = ("item", "value", "number", "unit")
_LOST = ("offset", "reason", "bytes")
_LIS2 = """[[records]]
kind = "lis2"
name = "result"

[records.fields]
specimen = "O.3"
item = "R.3"
value = "R.4"
unit = "R.5"
flag = "R.7"
status = "R.9"
operator = "R.11"
measured = "R.13"
sequence = "R.2"

[records.result]
item_field = "item"
value = "value"
unit_field = "unit"
sample_number = "specimen"
flag = "flag"
status = "status"
operator = "operator"
measured = "measured"
time_formats = ["%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d"]
dedupe = ["specimen", "sequence", "item", "value", "unit", "measured"]
"""


def write_draft(
    folder: Path, guess: Guess, link: Link, pieces: Sequence[bytes], source: str, day: date
) -> None:
    """Write `profile.toml`, `README.md` and `captures/first/`.

    `pieces` are what came between silences. Raises FileExistsError if `folder` is there, OSError.
    """
    folder.mkdir(parents=True)
    try:
        (folder / "profile.toml").write_text(_profile(guess, link, source, day), "utf-8")
        (folder / "README.md").write_text(_readme(folder.name, guess, link, source, day), "utf-8")
        case = folder / "captures" / "first"
        case.mkdir(parents=True)
        (case / "input.hex").write_text("".join(_hex(pieces)), "utf-8")
        _expect(folder, case, b"".join(pieces))
    except BaseException:
        shutil.rmtree(folder)
        raise


def _expect(folder: Path, case: Path, content: bytes) -> None:
    profile = load_profile(folder.parent, folder.name)
    lines = list(decode_stream(profile, Reader(profile.ref, Limits([])), [content], CAPTURED_AT))
    found = [_some(line.line, _EXPECTED) for line in lines if isinstance(line, Found)]
    lost = [_some(line.line, _LOST) for line in lines if not isinstance(line, Found)]
    (case / "expected.jsonl").write_text("".join(found), "utf-8")
    if lost:
        (case / "discarded.jsonl").write_text("".join(lost), "utf-8")


def _some(line: dict[str, Any], keys: Iterable[str]) -> str:
    return json.dumps({key: line[key] for key in keys}, ensure_ascii=False) + "\n"


def _hex(pieces: Sequence[bytes]) -> Iterator[str]:
    for number, piece in enumerate(pieces, 1):
        yield f"# {number}: {len(piece)} bytes, then silence\n"
        for at in range(0, len(piece), 16):
            yield piece[at : at + 16].hex(" ").upper() + "\n"


def _profile(guess: Guess, link: Link, source: str, day: date) -> str:
    parts = [
        "#:schema ../profile.schema.json\n"
        f"# A draft made by `foodsentry instrument sniff` on {day}; look at every TODO.\n"
        'format = 1\nversion = "0.1.0"\n',
        '[instrument]\nvendor = "TODO"\nmodel = "TODO"\nkind = "analyzer"   # TODO\n'
        f"source = {_toml('heard on ' + source)}\n",
        _table("link", link),
    ]
    if guess.kind == "e1381":
        return "\n".join([*parts, '[dialogue]\nkind = "e1381"\n', _LIS2])
    if guess.kind == "modbus":
        return "\n".join([*parts, *_modbus(guess)])
    framer = guess.framer
    assert framer is not None, "a framed guess has a framer"
    parts.append(_table("framer", framer))
    check = getattr(framer, "check", None)
    if check is not None:
        parts.append(_table("framer.check", check))
    parts.append('[dialogue]\nkind = "listen"     # TODO: `poll` if it must be asked\n')
    parts.append(_text_record(guess) if guess.text else _binary_record())
    return "\n".join(parts)


def _table(name: str, value: msgspec.Struct) -> str:
    """A TOML table of what is not as by default."""
    lines = [f"[{name}]"]
    if value.__struct_config__.tag is not None:
        lines.append(f"kind = {_toml(value.__struct_config__.tag)}")
    for field in msgspec.structs.fields(value):
        item = getattr(value, field.name)
        if item is not None and item != field.default and not isinstance(item, msgspec.Struct):
            lines.append(f"{field.name} = {_toml(item)}")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text_record(guess: Guess) -> str:
    lines = ["[[records]]", 'kind = "text"', 'name = "record"', f'encoding = "{guess.encoding}"']
    columns = guess.columns
    if columns is None:
        lines.append("pattern = '(?s)(?P<value>.*)'   # TODO: name the parts")
    else:
        names = [f"column_{index}" for index in range(1, columns.count + 1)]
        names[columns.value] = "value"
        lines += [f"separator = {_toml(columns.separator)}", f"columns = {_toml(names)}   # TODO"]
    return "\n".join([*lines, "", *_RESULT])


def _binary_record() -> str:
    fields = ["[records.fields]", 'value = { at = 0, kind = "bytes", length = 4 }   # TODO']
    record = ["[[records]]", 'kind = "binary"', 'name = "record"', ""]
    return "\n".join([*record, *fields, "", *_RESULT])


_RESULT = ["[records.result]", 'item = "TODO"', 'value = "value"', ""]


def _modbus(guess: Guess) -> Iterator[str]:
    yield (
        f'[dialogue]\nkind = "modbus"\ntransport = "{guess.transport}"\n'
        f"unit = {guess.reads[0].unit}\n"
    )
    named = list(enumerate(guess.reads, 1))
    for index, read in named:
        start = f"{read.start or 0}" + ("" if read.start is not None else "   # TODO: not heard")
        count = min(read.count, 125)
        yield (
            f'[[dialogue.reads]]\nname = "block_{index}"\nfunction = {read.function}\n'
            f"start = {start}\ncount = {count}\n"
        )
    for index, read in named:
        registers = range(read.count if read.function > 2 else 0)
        fields = [
            f'register_{n} = {{ at = {n * 2}, kind = "i16", order = "big" }}' for n in registers
        ]
        readings = [
            f'[[records.readings]]\nmetric = "block_{index}_register_{n}"   # TODO\n'
            f'value = "register_{n}"\nunit = "1"\n'
            for n in registers
        ]
        head = f'[[records]]\nkind = "binary"\nname = "block_{index}"\n\n[records.fields]\n'
        yield head + "\n".join(fields) + "\n\n" + "\n".join(readings)


def _readme(name: str, guess: Guess, link: Link, source: str, day: date) -> str:
    framing = guess.kind if guess.framer is None else guess.framer.__struct_config__.tag
    lines = [
        f"# {name}: a draft", "",
        f"Heard on {source} on {day}, {link.baud} {link.bits}{link.parity}{link.stop}. Guessed: "
        f"{framing}, {guess.frames} frames, encoding {guess.encoding}, score {guess.score:.2f}.",
        "", *(f"* {note}." for note in guess.notes), "",
        "To do: vendor and model, what the columns or bytes mean, units, times, the fields that "
        "name a record (`dedupe`); then `foodsentry instrument lint` on this folder.",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
