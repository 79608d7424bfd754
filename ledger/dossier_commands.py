"""`foodsentry ledger verify-file`: an establishment's exported file held against the ledger."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from contracts.clock import utc_now
from contracts.settings import SettingsError
from ledger import place_dossier
from ledger.engine import Engine, reading

Leaf = Callable[..., argparse.ArgumentParser]
SHOWN = 50
"""Records of each sort that are named."""


def add_leaves(leaf: Leaf) -> None:
    """Add the command to `foodsentry ledger`."""
    verify = leaf(
        "verify-file", "hold an establishment's exported JSON against the ledger", _verify
    )
    verify.add_argument("file", type=Path)


def _verify(engine: Engine, arguments: argparse.Namespace) -> int:
    """0 if all of it is as the ledger has it, 1 if not. Raises SettingsError."""
    path: Path = arguments.file
    try:
        document = json.loads(path.read_bytes())
        with reading(engine) as conn:
            checked = place_dossier.check(conn, document, utc_now())
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path}: {error}") from None
    if not checked.whole:
        print("its hash is not the one of its content: it was changed", file=sys.stderr)
    for what, records in (
        ("not in the ledger", checked.missing),
        ("told otherwise by the ledger", checked.changed),
        ("left out of the file", checked.left_out),
    ):
        for record in records[:SHOWN]:
            print(f"{record}: {what}", file=sys.stderr)
        if len(records) > SHOWN:
            print(f"{len(records) - SHOWN} more {what}", file=sys.stderr)
    print(f"{checked.lines} lines, {'all as the ledger has them' if checked.holds else 'refused'}")
    return 0 if checked.holds else 1
