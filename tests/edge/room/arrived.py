"""What a city has of a testing room's samples, and that it came once."""

from fake_city import FakeCity

from contracts.envelope import decode
from contracts.room import SampleRecord


def samples_in(city: FakeCity) -> dict[str, SampleRecord]:
    """The newest revision of each sample, by number; fails if any revision came as two events."""
    found: dict[str, SampleRecord] = {}
    seen: set[tuple[str, int]] = set()
    for payloads in list(city.events.values()):
        assert len(payloads) == 1, "what is sent again is the same bytes"
        data = decode(next(iter(payloads))).data
        if isinstance(data, SampleRecord):
            assert (data.sample_id, data.revision) not in seen, "one revision is one event"
            seen.add((data.sample_id, data.revision))
            known = found.get(data.number)
            assert known is None or known.sample_id == data.sample_id
            if known is None or known.revision < data.revision:
                found[data.number] = data
    return found
