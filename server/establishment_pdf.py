"""The file of an establishment as PDF, to be handed over; its hash stands on each page."""

from datetime import datetime
from typing import Any

from ledger import place_tests, regions
from ledger.engine import reading
from ledger.establishments import Establishment
from ledger.place_lines import Line
from server.formats import exact, local, minute
from server.languages import Words
from server.pdf import Document, Facts, Heading, Part, Table, Text, draw
from server.place_history import HistoryFilter, HistoryLine, in_words
from server.state import State

MOST = 1500
"""Lines of a PDF: about fifty pages."""


def file_as_pdf(
    state: State,
    one: Establishment,
    asked: HistoryFilter,
    made: dict[str, Any],
    lines: list[Line],
    words: Words,
) -> bytes:
    """The document `made`, whose lines these are, in words."""
    now = state.clock()
    period = asked.period(now)
    window = period.window(1)
    with reading(state.engine) as conn:
        told = in_words(conn, lines, words, state.casework.rules)
        path = [regions.get(conn, code) for code in reversed(regions.ancestors(conn, one.region))]
        figures = place_tests.since(conn, one.id, window.since or now)
    place = " · ".join(words.pick(region.name_zh, region.name_en) for region in path if region)
    content = made["content"]
    none = words("none.given")
    licence = one.licence(local(now).date())
    said = one.licence_number or none
    if one.licence_from or one.licence_until:
        said += f"  {one.licence_from or ''} – {one.licence_until or ''}"
    if licence in ("over", "early", "ending"):
        said += f"  {words(f'place.licence.{licence}')}"
    facts = [
        (words("public.kind"), words(f"kind.{one.kind.value}")),
        (words("codes.region"), place),
        (words("place.address"), one.address or none),
        (words("place.licence"), said),
        (words("place.credit"), one.credit_code or none),
        (words("place.grade"), one.risk_grade or none),
        (words("place.sites"), " · ".join(site["name"] for site in content["sites"]) or none),
    ]
    devices = [
        (
            device["name"] or device["device"],
            words(f"devicekind.{device['kind']}"),
            device["model"],
            device["registered_at"][:10],
            (device["retired_at"] or "–")[:10],
        )
        for device in content["devices"]
    ]
    parts: list[Part] = [
        Heading(one.name, 1),
        Text(words("dossier.say", since=period.since, until=period.until, n=len(told))),
        Facts(facts),
    ]
    if figures.total:
        share = figures.pass_share
        rate = "–" if share is None else f"{share:.1f} %"
        parts.append(
            Text(
                words(
                    "dossier.tests", total=figures.total, rate=rate, positive=figures.positive,
                    suspect=figures.suspect,
                )
            )
        )  # fmt: skip
    if devices:
        head = [
            words("dossier.device"), words("public.kind"), words("dossier.model"),
            words("dossier.added"), words("dossier.retired"),
        ]  # fmt: skip
        parts += [Heading(words("nav.devices")), Table(head, devices, (0.3, 0.2, 0.2, 0.15, 0.15))]
    head = [
        words("audit.at"), words("history.kinds"), words("dossier.what"), words("dossier.record")
    ]  # fmt: skip
    rows = [_row(line, words) for line in told]
    parts += [Heading(words("history.title")), Table(head, rows, (0.17, 0.1, 0.5, 0.23))]
    parts += _crossings(made.get("readings"), words)
    parts.append(Text(words("dossier.screen"), quiet=True))
    parts.append(Text(words("dossier.hash", sha256=made["sha256"]), quiet=True))
    foot = f"{minute(now)}  SHA-256 {made['sha256']}"
    return draw(Document(one.name, parts, foot))


def _crossings(told: dict[str, Any] | None, words: Words) -> list[Part]:
    """Limits that readings crossed, as `server.crossings` made them for the document."""
    if told is None or not told["probes"]:
        return []
    parts: list[Part] = [Heading(words("crossings.title"))]
    since, until = (exact(datetime.fromisoformat(told[name])) for name in ("since", "until"))
    parts.append(Text(words("crossings.say", since=since, until=until), quiet=True))
    if not told["reached"]:
        return [*parts, Text(words("crossings.down"))]
    if told["without_limit"]:
        names = " · ".join(told["without_limit"])
        parts.append(Text(words("crossings.nolimit", names=names)))
    rows = [
        (
            one["name"],
            exact(datetime.fromisoformat(one["began_at"])),
            " ".join(
                (
                    exact(datetime.fromisoformat(one["ended_at"])),
                    words("crossings.end." + one["ended"]),
                )
            ),
            f"{one['peak']} °C",
            one["limit"],
        )
        for one in told["crossings"]
    ]
    if not rows:
        n = int(told["readings"])
        return [*parts, Text(words("crossings.none", n=n) if n else words("crossings.unread"))]
    head = [words(f"crossings.{name}") for name in ("probe", "began", "ended", "peak", "limit")]
    return [*parts, Table(head, rows, (0.24, 0.22, 0.3, 0.12, 0.12))]


def _row(one: HistoryLine, words: Words) -> tuple[str, ...]:
    line = one.line
    ended = f" → {exact(line.ended_at)}" if line.ended_at else ""
    said = " ".join(part for part in (one.label, one.text) if part) + ended
    if one.by:
        said += f"（{one.by}）" if words.language == "zh_CN" else f" ({one.by})"
    if line.note:
        said += f"\n{line.note}"
    return exact(line.at), words(f"history.kind.{line.kind.value}"), said, line.record
