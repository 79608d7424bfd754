"""The browsers of web push as the ledger keeps them, each change in a transaction of its own."""

import logging
from collections.abc import Sequence

from contracts.clock import Clock
from ledger import push_subscriptions
from ledger.engine import Engine, LedgerDown, reading, writing
from ledger.push_subscriptions import PushSubscription

log = logging.getLogger(__name__)


class LedgerBrowsers:
    """What a web push channel asks of the ledger."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def of_officer(self, officer_id: str) -> Sequence[PushSubscription]:
        """An officer's browsers. Raises LedgerDown."""
        with reading(self._engine) as conn:
            return push_subscriptions.of_officer(conn, officer_id)

    def gone(self, one: PushSubscription) -> None:
        """Forget it; while the ledger is away it stays, and is found gone again."""
        try:
            with writing(self._engine) as conn:
                push_subscriptions.remove(conn, one.id)
        except LedgerDown as error:
            log.warning("a browser that is gone stays for now: %s", error)

    def noted(self, one: PushSubscription, failure: str = "") -> None:
        """Its push service took a message, or refused it."""
        try:
            with writing(self._engine) as conn:
                push_subscriptions.note(conn, one.id, self._clock(), failure)
        except LedgerDown as error:
            log.warning("what a push service said is not noted: %s", error)
