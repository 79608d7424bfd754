"""Reads duty rosters and contacts from CSV files; every fault names its row and column.

Nothing of a file is taken over while one row of it is wrong. Times without an offset are China's.

duties: ``region,login,starts_at,ends_at``; contacts: ``login,channel,address`` (empty for channels
that need none) and, if wanted,
``position`` (lower ones first; default: the row's place among that person's) and ``active``
(``yes``, ``no``).
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from contracts.workdays import CHINA
from ledger import contacts, duties, officers, regions
from ledger.contacts import Contact
from ledger.duties import LEVELS, Duty
from ledger.officers import Officer

T = TypeVar("T")
ACTIVE = {"": True, "yes": True, "no": False}
CHANNEL = re.compile(r"^[a-z0-9_-]{1,32}$")


class FileFaults(ValueError):
    """A file that cannot be taken over; `faults` are all that is wrong with it, in order."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class Changes(msgspec.Struct, frozen=True):
    """What taking a file over does, or would do."""

    new: int
    changed: int
    same: int


class _Fault(ValueError):
    """What is wrong with one row."""


def read_duties(conn: Connection, path: Path) -> list[Duty]:
    """The file's duties. Raises FileFaults."""
    people = _People(conn)

    def duty(row: dict[str, str]) -> tuple[Duty, object]:
        officer = people.get(row["login"])
        if officer.role not in LEVELS:
            raise _Fault(
                f"login: {officer.login} is {officer.role}; duty is for town, county, city"
            )
        above = regions.ancestors(conn, row["region"])
        if not above:
            raise _Fault(f"region: {row['region']!r} is not known")
        if officer.region not in above:
            raise _Fault(f"region: {row['region']} is not in {officer.login}'s {officer.region}")
        starts_at, ends_at = (_time(row, column) for column in ("starts_at", "ends_at"))
        if ends_at <= starts_at:
            raise _Fault(f"ends_at: {row['ends_at']} is not after {row['starts_at']}")
        made = Duty(row["region"], officer.id, starts_at, ends_at)
        return made, (made.region, made.officer_id, made.starts_at)

    return _read(path, ("region", "login", "starts_at", "ends_at"), (), duty)


def read_contacts(conn: Connection, path: Path) -> list[Contact]:
    """The file's contacts. Raises FileFaults."""
    people = _People(conn)
    seen: Counter[str] = Counter()

    def contact(row: dict[str, str]) -> tuple[Contact, object]:
        officer = people.get(row["login"])
        if not CHANNEL.match(row["channel"]):
            raise _Fault(f"channel: {row['channel']!r} is not made of a–z, 0–9, - and _")
        if row["active"] not in ACTIVE:
            raise _Fault(f"active: {row['active']!r} is neither yes nor no")
        position = row["position"] or str(seen[officer.id])
        if not position.isascii() or not position.isdigit() or len(position) > 4:
            raise _Fault(f"position: {position!r} is no number from 0 to 9999")
        seen[officer.id] += 1
        made = Contact(
            officer.id, row["channel"], row["address"], int(position), ACTIVE[row["active"]]
        )
        return made, (made.officer_id, made.channel, made.address)

    return _read(path, ("login", "channel", "address"), ("position", "active"), contact)


def duty_changes(conn: Connection, new: Sequence[Duty]) -> Changes:
    """What putting these on the roster changes."""
    return _changes([duties.find(conn, one) for one in new], [one.ends_at for one in new])


def contact_changes(conn: Connection, new: Sequence[Contact]) -> Changes:
    """What putting these down changes."""
    before = [contacts.find(conn, one) for one in new]
    return _changes(before, [(one.position, one.active) for one in new])


def _changes(before: Sequence[object], after: Sequence[object]) -> Changes:
    pairs = list(zip(before, after, strict=True))
    new = sum(old is None for old, _ in pairs)
    same = sum(old == now for old, now in pairs)
    return Changes(new, len(pairs) - new - same, same)


class _People:
    """Officers by login, each looked up once."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._known: dict[str, Officer | None] = {}

    def get(self, login: str) -> Officer:
        if login not in self._known:
            self._known[login] = officers.by_login(self._conn, login)
        found = self._known[login]
        if found is None:
            raise _Fault(f"login: {login!r} is not known")
        if not found.active:
            raise _Fault(f"login: {login} is not active")
        return found


def _read(
    path: Path,
    needed: Sequence[str],
    optional: Sequence[str],
    make: Callable[[dict[str, str]], tuple[T, object]],
) -> list[T]:
    faults: list[str] = []
    made: list[T] = []
    lines: dict[object, int] = {}
    for line, row in _rows(path, needed, optional):
        try:
            one, key = make(row)
        except _Fault as fault:
            faults.append(f"{path}: row {line}: {fault}")
            continue
        if key in lines:
            faults.append(f"{path}: row {line}: the same as row {lines[key]}")
        lines[key] = line
        made.append(one)
    if faults:
        raise FileFaults(faults)
    return made


def _rows(
    path: Path, needed: Sequence[str], optional: Sequence[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows with the line each ends on (the header is line 1); every column is there, stripped."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FileFaults([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise FileFaults([f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8"]) from None
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    columns: list[str] | None = None
    try:
        for fields in reader:
            found = [field.strip() for field in fields]
            if not any(found):
                continue
            if columns is None:
                columns = _header(path, found, needed, optional)
                continue
            if len(found) != len(columns):
                where = f"{path}: row {reader.line_num}"
                raise FileFaults([f"{where}: {len(found)} columns, the header has {len(columns)}"])
            named = dict(zip(columns, found, strict=True))
            yield reader.line_num, dict.fromkeys(optional, "") | named
    except csv.Error as error:
        raise FileFaults([f"{path}: row {reader.line_num}: {error}"]) from None
    if columns is None:
        raise FileFaults([f"{path}: is empty; the first row names the columns {', '.join(needed)}"])


def _header(
    path: Path, found: list[str], needed: Sequence[str], optional: Sequence[str]
) -> list[str]:
    known = (*needed, *optional)
    wrong = [f"{path}: row 1: column {one!r} is missing" for one in needed if one not in found]
    wrong += [f"{path}: row 1: column {one!r} is not known" for one in found if one not in known]
    wrong += [
        f"{path}: row 1: column {one!r} stands twice" for one, n in Counter(found).items() if n > 1
    ]
    if wrong:
        raise FileFaults(wrong)
    return found


def _time(row: dict[str, str], column: str) -> datetime:
    try:
        at = datetime.fromisoformat(row[column])
    except ValueError:
        raise _Fault(f"{column}: {row[column]!r} is no time like 2026-10-01 08:30") from None
    return at if at.tzinfo else at.replace(tzinfo=CHINA)
