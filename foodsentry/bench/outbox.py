"""`foodsentry bench outbox`: durable puts a second, one by one and in batches.

Every put is on the disk when it returns, so the disk decides; the folder is the one of temporary
files unless TMPDIR says otherwise.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from contracts.clock import utc_now
from contracts.events import Reading, Readings
from contracts.topics import identity
from edge_agent.outbox.store import Outbox
from edge_agent.ports import Fact
from foodsentry.bench.figures import Figure, rate

_AT = datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC)
_AGENT = identity("440703", "bench", "agent")
_FACT = Fact(
    _AGENT.sibling("probe"), "readings", Readings([Reading("temperature", 3.5, "Cel", _AT)]), _AT
)


def measure(runs: int) -> list[Figure]:
    """Rates of durable puts."""
    with tempfile.TemporaryDirectory(prefix="foodsentry-bench-") as folder:
        path = Path(folder) / "outbox.sqlite"
        with Outbox(path, _AGENT, utc_now, max_bytes=2_000_000_000) as outbox:

            def one() -> int:
                for _ in range(20):
                    outbox.put([_FACT])
                return 20

            def batch() -> int:
                outbox.put([_FACT] * 200)
                return 200

            figures = [
                rate("durable put, one event", "events/s", one, runs, 1.0),
                rate("durable put, 200 events at once", "events/s", batch, runs, 1.0),
            ]
    return figures
