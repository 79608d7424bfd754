"""What the page is told: today's samples and what to do next, questions, tasks, what waits."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from contracts.products import Note
from contracts.room import RoomBook, SampleRecord
from edge_agent.room.desk import DAY, Desk
from edge_agent.room.fitting import fitting, is_open
from edge_agent.room.guidance import Advice, advise, hint
from edge_agent.room.heard import heard_of, item_of
from edge_agent.room.kept import Kept, KeptResult
from edge_agent.room.matching import Ask, lacks, match
from edge_agent.room.numbers import as_given

RECENT = timedelta(days=30)
MOST_RECENT = 8
MOST_FOODS = 200
MOST_OLDER = 50
"""Samples of other days that are shown because they are not in the city, the newest first."""
MOST_ASKED = 12
"""Questions shown at a time, the newest first."""


def state(desk: Desk, now: datetime) -> dict[str, Any]:
    """All that the page shows, but for the connection. Raises OutboxError."""
    with desk.store.reading():
        recent = desk.store.samples_since((now - RECENT).timestamp())
        book = desk.store.book()
        open_results = desk.store.results_open()
        on_way = {one.sample_id for one in desk.store.unsent()}
        begins = now.replace(hour=0, minute=0, second=0, microsecond=0)
        today = [one for one in recent if one.record.registered_at >= begins]
        older = [one for one in recent[len(today) :] if one.record.sample_id in on_way]
        shown = today + older[:MOST_OLDER]
        results = desk.store.results_of([one.record.sample_id for one in shown])
        tested = desk.store.items_since((now - RECENT).timestamp())
        asks = [_ask(desk, one) for one in open_results[: -MOST_ASKED - 1 : -1]]
    by_sample: dict[str, list[KeptResult]] = {}
    for one in results:
        by_sample.setdefault(one.sample_id or "", []).append(one)
    samples = [
        _sample(desk, one, by_sample.get(one.record.sample_id, []), one.record.sample_id in on_way)
        for one in shown
    ]
    return {
        "version": desk.version,
        "day": now.date().isoformat(),
        "site": {"zh": book.site_name_zh, "en": book.site_name_en} if book else None,
        "book_at": book.made_at.isoformat() if book else None,
        "samples": samples,
        "asks": asks,
        "asked": len(open_results),
        "on_way": len(on_way),
        "tasks": _tasks(book, recent, now),
        "fits": _fits(desk, book, tested, now),
        **_choices(desk, book, recent),
    }


def found(desk: Desk, sent: str) -> dict[str, Any]:
    """What a scanned code stands for: a sample of any day that is kept, and if it is our number.

    Raises OutboxError.
    """
    number = as_given(sent)
    with desk.store.reading():
        kept = desk.store.sample_numbered(number) if number else None
        if kept is None:
            return {"ours": bool(number), "sample": None}
        results = desk.store.results_of([kept.record.sample_id])
    on_way = kept.city_revision < kept.record.revision
    return {"ours": True, "sample": _sample(desk, kept, results, on_way)}


def _sample(desk: Desk, kept: Kept, results: Sequence[KeptResult], on_way: bool) -> dict[str, Any]:
    record = kept.record
    names = frozenset(desk.foods.names_of(record.product))
    items: dict[str, list[KeptResult]] = {}
    for one in results:
        items.setdefault(item_of(one.told), []).append(one)
    how = {one.result_id: one.how.value for one in record.attached}
    said: list[tuple[Advice, Note | None]] = []
    for item, of_item in items.items():
        advice = advise(desk.rules, item, [one.told.result.verdict for one in of_item])
        if advice is not None:
            said.append((advice, hint(desk.notes, item, names)))
    return {
        **_said(record),
        "revision": record.revision,
        "at": record.registered_at.isoformat(timespec="seconds"),
        "operator": record.operator,
        "voided": record.voided,
        "void_reason": record.void_reason,
        "in_city": not on_way,
        "results": [_result(one, how) for one in results],
        "next": [] if record.voided else [_next(*one) for one in said],
    }


def _said(record: SampleRecord) -> dict[str, str]:
    names = (
        "sample_id", "number", "product", "stall", "lot", "supplier", "origin", "certificate",
        "task_id", "note",
    )  # fmt: skip
    return {name: getattr(record, name) for name in names}


def _result(one: KeptResult, how: dict[str, str] | None = None) -> dict[str, Any]:
    result = one.told.result
    return {
        "result_id": one.told.result_id,
        "device": one.told.device,
        "item": result.item,
        "value": f"{result.value.text} {result.value.unit}".strip(),
        "verdict": result.verdict.value,
        "limit": result.limit_text,
        "at": result.captured_at.isoformat(timespec="seconds"),
        "sent_number": result.sample.number,
        "sent_name": result.sample.name,
        "how": (how or {}).get(one.told.result_id, ""),
    }


def _next(advice: Advice, note: Note | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "code": advice.code,
        "zh": advice.say.zh,
        "en": advice.say.en,
        "source": advice.source,
        "left": advice.reruns_left,
    }
    if note is not None:
        told["hint"] = {"zh": note.note_zh, "en": note.note_en, "source": note.source}
    return told


def _ask(desk: Desk, one: KeptResult) -> dict[str, Any]:
    """A question; the candidates are what could be meant, and else the day's samples."""
    heard = heard_of(one.told, desk.zone)
    candidates = desk.candidates(heard)
    found = match(heard, candidates, desk.wants, desk.bounds)
    likely = list(found.candidates) if isinstance(found, Ask) else [found.sample_id]
    if not likely:
        near = [
            one
            for one in candidates
            if abs(one.registered_at - heard.captured_at) <= DAY and lacks(heard, one, desk.wants)
        ]
        near.sort(key=lambda one: abs(one.registered_at - heard.captured_at))
        likely = [one.sample_id for one in near[:6]]
    return {
        **_result(one),
        "why": found.why.value if isinstance(found, Ask) else "several",
        "candidates": [
            _candidate(kept.record) for name in likely if (kept := desk.store.sample(name))
        ],
    }


def _candidate(record: SampleRecord) -> dict[str, str]:
    at = record.registered_at.isoformat(timespec="seconds")
    names = ("sample_id", "number", "product", "stall", "supplier")
    return {**{name: getattr(record, name) for name in names}, "at": at}


def _fits(
    desk: Desk, book: RoomBook | None, tested: Collection[str], now: datetime
) -> dict[str, Any]:
    """For each food group (and for no known one) the tasks that fit, and what group a name is of.

    Names under which the book lists a product are left out: the form knows their group.
    """
    listed = {product.name: product.group for product in (book.products if book else ())}
    tasks = book.tasks if book else ()
    kinds = {
        name: food.kind
        for food in desk.foods.rows
        for name in (food.name, *food.aliases)
        if name not in listed
    }
    groups = {"", *listed.values(), *kinds.values()}
    return {
        "groups": {group: fitting(tasks, group, tested, now) for group in sorted(groups)},
        "kinds": kinds if tasks else {},
    }


def _tasks(book: RoomBook | None, recent: Sequence[Kept], now: datetime) -> list[dict[str, Any]]:
    ours = Counter(
        one.record.task_id
        for one in recent
        if one.record.task_id and not one.record.voided and one.record.attached
    )
    return [
        {
            "task_id": task.task_id,
            "title": task.title,
            "group": task.product_group,
            "items": list(task.items),
            "wanted": task.wanted,
            "done": task.done,
            "here": ours[task.task_id],
            "due": task.due_at.isoformat() if task.due_at else None,
            "note": task.note,
            "open": is_open(task, now),
        }
        for task in (book.tasks if book else ())
    ]


def _choices(desk: Desk, book: RoomBook | None, recent: Sequence[Kept]) -> dict[str, Any]:
    """What the form offers: what was used lately first."""
    records = [one.record for one in recent if not one.record.voided]
    last: dict[str, dict[str, str]] = {}
    for one in records:  # newest first
        if one.stall:
            last.setdefault(
                one.stall,
                {"supplier": one.supplier, "origin": one.origin, "product": one.product},
            )
    stalls = [
        {"code": stall.code, "name": stall.name, "supplier": stall.supplier}
        for stall in (book.stalls if book else ())
    ]
    products = [
        {
            "name": product.name,
            "group": product.group,
            "note_zh": product.matrix_note_zh,
            "note_en": product.matrix_note_en,
        }
        for product in (book.products if book else ())
    ]
    if not products:
        foods = desk.foods.listed()[:MOST_FOODS]
        products = [
            {"name": food.name, "group": food.kind, "note_zh": "", "note_en": ""} for food in foods
        ]
    return {
        "stalls": stalls,
        "products": products,
        "suppliers": list(book.suppliers) if book else [],
        "recent_stalls": _recent(one.stall for one in records),
        "recent_products": _recent(one.product for one in records),
        "recent_origins": _recent(one.origin for one in records),
        "last": last,
    }


def _recent(values: Any) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))[:MOST_RECENT]
