"""A dead letter's second try, after a fix: taken in as if it came now."""

from contracts.clock import Clock
from gateway.alerts.book import RuleBook
from gateway.broker import Inbound
from gateway.intake.points import points_of
from gateway.intake.store import take_in
from gateway.unpack import Refused, unpack
from ledger import dead_letters, devices
from ledger.dead_letters import DeadLetter
from ledger.engine import Engine, reading, writing
from timeseries.port import SeriesRejected, SeriesStore


def replay(
    letter: DeadLetter, engine: Engine, store: SeriesStore, book: RuleBook, clock: Clock
) -> str:
    """Try one letter again; returns why it is still refused, or an empty string if it is in.

    Numbers that were claimed for the letter count as new; every store is idempotent. Raises
    LedgerDown and SeriesDown.
    """
    with reading(engine) as conn:
        known = devices.registry(conn)
    message = Inbound(topic=letter.topic, payload=letter.payload, received_at=letter.at)
    unpacked = unpack(message, known)
    if isinstance(unpacked, Refused):
        return unpacked.reason
    points = points_of(unpacked.who, unpacked.event)
    if points:
        try:
            store.write(points)
        except SeriesRejected as error:
            return str(error)
    with writing(engine) as conn:
        take_in(conn, [unpacked], [], book, clock(), replay=True)
        dead_letters.mark_replayed(conn, letter.id, clock())
    return ""
