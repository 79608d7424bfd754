"""The host of an instrument that speaks by itself: framed, decoded, acknowledged where it asks."""

from collections.abc import Iterable
from datetime import date, datetime

from contracts.profile import Listen
from edge_agent.instruments.decoder import Row, decode_frame, noise_before
from edge_agent.instruments.fields import DecodeError
from edge_agent.instruments.hosts.actions import (
    NEVER,
    Action,
    Actions,
    Answered,
    Noise,
    Send,
    SetAside,
    Take,
)
from edge_agent.instruments.profiles import LoadedProfile
from edge_agent.instruments.templates import parse_template
from edge_agent.protocols.events import Discarded, Frame, FrameEvent
from edge_agent.protocols.framing import make_framer


class ListenHost:
    """Never asks, so never busy."""

    busy = False

    def __init__(self, profile: LoadedProfile, dialogue: Listen, address: int = 0) -> None:
        framer = profile.spec.framer
        assert framer is not None, "checked when the profile was loaded"
        self._profile = profile
        self._spec = framer
        self._framer = make_framer(framer)
        self._acknowledge = parse_template(dialogue.acknowledge) if dialogue.acknowledge else None
        self._address = address
        self._flush_at = NEVER

    def due(self) -> float:
        return self._flush_at

    def open(self, now: float) -> Actions:
        self._framer = make_framer(self._spec)
        self._flush_at = NEVER
        yield from ()

    def receive(self, data: bytes, now: float, at: datetime) -> Actions:
        self._flush_at = now + self._spec.idle_s
        yield from self._answer(self._framer.receive(data), at.date())

    def wake(self, now: float, at: datetime) -> Actions:
        self._flush_at = NEVER
        yield from self._answer(self._framer.flush(), at.date())

    def refused(self, now: float) -> Actions:
        yield from ()

    def finish(self) -> Actions:
        yield from self._answer(self._framer.flush(), date.min)

    def _answer(self, events: Iterable[FrameEvent], day: date) -> Actions:
        for event in events:
            if isinstance(event, Discarded):
                yield Noise(event)
                continue
            try:
                noise, rows = self._rows(event)
            except DecodeError as error:
                yield SetAside(event.content, str(error), event.offset)
            else:
                if noise:
                    yield Noise(Discarded(event.offset, noise, "noise before a record"))
                yield Answered()
                yield Take(rows, fresh=True)
            if self._acknowledge is not None:
                check = getattr(self._spec, "check", None)
                content = self._acknowledge.fill(day=day, address=self._address, check=check)
                yield from _send(content)

    def _rows(self, frame: Frame) -> tuple[bytes, list[Row]]:
        """Noise at its beginning, and the rows of the rest. Raises DecodeError."""
        content = frame.content
        try:
            return b"", decode_frame(self._profile, content, frame.flags)
        except DecodeError:
            if not (at := noise_before(self._profile, content)):
                raise
            return content[:at], decode_frame(self._profile, content[at:], frame.flags)


def _send(content: bytes) -> Iterable[Action]:
    return (Send(content),) if content else ()
