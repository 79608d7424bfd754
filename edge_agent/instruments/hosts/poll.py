"""The host that asks: a round opens with the profile's first step, and others follow by change.

What changed is remembered only when the steps that follow from it are complete, and never across a
restart: then the history is asked for again, and the logbook passes over what was taken.
"""

from collections import deque
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from contracts.profile import Poll, Step
from edge_agent.instruments.decoder import decode_frame, record_name
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
from edge_agent.instruments.hosts.exchange import INSTEAD, Exchange, Run, State, run_of
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.templates import Template, parse_template
from edge_agent.protocols.events import Discarded, FrameEvent
from edge_agent.protocols.framing import make_framer

PULLS = 3
"""How often an incomplete history is asked for before the rest is told missing."""
BACK_OFF_S = 30.0
YESTERDAY_EVERY_S = 600.0


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
        self._exchange: Exchange | None = None
        self._run: Run | None = None
        self._fetched: dict[tuple[str, date], tuple[int, int]] = {}
        self._next_round = 0.0
        self._yesterday_at = self._quiet_at = 0.0
        self._failures = 0
        self._connected = False

    @property
    def busy(self) -> bool:
        return self._exchange is not None

    def due(self) -> float:
        return self._exchange.deadline if self._exchange is not None else self._next_round

    def open(self, now: float) -> Actions:
        self._framer = make_framer(self._spec)
        self._exchange = self._run = None
        self._queue.clear()
        self._connected = False
        self._next_round = now + self._profile.spec.link.settle_s
        yield from ()

    def ask_again(self, day: date) -> None:
        """Records of that day are missing: fetch the day anew, whatever is known of it."""
        self._known = {place: state for place, state in self._known.items() if place[1] != day}
        self._fetched = {place: done for place, done in self._fetched.items() if place[1] != day}
        for name in self._dialogue.opens or (self._dialogue.steps[0].name,):
            if self._templates[name].has_day:
                self._queue.append((self._steps[name], day, ()))

    def wake(self, now: float, at: datetime) -> Actions:
        if self._exchange is None:
            if now >= self._quiet_at:  # what stood on the line before is no part of the answer
                yield from self._answer(self._framer.flush(), now)
            self._begin_round(now, self._day_of(at))
            yield from self._ask_next(now)
            return
        yield from self._answer(self._framer.flush(), now)
        if self._exchange is not None:
            yield from self._over(now)

    def receive(self, data: bytes, now: float, at: datetime) -> Actions:
        self._quiet_at = now + self._spec.idle_s
        if self._exchange is not None:
            self._exchange.deadline = max(self._exchange.deadline, self._quiet_at)
        yield from self._answer(self._framer.receive(data), now)

    def refused(self, now: float) -> Actions:
        self._exchange = self._run = None
        self._queue.clear()
        self._next_round = now + BACK_OFF_S
        yield from ()

    def finish(self) -> Actions:
        yield from self._answer(self._framer.flush(), 0.0)

    def _begin_round(self, now: float, today: date) -> None:
        opens = self._dialogue.opens or (self._dialogue.steps[0].name,)
        back = 0
        if any(self._templates[name].has_day for name in opens) and self._dialogue.history_days:
            if not self._connected:
                back = self._dialogue.history_days
            elif now >= self._yesterday_at:
                back = 1
            if back:
                self._yesterday_at = now + YESTERDAY_EVERY_S
        for days in range(back + 1):
            for name in opens:
                if not days or self._templates[name].has_day:
                    self._queue.append((self._steps[name], today - timedelta(days=days), ()))

    def _ask_next(self, now: float) -> Actions:
        run = self._run
        if run is not None and run.done:
            self._run = None
            yield from self._run_over(run)
        elif run is not None:
            yield from self._ask(run.step, run.day, (), now, run.index)
            return
        if not self._queue:
            self._exchange = None
            self._next_round = now + self._every_s
            return
        step, day, state = self._queue.popleft()
        yield from self._ask(step, day, state, now)

    def _ask(self, step: Step, day: date, state: State, now: float, index: int = 0) -> Actions:
        self._exchange = Exchange(step, day, state, now + self._dialogue.reply_timeout_s)
        template = self._templates[step.name]
        check, head = getattr(self._spec, "check", None), getattr(self._spec, "head_check", None)
        yield Send(
            template.fill(day=day, address=self._address, check=check, head_check=head, index=index)
        )

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
            name = rows[0].record.name if rows else record_name(self._profile, event.content)
            asked = exchange is not None and exchange.takes(name)
            yield Take(rows, fresh=asked and self._connected)
            if exchange is None:
                continue
            if asked and (self._run is None or self._run.answers(event.content)):
                exchange.got += 1
                exchange.rows = rows
                if exchange.step.total:
                    exchange.total = int(rows[0].cells[exchange.step.total].number or 0)
            elif name == exchange.step.ends:
                exchange.ended = True
            elif not asked:
                continue
            exchange.deadline = now + self._dialogue.reply_timeout_s
            if exchange.complete:
                yield from self._completed(now)

    def _completed(self, now: float) -> Actions:
        exchange = self._exchange
        assert exchange is not None
        step, place = exchange.step, (exchange.step.name, exchange.day)
        if self._run is not None:
            self._run.got()
            yield from self._go_on(now)
            return
        self._pulls.pop(place, None)
        self._remember_if_any(exchange)
        if step.then:
            cells = exchange.rows[0].cells if exchange.rows else {}
            state = (
                step.name.encode(),
                *(cells[name].raw for name in step.changed if name in cells),
            )
            if step.changed and self._known.get(place) == state:
                pass
            elif step.past:
                fetch, known = self._steps[step.then], self._fetched.pop(place, None)
                self._run = run_of(step, fetch, exchange.day, cells, state, known)
            else:
                self._queue.appendleft((self._steps[step.then], exchange.day, state))
        yield from self._go_on(now)

    def _run_over(self, run: Run) -> Actions:
        """Every record of a run has been asked for, or it was given up."""
        fetch = (run.step.name, run.day)
        pulls = self._pulls.get(fetch, 0) + 1
        if run.lost and pulls < PULLS:
            self._pulls[fetch] = pulls
            return
        self._pulls.pop(fetch, None)
        self._remember(run.state, run.day)
        self._fetched[run.place] = (run.first, run.past)
        if len(self._fetched) > 1000:
            del self._fetched[next(iter(self._fetched))]
        if run.lost:
            yield Missing(run.lost, f"{run.lost} records of {run.day}: {run.step.name} unanswered")

    def _remember(self, state: State, day: date) -> None:
        """The steps that followed from this state are complete."""
        self._known[state[0].decode(), day] = state
        if len(self._known) > 1000:
            del self._known[next(iter(self._known))]

    def _go_on(self, now: float) -> Actions:
        if not self._queue and (self._run is None or self._run.done):
            self._connected = True
        yield from self._ask_next(now)

    def _over(self, now: float) -> Actions:
        """The time for the replies is over."""
        exchange = self._exchange
        assert exchange is not None
        step, place = exchange.step, (exchange.step.name, exchange.day)
        if self._run is not None:
            yield from self._unanswered(self._run, now)
            return
        if exchange.got and step.until_quiet:
            yield from self._completed(now)
            return
        if exchange.got == 0 and step.otherwise:
            self._queue.appendleft((self._steps[step.otherwise], exchange.day, INSTEAD))
            yield from self._ask_next(now)
            return
        if exchange.got == 0 and (exchange.instead or not step.may_be_silent):
            yield from self._failed(step, now)
            return
        if exchange.got == 0 and step.may_be_silent:
            exchange.total = 0
        pulls = self._pulls.get(place, 0) + 1
        missing = exchange.missing if exchange.got else 0
        if missing and pulls < PULLS:
            self._pulls[place] = pulls
        else:
            self._pulls.pop(place, None)
            self._remember_if_any(exchange)
            if missing:
                total = exchange.got + missing
                yield Missing(missing, f"{missing} of {total} records of {exchange.day}")
        yield from self._go_on(now)

    def _unanswered(self, run: Run, now: float) -> Actions:
        step = run.step
        if run.unanswered():
            yield NoAnswer(f"no answer to {step.name} {run.index - 1}")
        if run.hopeless:
            run.give_up()
            self._run = None
            yield from self._run_over(run)
            yield from self._failed(step, now)
            return
        yield from self._go_on(now)

    def _failed(self, step: Step, now: float) -> Actions:
        """No one answers: the round is over, the next one comes later and later."""
        self._failures += 1
        self._exchange = None
        self._queue.clear()
        wait_s = self._every_s * 2 ** min(self._failures - 1, 10)
        self._next_round = now + max(self._every_s, min(wait_s, BACK_OFF_S))
        yield NoAnswer(f"no answer to {step.name} within {self._dialogue.reply_timeout_s:g} s")

    def _remember_if_any(self, exchange: Exchange) -> None:
        if exchange.state and not exchange.instead:
            self._remember(exchange.state, exchange.day)
