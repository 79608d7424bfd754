"""What matching asks of a result as it came, and when two are the same record of an instrument."""

import hashlib
from datetime import time, timedelta, tzinfo

from edge_agent.room.kept import Told
from edge_agent.room.matching import Heard


def item_of(told: Told) -> str:
    """The item that counts as one and the same: our code, or as the instrument sent it."""
    return told.result.item_code or told.result.item


def heard_of(told: Told, zone: tzinfo) -> Heard:
    """What matching asks of a result; `zone` is that of the instrument's wall clock."""
    result = told.result
    measured_at = result.measured_at
    if measured_at is not None and result.clock_offset_s is not None:
        measured_at -= timedelta(seconds=result.clock_offset_s)
    elif measured_at is not None and measured_at.astimezone(zone).time() == time():
        measured_at = None  # it says the day and no more
    return Heard(
        item=item_of(told),
        captured_at=result.captured_at,
        number=result.sample.number,
        name=result.sample.name,
        name_cut=result.sample.name_cut,
        measured_at=measured_at,
        may_be_repeat="may_be_repeat" in result.flags,
    )


def same_as_told(told: Told) -> str:
    """The instrument's record, the same each time it sends it; empty if that cannot be told."""
    result = told.result
    if result.record_number is None or not result.measured_text:
        return ""
    parts = (
        told.device, result.record_number, result.measured_text, result.item, result.value.text,
        result.channel, result.sample.number, result.sample.name,
    )  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
