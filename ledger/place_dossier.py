"""The file of an establishment as one document that can be handed on and checked later.

Its content is the same whenever the ledger says the same of that time, byte for byte; its hash
covers all of it. Every line carries the ledger's own name of what it tells, and the hash that the
ledger keeps of it, so that `check` finds what was changed, left out or put in.
"""

import hashlib
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from contracts.workdays import CHINA
from ledger import establishments, place_timeline, regions
from ledger.establishments import Establishment
from ledger.place_lines import Line, LineKind, Window, text_of
from ledger.schema import devices, sites
from ledger.sql import among_these

FORMAT = "foodsentry.establishment-file.v1"
MOST = 20_000
"""Lines of one document."""
_ENCODER = msgspec.json.Encoder(order="sorted")


class Period(msgspec.Struct, frozen=True):
    """Days of China, both included."""

    since: date
    until: date

    def window(self, limit: int) -> Window:
        """The part of a timeline that lies in it."""
        begin, end = self.since, self.until + timedelta(days=1)
        since, until = (
            datetime.combine(day, time(), CHINA).astimezone(UTC) for day in (begin, end)
        )
        return Window(since, until, None, limit)


class TooLong(ValueError):
    """More lines than one document holds: choose a shorter time, or fewer kinds."""


class Checked(msgspec.Struct, frozen=True):
    """What holding a document against the ledger has shown."""

    whole: bool
    """Its hash is the one of its content: nobody changed it since it was made."""
    lines: int
    missing: list[str]
    """Records that it has and the ledger has not."""
    changed: list[str]
    """Records that the ledger tells otherwise."""
    left_out: list[str]
    """Records of that time that the ledger has and it has not."""

    @property
    def holds(self) -> bool:
        """Whether all of it is as the ledger has it."""
        return self.whole and not (self.missing or self.changed or self.left_out)


def make(
    conn: Connection,
    one: Establishment,
    period: Period,
    now: datetime,
    *,
    kinds: Iterable[LineKind] = place_timeline.EVERY,
    internal: bool = True,
    moves: Collection[str] | None = None,
    most: int = MOST,
) -> tuple[dict[str, Any], list[Line]]:
    """The document, and the lines that it tells. Raises TooLong beyond `most` of them."""
    wanted = sorted(set(kinds))
    told = place_timeline.lines(
        conn, one, period.window(most + 1), now, kinds=wanted, internal=internal, moves=moves
    )
    if len(told) > most:
        raise TooLong(f"more than {most} lines")
    content = {
        "establishment": _facts(conn, one),
        "sites": _sites(conn, one.id),
        "devices": _devices(conn, one.id),
        "period": {"since": period.since.isoformat(), "until": period.until.isoformat()},
        "kinds": [kind.value for kind in wanted],
        "internal": internal,
        "moves": None if moves is None else sorted(moves),
        "lines": [_line(line) for line in told],
    }
    document = {
        "format": FORMAT,
        "made_at": text(now),
        "sha256": digest(content),
        "content": content,
    }
    return document, told


def digest(content: object) -> str:
    """SHA-256 of the content as JSON with sorted keys, without spaces, in UTF-8."""
    return hashlib.sha256(_ENCODER.encode(content)).hexdigest()


def encode(document: dict[str, Any]) -> bytes:
    """The document as it is written, its keys sorted."""
    return _ENCODER.encode(document)


def check(conn: Connection, document: dict[str, Any], now: datetime) -> Checked:
    """Hold a document against the ledger. Raises ValueError if it is none that we make."""
    try:
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r} is not {FORMAT}")
        content = document["content"]
        period = Period(*(date.fromisoformat(content["period"][end]) for end in ("since", "until")))
        kinds = [LineKind(kind) for kind in content["kinds"]]
        told = {line["record"]: line for line in content["lines"]}
        one = establishments.get(conn, content["establishment"]["id"])
        internal, moves = bool(content["internal"]), content["moves"]
        made_at = datetime.fromisoformat(document["made_at"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a file of an establishment: {error!r}") from None
    whole = digest(content) == document.get("sha256")
    if one is None:
        return Checked(whole, len(told), sorted(told), [], [])
    rows = place_timeline.lines(
        conn, one, period.window(MOST + 1), now, kinds=kinds, internal=internal, moves=moves
    )
    ours = {line.record: _line(line) for line in rows}
    return Checked(
        whole,
        len(told),
        sorted(told.keys() - ours.keys()),
        sorted(key for key in told.keys() & ours.keys() if told[key] != ours[key]),
        sorted(key for key in ours.keys() - told.keys() if _at(ours[key]) <= made_at),
    )


def text(at: datetime | None) -> str | None:
    """A time as the document writes it: UTC, to the microsecond."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")


def _at(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["at"])


def _line(line: Line) -> dict[str, Any]:
    return {
        "at": text(line.at),
        "kind": line.kind.value,
        "event": line.event,
        "record": line.record,
        "subject": line.subject,
        "title_zh": line.title_zh,
        "title_en": line.title_en,
        "values": line.values,
        "ended_at": text(line.ended_at),
        "actor": line.actor,
        "note": line.note,
        "proof": line.proof,
    }


def _facts(conn: Connection, one: Establishment) -> dict[str, Any]:
    path = [regions.get(conn, code) for code in reversed(regions.ancestors(conn, one.region))]
    return {
        "id": one.id,
        "name": one.name,
        "kind": one.kind.value,
        "region": one.region,
        "region_path": [region.name_zh for region in path if region],
        "address": one.address,
        "credit_code": one.credit_code,
        "licence_number": one.licence_number,
        "licence_from": text_of(one.licence_from) or None,
        "licence_until": text_of(one.licence_until) or None,
        "risk_grade": one.risk_grade,
        "retired_at": text(one.retired_at),
    }


def _sites(conn: Connection, owner: str) -> list[dict[str, Any]]:
    found = select(sites).where(sites.c.establishment_id == owner).order_by(sites.c.id)
    return [
        {"id": row.id, "name": row.name, "kind": row.kind, "self_test": row.self_test}
        for row in conn.execute(found)
    ]


def _devices(conn: Connection, owner: str) -> list[dict[str, Any]]:
    own = list(conn.scalars(select(sites.c.id).where(sites.c.establishment_id == owner)))
    found = select(devices).where(among_these(devices.c.site, own))
    return [
        {
            "site": row.site,
            "device": row.device,
            "kind": row.kind,
            "name": row.name,
            "model": row.model,
            "registered_at": text(row.registered_at),
            "retired_at": text(row.retired_at),
        }
        for row in conn.execute(found.order_by(devices.c.site, devices.c.device))
    ]
