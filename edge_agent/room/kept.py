"""What the room's file holds, as values: results as they came, samples and how far they are."""

import msgspec

from contracts.events import TestResult
from contracts.room import SampleRecord


class Told(msgspec.Struct, frozen=True):
    """A result as it came, with its id."""

    result_id: str
    device: str
    result: TestResult


class Kept(msgspec.Struct, frozen=True):
    """A sample as stored, and how far its newest revision is on its way."""

    record: SampleRecord
    put_revision: int
    put_key: int
    city_revision: int


class Waiting(msgspec.Struct, frozen=True):
    """A sample whose newest revision is not known to be in the city."""

    sample_id: str
    revision: int
    put_revision: int
    put_key: int


class KeptResult(msgspec.Struct, frozen=True):
    """A result as stored."""

    told: Told
    sample_id: str | None
    state: str
    """``attached``, ``open`` (to be asked), ``set_aside`` (a person said: no sample's)."""


class NotYet(Exception):
    """A number that is due in so many seconds."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"the next number is due in {wait_s} s")
        self.wait_s = wait_s
