"""The host that asks: a round opens with the profile's first step, and others follow by change.

What changed is remembered only when the steps that follow from it are complete, and never across a
restart: then the history is asked for again, and the logbook passes over what was taken.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from contracts.profile import Poll, Step
from edge_agent.instruments.decoder import Row, decode_frame
from edge_agent.instruments.fields import DecodeError
from edge_agent.instruments.hosts.actions import (
    Actions,
    Answered,
    Missing,
    NoAnswer,
    Noise,
    Send,
    SetAside,
    Take,
)
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.templates import Template, parse_template
from edge_agent.protocols.events import Discarded, FrameEvent
from edge_agent.protocols.framing import make_framer

PULLS = 3
"""How often an incomplete history is asked for before the rest is told missing."""
BACK_OFF_S = 30.0
YESTERDAY_EVERY_S = 600.0

State = tuple[bytes, ...]
INSTEAD: State = (b"", b"instead")
"""Marks a step that is asked because the one before it was not answered."""


class _Exchange:
    """One request on its way."""

    def __init__(self, step: Step, day: date, state: State, deadline: float) -> None:
        self.step = step
        self.instead = state == INSTEAD
        self.day = day
        self.state = state
        self.deadline = deadline
        self.got = 0
        self.total = 1
        self.rows: list[Row] = []

    @property
    def complete(self) -> bool:
        return self.got >= self.total


class PollHost:
    """Asks for today's state every round, and for the days before after connecting."""

    def __init__(
        self,
        profile: LoadedProfile,
        dialogue: Poll,
        *,
        address: int,
        every_s: float | None,
        day_of: Callable[[datetime], date],
    ) -> None:
        framer = profile.spec.framer
        assert framer is not None, "checked when the profile was loaded"
        self._profile = profile
        self._dialogue = dialogue
        self._address = address
        self._every_s = every_s or dialogue.every_s
        self._day_of = day_of
        self._spec = framer
        self._framer = make_framer(framer)
        self._steps = {step.name: step for step in dialogue.steps}
        self._templates: dict[str, Template] = {
            step.name: parse_template(step.request) for step in dialogue.steps
        }
        self._known: dict[tuple[str, date], State] = {}
        self._pulls: dict[tuple[str, date], int] = {}
        self._queue: deque[tuple[Step, date, State]] = deque()
        self._exchange: _Exchange | None = None
        self._next_round = 0.0
        self._yesterday_at = 0.0
        self._failures = 0
        self._connected = False

    @property
    def busy(self) -> bool:
        return self._exchange is not None

    def due(self) -> float:
        return self._exchange.deadline if self._exchange is not None else self._next_round

    def open(self, now: float) -> Actions:
        self._framer = make_framer(self._spec)
        self._exchange = None
        self._queue.clear()
        self._connected = False
        self._next_round = now + self._profile.spec.link.settle_s
        yield from ()

    def wake(self, now: float, at: datetime) -> Actions:
        if self._exchange is None:
            self._begin_round(now, self._day_of(at))
            yield from self._ask_next(now)
            return
        yield from self._answer(self._framer.flush(), now)
        if self._exchange is not None:
            yield from self._over(now)

    def receive(self, data: bytes, now: float, at: datetime) -> Actions:
        if self._exchange is not None:
            quiet = now + self._spec.idle_s
            self._exchange.deadline = max(self._exchange.deadline, quiet)
        yield from self._answer(self._framer.receive(data), now)

    def refused(self, now: float) -> Actions:
        self._exchange = None
        self._queue.clear()
        self._next_round = now + BACK_OFF_S
        yield from ()

    def finish(self) -> Actions:
        yield from self._answer(self._framer.flush(), 0.0)

    def _begin_round(self, now: float, today: date) -> None:
        first = self._dialogue.steps[0]
        back = 0
        if self._templates[first.name].has_day and self._dialogue.history_days:
            if not self._connected:
                back = self._dialogue.history_days
            elif now >= self._yesterday_at:
                back = 1
            if back:
                self._yesterday_at = now + YESTERDAY_EVERY_S
        for days in range(back + 1):
            self._queue.append((first, today - timedelta(days=days), ()))

    def _ask_next(self, now: float) -> Actions:
        if not self._queue:
            self._exchange = None
            self._next_round = now + self._every_s
            return
        step, day, state = self._queue.popleft()
        self._exchange = _Exchange(step, day, state, now + self._dialogue.reply_timeout_s)
        check = getattr(self._spec, "check", None)
        template = self._templates[step.name]
        yield Send(template.fill(day=day, address=self._address, check=check))

    def _answer(self, events: Iterable[FrameEvent], now: float) -> Actions:
        for event in events:
            if isinstance(event, Discarded):
                yield Noise(event)
                continue
            try:
                rows = decode_frame(self._profile, event.content, event.flags)
            except DecodeError as error:
                yield SetAside(event.content, str(error), event.offset)
                continue
            self._failures = 0
            yield Answered()
            exchange = self._exchange
            asked = (
                exchange is not None and bool(rows) and (rows[0].record.name == exchange.step.reply)
            )
            yield Take(rows, fresh=asked and self._connected)
            if exchange is not None and asked:
                exchange.got += 1
                exchange.rows = rows
                exchange.deadline = now + self._dialogue.reply_timeout_s
                if exchange.step.total:
                    exchange.total = int(rows[0].cells[exchange.step.total].number or 0)
                if exchange.complete:
                    yield from self._completed(now)

    def _completed(self, now: float) -> Actions:
        exchange = self._exchange
        assert exchange is not None
        step, place = exchange.step, (exchange.step.name, exchange.day)
        self._pulls.pop(place, None)
        self._remember_if_any(exchange)
        if step.then:
            cells = exchange.rows[0].cells
            state = (step.name.encode(), *(cells[name].raw for name in step.changed))
            if not step.changed or self._known.get(place) != state:
                self._queue.appendleft((self._steps[step.then], exchange.day, state))
        yield from self._go_on(now)

    def _remember(self, exchange: _Exchange) -> None:
        """The steps that followed from this state are complete."""
        self._known[exchange.state[0].decode(), exchange.day] = exchange.state
        if len(self._known) > 1000:
            del self._known[next(iter(self._known))]

    def _go_on(self, now: float) -> Actions:
        if not self._queue:
            self._connected = True
        yield from self._ask_next(now)

    def _over(self, now: float) -> Actions:
        """The time for the replies is over."""
        exchange = self._exchange
        assert exchange is not None
        step, place = exchange.step, (exchange.step.name, exchange.day)
        if exchange.got == 0 and step.otherwise:
            self._queue.appendleft((self._steps[step.otherwise], exchange.day, INSTEAD))
            yield from self._ask_next(now)
            return
        if exchange.got == 0 and (exchange.instead or not step.may_be_silent):
            self._failures += 1
            self._exchange = None
            self._queue.clear()
            wait_s = self._every_s * 2 ** min(self._failures - 1, 10)
            self._next_round = now + max(self._every_s, min(wait_s, BACK_OFF_S))
            yield NoAnswer(f"no answer to {step.name} within {self._dialogue.reply_timeout_s:g} s")
            return
        if exchange.got == 0 and step.may_be_silent:
            exchange.total = 0
        pulls = self._pulls.get(place, 0) + 1
        missing = exchange.total - exchange.got
        if missing and pulls < PULLS:
            self._pulls[place] = pulls
        else:
            self._pulls.pop(place, None)
            self._remember_if_any(exchange)
            if missing:
                yield Missing(missing, f"{missing} of {exchange.total} records of {exchange.day}")
        yield from self._go_on(now)

    def _remember_if_any(self, exchange: _Exchange) -> None:
        if exchange.state and not exchange.instead:
            self._remember(exchange)
