"""`foodsentry bench wire`: how many messages a second one core writes and reads."""

from datetime import UTC, datetime

from contracts.envelope import decode, encode
from contracts.events import Reading, Readings
from contracts.topics import Channel as Ch
from contracts.topics import device_topic, identity, parse_device_topic
from foodsentry.bench.figures import Figure, rate

_AT = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)
_WHO = identity("440703", "pj-market-1", "probe-1")
BATCH = 2000


def measure(runs: int) -> list[Figure]:
    """Encode and decode of one-reading and fifty-reading messages; topic parsing."""
    figures = []
    for count in (1, 50):
        data = Readings([Reading("temperature", 3.5, "Cel", _AT)] * count)

        def write(data: Readings = data) -> int:
            for number in range(1, BATCH + 1):
                encode(
                    "readings",
                    _WHO,
                    data,
                    event_id="e",
                    at=_AT,
                    agent="agent",
                    epoch="e",
                    sequence=number,
                )
            return BATCH

        payload = encode(
            "readings", _WHO, data, event_id="e-1", at=_AT, agent="agent", epoch="e", sequence=1
        )

        def read(payload: bytes = payload) -> int:
            for _ in range(BATCH):
                decode(payload)
            return BATCH

        figures.append(rate(f"encode, {count} readings a message", "messages/s", write, runs))
        figures.append(rate(f"decode, {count} readings a message", "messages/s", read, runs))
    topic = device_topic(_WHO, Ch.READINGS)

    def parse() -> int:
        for _ in range(BATCH):
            parse_device_topic(topic)
        return BATCH

    figures.append(rate("parse a topic", "topics/s", parse, runs))
    return figures
