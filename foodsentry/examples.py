"""Annotated example settings, written from the types: every key, what it means, and its default."""

import textwrap

import msgspec

from contracts.reference import Key, keys

_REQUIRED = {
    "agent.region": '"440703"',
    "agent.site": '"pj-market-1"',
    "instruments.device": '"lz4000t-1"',
    "instruments.profile": '"dayuan_lz_4000t"',
    "instruments.port": '"/dev/serial/by-id/usb-FTDI_FT232R-if00-port0"',
    "cameras.device": '"cam-1"',
    "cameras.source": '"rtsp://192.0.2.10/substream"',
    "cameras.scene": '"example"',
}
"""Values that stand for what only the reader can know."""

_SUGGESTED = {
    "ledger.url": '"sqlite:///ledger.sqlite"',
    "series.api": '"v1"',
    "series.url": '"http://127.0.0.1:8086"',
    "series.database": '"foodsentry"',
}
"""What a city would write instead of the default; given, not commented out."""


class NoExample(KeyError):
    """A required key for which no example value is known."""


def example(command: str, settings: type[msgspec.Struct]) -> str:
    """The example file of one process, as TOML. Raises NoExample."""
    lines = [
        f"# Settings of `foodsentry {command}`: every key with its default, commented out.",
        "# Written from the settings types by `make docs`; copy it, and keep what you change.",
    ]
    table = ""
    every = list(keys(settings))
    needed = {key.table for key in every if key.default is None}
    for key in every:
        if key.table != table:
            table = key.table
            # One entry of a list that may be empty: to be filled in before it stands.
            aside = "#" if table.startswith("[") and table not in needed else ""
            lines += ["", f"{aside}[{table}]"]
        lines += ["", *textwrap.wrap(_plain(key), 96, initial_indent="# ", subsequent_indent="# ")]
        lines.append(_line(key))
    return "\n".join(lines) + "\n"


def _plain(key: Key) -> str:
    kind = key.kind.replace("\\|", "|")
    return f"{key.description} ({kind})"


def _line(key: Key) -> str:
    path = f"{key.table.strip('[]')}.{key.name}".strip(".")
    if path in _SUGGESTED:
        return f"{key.name} = {_SUGGESTED[path]}"
    if key.default is None:
        if path not in _REQUIRED:
            raise NoExample(path)
        return f"{key.name} = {_REQUIRED[path]}"
    return f"#{key.name} = {key.default or '…'}"
