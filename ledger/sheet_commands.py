"""`foodsentry ledger import` and `export`: the sheets of administration as CSV files."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from contracts.clock import utc_now
from contracts.settings import SettingsError
from ledger import regions
from ledger.engine import Engine, reading, writing
from ledger.sheets.cells import write_rows
from ledger.sheets.kinds import SHEETS
from ledger.sheets.lists import all_rows
from ledger.sheets.plan import Plan, PlanRefused, apply_plan, make_plan
from ledger.sheets.sheet import EVERYWHERE, Bounds

ACTOR = "console"
FAULTY = 2
"""Exit status for a file with faults."""
Leaf = Callable[..., argparse.ArgumentParser]


def add_leaves(leaf: Leaf) -> None:
    """Add the two commands to `foodsentry ledger`."""
    kinds = ", ".join(SHEETS)
    load = leaf("import", f"take a CSV file over: {kinds}", import_file)
    load.add_argument("kind", choices=list(SHEETS))
    add_import_arguments(load)
    save = leaf("export", "write a CSV file that `import` takes", _export)
    save.add_argument("kind", choices=list(SHEETS))
    save.add_argument("file", type=Path, help="- for the standard output")
    save.add_argument("--region", default="", help="only there and below")
    save.add_argument("--header", choices=("zh", "en"), default="zh", help="language of its words")
    save.add_argument("--gb18030", action="store_true", help="instead of UTF-8 with BOM")


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """What `import_file` needs besides the kind."""
    parser.add_argument("file", type=Path)
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    parser.add_argument(
        "--token", help="of a dry run: refuse if the file or what it would change is not the same"
    )


def import_file(engine: Engine, arguments: argparse.Namespace) -> int:
    """Take a file over; of one with faults all are told, and nothing is taken over."""
    path: Path = arguments.file
    try:
        with path.open("rb") as file:
            if arguments.dry_run:
                with reading(engine) as conn:
                    plan = make_plan(conn, arguments.kind, file)
                return _told(path, plan, dry=True)
            with writing(engine) as conn:
                plan = make_plan(conn, arguments.kind, file)
                apply_plan(conn, plan, ACTOR, utc_now(), source=path.name, token=arguments.token)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except PlanRefused as refused:
        if refused.plan.clean:
            print(f"{path}: not what the dry run saw; look again", file=sys.stderr)
            return 1
        return _told(path, refused.plan, dry=True)
    return _told(path, plan, dry=False)


def _told(path: Path, plan: Plan, *, dry: bool) -> int:
    if not plan.clean:
        print("\n".join(fault.text(path) for fault in plan.faults), file=sys.stderr)
        return FAULTY
    said = f"{plan.new} new, {plan.changed} changed, {plan.same} as they are"
    print(f"{said}; nothing was written" if dry else said)
    if dry:
        for change in plan.shown:
            before = change.before or {}
            what = ", ".join(
                f"{name}: {before.get(name, '')!r} → {change.after[name]!r}"
                for name in change.fields
            )
            print(f"row {change.row}: {what}", file=sys.stderr)
        print(f"read as {plan.encoding}; --token {plan.token}", file=sys.stderr)
    return 0


def _export(engine: Engine, arguments: argparse.Namespace) -> int:
    sheet = SHEETS[arguments.kind]
    with reading(engine) as conn:
        bounds = EVERYWHERE
        if arguments.region:
            if regions.get(conn, arguments.region) is None:
                raise SettingsError(f"--region: {arguments.region} is not known")
            bounds = Bounds.below(conn, arguments.region)
        blocks = write_rows(
            all_rows(conn, arguments.kind, bounds),
            sheet.columns,
            chinese=arguments.header == "zh",
            encoding="gb18030" if arguments.gb18030 else "utf-8-bom",
        )
        if str(arguments.file) == "-":
            for block in blocks:
                sys.stdout.buffer.write(block)
            return 0
        try:
            with arguments.file.open("wb") as file:
                for block in blocks:
                    file.write(block)
        except OSError as error:
            raise SettingsError(f"{arguments.file}: cannot be written: {error.strerror}") from None
    return 0
