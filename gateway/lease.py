"""A lease in the ledger: of several gateways one does a thing, until it stops or falls silent."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from contracts.clock import Clock
from ledger import rule_state
from ledger.engine import Connection, Engine, LedgerDown, reading, writing

log = logging.getLogger(__name__)

LEASE_S = 15.0


class Held(msgspec.Struct, frozen=True):
    """Who has it, until when."""

    owner: str = ""
    until: datetime | None = None

    def free_for(self, owner: str, at: datetime) -> bool:
        """Whether `owner` has it or may take it."""
        return self.owner == owner or self.until is None or self.until <= at


class Lease:
    """One gateway's side of the lease `name`. May be asked from several threads."""

    def __init__(self, engine: Engine, name: str, owner: str, clock: Clock) -> None:
        self._engine = engine
        self._key = (name, "lease")
        self._owner = owner
        self._clock = clock
        self._until: datetime | None = None
        self._look_again_at: datetime | None = None
        self._lock = threading.Lock()

    def hold(self) -> bool:
        """Whether we have it, with time enough left to do something. Raises LedgerDown."""
        with self._lock:
            now = self._clock()
            if self._until and self._until - now > timedelta(seconds=LEASE_S / 2):
                return True
            if self._look_again_at and now < self._look_again_at:
                return False
            with reading(self._engine) as conn:
                seen = self._read(conn, lock=False)
            self._until = self._take(now) if seen.free_for(self._owner, now) else None
            self._look_again_at = None if self._until else now + timedelta(seconds=LEASE_S / 5)
            return self._until is not None

    def give_back(self, last: Callable[[Connection], object] = lambda _: None) -> None:
        """Let another have it at once; `last` is done with it, if it is still ours.

        Raises LedgerDown.
        """
        with self._lock:
            if self._until is None:
                return
            self._until = None
            with writing(self._engine) as conn:
                if self._read(conn, lock=True).owner == self._owner:
                    last(conn)
                    rule_state.put(conn, {self._key: {}}, self._clock())

    def end(self, last: Callable[[Connection], object] = lambda _: None) -> None:
        """Give it back; while the ledger is away it is left to run out by itself."""
        try:
            self.give_back(last)
        except LedgerDown as error:
            log.warning("the lease %s runs out by itself: %s", self._key[0], error)

    def _take(self, now: datetime) -> datetime | None:
        until = now + timedelta(seconds=LEASE_S)
        with writing(self._engine) as conn:
            if not self._read(conn, lock=True).free_for(self._owner, now):
                return None
            told = msgspec.to_builtins(Held(self._owner, until))
            rule_state.put(conn, {self._key: told}, now)
        return until

    def _read(self, conn: Connection, *, lock: bool) -> Held:
        body = rule_state.get(conn, [self._key], lock=lock)[self._key]
        return msgspec.convert(body, Held)
