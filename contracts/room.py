"""What testing rooms and city tell each other: samples up, the room's book (stalls, tasks) down.

A `SampleRecord` is the whole present state of one sample: of several, the one with the highest
`revision` holds, whatever order they come in. A `RoomBook` is retained, one for each agent.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from contracts.events import Count, Name, Text
from contracts.words import AttachedHow

Remark = Annotated[str, msgspec.Meta(max_length=2048)]
MOST_ATTACHED = 200
MOST_LISTED = 5000


class _Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Common shape of everything that travels."""


class Attached(_Fact, frozen=True):
    """A result that belongs to a sample, and how that is known."""

    device: Name
    """The instrument, at the sample's site."""
    result_id: Name
    """``contracts.fact_ids.fact_id`` of the result's event: the ledger's ``results.result_id``."""
    how: AttachedHow
    at: datetime
    by: Text = ""
    """Who chose it; empty if nobody had to."""


class SampleRecord(_Fact, frozen=True):
    """样品: one sample as its testing room knows it now; the highest revision holds."""

    sample_id: Name
    """A UUID made at the edge."""
    revision: Annotated[int, msgspec.Meta(ge=1, le=2**31)]
    number: Name
    """As printed; unique at the site."""
    registered_at: datetime
    product: Text = ""
    stall: Text = ""
    """The stall's code as in the `RoomBook`, or what was typed."""
    lot: Text = ""
    supplier: Text = ""
    origin: Text = ""
    certificate: Text = ""
    task_id: Text = ""
    """Of the task that it counts to; empty if none."""
    operator: Text = ""
    note: Remark = ""
    voided: bool = False
    void_reason: Text = ""
    attached: Annotated[tuple[Attached, ...], msgspec.Meta(max_length=MOST_ATTACHED)] = ()


class BookStall(_Fact, frozen=True):
    """A stall of the market."""

    code: Name
    name: Text = ""
    supplier: Text = ""
    """Of its last sample, or the one that it is registered with."""


class BookProduct(_Fact, frozen=True):
    """A product that may be tested, with what is known of its matrix."""

    name: Name
    group: Text = ""
    matrix_note_zh: Text = ""
    matrix_note_en: Text = ""


class BookTask(_Fact, frozen=True):
    """快检任务: so many samples of a kind by a day, and how far it is."""

    task_id: Name
    title: Text
    product_group: Text = ""
    """Empty: any product."""
    items: tuple[str, ...] = ()
    """Items to test for, by code; empty: any."""
    wanted: Count = 0
    done: Count = 0
    """As the city counted when it made the book."""
    due_at: datetime | None = None
    note: Remark = ""


class RoomBook(_Fact, frozen=True):
    """What a testing room works with; retained, one for each agent, the newest revision holds."""

    revision: Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
    made_at: datetime
    site_name_zh: Text = ""
    site_name_en: Text = ""
    stalls: Annotated[tuple[BookStall, ...], msgspec.Meta(max_length=MOST_LISTED)] = ()
    products: Annotated[tuple[BookProduct, ...], msgspec.Meta(max_length=MOST_LISTED)] = ()
    suppliers: Annotated[tuple[Text, ...], msgspec.Meta(max_length=MOST_LISTED)] = ()
    tasks: Annotated[tuple[BookTask, ...], msgspec.Meta(max_length=MOST_LISTED)] = ()
