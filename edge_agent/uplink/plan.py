"""What is on its way, what waits for its receipt, and what is due again: no network, no clock.

An event's life here: sent → acknowledged by the broker → receipted by the city. One that the city
has only taken in waits elsewhere (`edge_agent.uplink.taken`). It is sent again
* at once, when the connection broke before the acknowledgement, or the broker forgot its session;
* after a time-out that doubles, when others were receipted since but it was not;
* as a single probe, while nobody receipts anything: a broker must not fill up with copies;
* as a probe every two seconds, while the broker says that nobody listens, and all of it at once
  when somebody does: what nobody heard is nowhere but here.

Times are seconds of a monotonic clock, given by the caller.
"""

import heapq
from collections.abc import Callable, Sequence

from contracts.sequences import RangeSet
from edge_agent.outbox.encoding import Lane
from edge_agent.uplink.flight import Flight
from edge_agent.uplink.pace import Pace
from edge_agent.uplink.settings import UplinkSettings
from edge_agent.uplink.taken import TakenIn

STRIKES = 3
"""Connections that an event may break, travelling alone, before it is held back."""
FIRST_REFUSAL_S = 30.0
UNHEARD_S = 2.0
"""Pause before asking again whether somebody listens."""
GRACE_S = 10.0
"""When receipts come back after an outage, what the broker kept is given this long to be told."""


class SendPlan:
    """The bookkeeping of one uplink. Not thread-safe."""

    def __init__(self, settings: UplinkSettings, jitter: Callable[[], float]) -> None:
        """`jitter` returns factors around 1 that spread what would be due together."""
        self._settings = settings
        self._jitter = jitter
        self._flights: dict[int, Flight] = {}
        self._by_mid: dict[int, Flight] = {}
        self._aside: set[int] = set()
        """Packet ids of what is not in the outbox: statuses. They take room in the window, too."""
        self._due: list[tuple[float, int]] = []
        self._window_max = settings.window
        self._window = settings.window
        self._bytes = 0
        self._bulk = 0
        """Flights that are not alarms."""
        self._pace = Pace(settings.unreceipted_limit)
        self.taken = TakenIn(settings.receipt_timeout_s, settings.resend_max_s, jitter)
        self._progress_at = 0.0
        self._fruitful = True
        self._suspect_due = False
        self._last_receipt_at = float("-inf")
        self._grace_until = 0.0
        self._outage = False
        """Receipts have been missed since the last one came."""
        self._deaf = False
        """The broker's last word was that nobody listens."""
        self._listen_at = 0.0
        self._probe_at = 0.0
        self._probe_delay_s = settings.receipt_timeout_s

    # The connection

    def connected(self, now: float, receive_maximum: int, *, session_present: bool) -> None:
        """The broker answered. Without its old session, what it had acknowledged may be lost."""
        self._window_max = max(1, min(self._settings.window, receive_maximum))
        self._window = min(self._window, self._window_max)
        self._fruitful = False
        self._progress_at = now
        if not session_present:
            for flight in self._flights.values():
                if flight.acked_at is not None:
                    flight.acked_at = None
                    self._schedule(flight, now)

    def disconnected(self, now: float) -> None:
        """What was unacknowledged is due at once. What breaks connections is found out: after a
        fruitless one the window shrinks, down to one; what breaks it alone is held back."""
        broken = list(self._by_mid.values())
        self._by_mid.clear()
        self._aside.clear()
        self._bytes = 0
        if broken and not self._fruitful:
            self._window = max(1, self._window // 8)
        for flight in broken:
            flight.mid = None
            if len(broken) == 1:
                flight.strikes += 1
            if flight.strikes >= STRIKES:
                flight.problem = "the connection breaks whenever this event is sent"
                self.taken.failed(flight.key, now)
                self._schedule(flight, now + self._settings.resend_max_s * self._jitter())
            else:
                self._schedule(flight, now)

    def stalled(self, now: float) -> bool:
        """True if the broker has owed an acknowledgement for too long."""
        if not self._by_mid and not self._aside:
            return False
        patience = self._settings.ack_timeout_s + self._bytes / 4096
        return now - self._progress_at > patience

    # Sending

    def room(self) -> int:
        """How many more messages may be sent now."""
        return 0 if self._suspect_due else self._free()

    def _free(self) -> int:
        if self._bytes >= self._settings.window_kb << 10:
            return 0
        if len(self._by_mid) == 1 and any(flight.strikes for flight in self._by_mid.values()):
            return 0  # a suspect travels alone
        return max(0, self._window - self.in_flight)

    def may_take(self, lane: Lane) -> int:
        """How many events of a lane may be handed out for the first time."""
        room = self.room()
        if lane is Lane.ALARM:
            return room
        return max(0, min(room, self._pace.limit - self._bulk))

    def may_return(self, now: float) -> tuple[int, int, int]:
        """A range of what was only taken in, and how many of it may be sent again now."""
        return self.taken.next(self.may_take(Lane.READING), now)

    def take_back(self, first: int, last: int, sizes: Sequence[tuple[int, int]]) -> None:
        """Of that range, these keys (with their sizes) were read from the outbox; the rest left it.

        They give way to whatever the city has not judged yet, as readings do.
        """
        self.taken.sending(first, last, [key for key, _ in sizes])
        for key, size in sizes:
            self.take(key, Lane.READING, size)

    def take(self, key: int, lane: Lane, size: int) -> None:
        """An event was read from the outbox for its first sending."""
        if key not in self._flights:
            self._flights[key] = Flight(key, lane, size)
            self._bulk += lane is not Lane.ALARM

    def sent(self, key: int, mid: int, now: float) -> None:
        """It was given to the network under packet id `mid`."""
        flight = self._flights[key]
        if not self.in_flight:
            self._progress_at = now
        flight.mid, flight.sent_at = mid, now
        flight.unheard = flight.overdue = False
        flight.acked_at = flight.due_at = None
        flight.attempts += 1
        self._by_mid[mid] = flight
        self._bytes += flight.size

    def sent_aside(self, mid: int, now: float) -> None:
        """Something that is not in the outbox was given to the network."""
        if not self.in_flight:
            self._progress_at = now
        self._aside.add(mid)

    def not_sent(self, key: int, now: float) -> None:
        """The network did not take it."""
        self._schedule(self._flights[key], now)

    def acknowledged(self, mid: int, now: float, *, heard: bool = True) -> float | None:
        """The broker has it (and, if `heard`, has somebody to give it to).

        Returns the round trip in seconds, None for an unknown packet.
        """
        flight = self._answered(mid, now)
        if flight is None:
            return None
        flight.acked_at, flight.strikes, flight.problem = now, 0, ""
        flight.unheard = not heard
        timeout = UNHEARD_S
        if heard:
            timeout = self._settings.receipt_timeout_s * 2.0 ** min(flight.missed, 16)
            timeout = min(timeout, self._settings.resend_max_s)
        self._schedule(flight, now + timeout * self._jitter())
        self._listens(heard, now)
        return now - flight.sent_at

    def _listens(self, heard: bool, now: float) -> None:
        """The broker has said whether somebody listens."""
        if heard and self._deaf:
            for flight in self._flights.values():
                if flight.unheard and flight.mid is None:
                    self._schedule(flight, now)
        self._deaf = not heard

    def refused(self, mid: int, reason: str, now: float) -> int | None:
        """The broker would not take it: it is tried again, ever more seldom. Returns its key."""
        flight = self._answered(mid, now)
        if flight is None:
            return None
        flight.problem = reason
        pause = min(
            FIRST_REFUSAL_S * 2.0 ** min(flight.attempts - 1, 16), self._settings.resend_max_s
        )
        self._schedule(flight, now + pause * self._jitter())
        self.taken.failed(flight.key, now)
        return flight.key

    def hold(self, key: int, reason: str, now: float) -> None:
        """It cannot be sent over this connection (too large for the broker): look again later."""
        flight = self._flights[key]
        flight.problem = reason
        self._schedule(flight, now + self._settings.resend_max_s * self._jitter())
        self.taken.failed(key, now)

    def _answered(self, mid: int, now: float) -> Flight | None:
        self._progress_at = now
        self._aside.discard(mid)
        flight = self._by_mid.pop(mid, None)
        if flight is not None:
            flight.mid = None
            self._bytes -= flight.size
            self._fruitful = True
            self._window = min(self._window_max, self._window + 1)
        return flight

    # Sending again

    def take_due(self, now: float) -> list[int]:
        """Keys that are to be sent again now, as many as there is room for."""
        keys: list[int] = []
        self._pace.look(now)
        self._suspect_due = False
        limit, size = self._free(), self._bytes
        while len(keys) < limit and size < self._settings.window_kb << 10:
            if not self._due or self._due[0][0] > now:
                break
            due_at, key = heapq.heappop(self._due)
            flight = self._flights.get(key)
            if flight is None or flight.due_at != due_at:
                continue  # receipted or rescheduled since
            if flight.strikes:
                if self.in_flight or keys:
                    heapq.heappush(self._due, (due_at, key))
                    self._suspect_due = True
                    break
                limit = 1
            elif flight.acked_at is not None and self._put_off(flight, flight.acked_at, now):
                continue
            flight.due_at = None
            flight.missed += flight.acked_at is not None and not flight.unheard
            keys.append(key)
            size += flight.size
        return keys

    def _put_off(self, flight: Flight, acked_at: float, now: float) -> bool:
        """True if a missing receipt is no reason yet to send this event again."""
        if flight.unheard:
            if self._deaf and now < self._listen_at:
                self._schedule(flight, self._listen_at + abs(self._jitter() - 1) * UNHEARD_S)
                return True
            self._listen_at = now + UNHEARD_S * self._jitter()
            return False
        if self._last_receipt_at < acked_at:  # nobody receipts: one probe at a time
            self._outage = True
            if now < self._probe_at:
                flight.overdue = True
                self._schedule(flight, self._probe_at + self._spread())
                return True
            self._probe_at = now + self._probe_delay_s * self._jitter()
            self._probe_delay_s = min(self._probe_delay_s * 2, self._settings.resend_max_s)
            return False
        if now < self._grace_until:  # receipts have just come back: the rest may be under way
            self._schedule(flight, self._grace_until + self._spread())
            return True
        return False

    def _spread(self) -> float:
        return abs(self._jitter() - 1) * self._settings.receipt_timeout_s

    def _schedule(self, flight: Flight, at: float) -> None:
        flight.due_at = at
        heapq.heappush(self._due, (at, flight.key))

    def next_due(self) -> float | None:
        """When `take_due` will next have something to look at."""
        return self._due[0][0] if self._due else None

    # Receipts

    def receipted(
        self, first: int, last: int, now: float, *, only_sent: bool
    ) -> list[tuple[int, int]]:
        """A receipt covers the keys `first` through `last`: returns the ranges to remove.

        With `only_sent` these are only what this plan has sent, so that a wrong receipt cannot
        remove what never left.
        """
        self._heard(now)
        keys = self._landed(first, last, now)
        sent = RangeSet(self.taken.stored(first, last, now))
        sent.add_new(keys)
        return sent.ranges() if only_sent else [(first, last)]

    def taken_in(self, first: int, last: int, now: float) -> None:
        """Of the keys `first` through `last` the city has in its ledger what this plan has sent."""
        self._heard(now)
        self.taken.told(self._landed(first, last, now), now)

    def _heard(self, now: float) -> None:
        """The city speaks."""
        if self._outage:
            self._outage = False
            self._grace_until = now + min(GRACE_S, self._settings.receipt_timeout_s)
            for flight in self._flights.values():
                if flight.overdue and flight.mid is None:
                    self._schedule(flight, self._grace_until + self._spread())
        self._last_receipt_at = now
        self._probe_delay_s = self._settings.receipt_timeout_s

    def _landed(self, first: int, last: int, now: float) -> list[int]:
        """Forget the flights of these keys; returns them in order."""
        if last - first < 4 * len(self._flights):
            keys = [key for key in range(first, last + 1) if key in self._flights]
        else:
            keys = sorted(key for key in self._flights if first <= key <= last)
        flights = [self._flights[key] for key in keys]
        once = (one for one in flights if one.attempts == 1 and one.lane is not Lane.ALARM)
        self._pace.receipted([now - one.sent_at for one in once], now)
        for key in keys:
            self._drop(key)
        return keys

    def forget(self, key: int) -> None:
        """The event has left the outbox unstored."""
        self._drop(key)
        self.taken.gone(key)

    def _drop(self, key: int) -> None:
        flight = self._flights.pop(key, None)
        if flight is None:
            return
        self._bulk -= flight.lane is not Lane.ALARM
        if flight.mid is not None:
            self._by_mid.pop(flight.mid, None)
            self._bytes -= flight.size

    # Telling

    @property
    def in_flight(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._by_mid) + len(self._aside)

    @property
    def unreceipted(self) -> int:
        """Events that were handed out and are not receipted."""
        return len(self._flights)

    @property
    def unheard(self) -> bool:
        """The broker's last word was that nobody subscribes."""
        return self._deaf

    def held(self) -> list[tuple[int, str]]:
        """Keys of events that the broker does not take, with the reason."""
        return [(flight.key, flight.problem) for flight in self._flights.values() if flight.problem]
