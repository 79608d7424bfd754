"""One camera's honesty: all that can be wrong with its sight, over time; no threads, clock or disk.

The picture's own state is one at a time (gone, frozen, dark, over-exposed, covered, blurred).
Beside it stand: moved, an old loop, a wrong clock. What cannot be told meanwhile (who moves a
camera in the dark is not seen) stays what it was.
"""

from collections.abc import Mapping

from edge_agent.cameras.frames import Picture
from edge_agent.cameras.honesty.clock import ClockWatch
from edge_agent.cameras.honesty.latch import Latch, Sign
from edge_agent.cameras.honesty.loop import LoopWatch
from edge_agent.cameras.honesty.measures import judge, measure
from edge_agent.cameras.honesty.seeing import Seeing
from edge_agent.cameras.honesty.sights import BLIND, Sight, Turn
from edge_agent.cameras.honesty.stillness import Stillness
from edge_agent.cameras.honesty.view import Light, ViewWatch, light_of
from edge_agent.cameras.pictures import Grey
from edge_agent.cameras.settings import HonestySettings

_ORDER = tuple(Sight)
_LIGHT_EVERY_S = 5.0


class Watch:
    """Judges a camera's sight over time. Starts as LIVE, with the clock at `started_s`."""

    def __init__(
        self,
        settings: HonestySettings,
        started_s: float,
        *,
        looks_per_s: float = 5.0,
        is_loop: bool = False,
        views: Mapping[Light, Grey] | None = None,
    ) -> None:
        """`is_loop`: the source is a film that is meant to begin anew. `views`: what the camera
        should show, 640x360 grey levels each."""
        self._settings = settings
        self.seeing = Seeing(settings, started_s)
        self.view = ViewWatch(settings)
        self.view.know(views or {})
        self.clock = ClockWatch(settings.clock_limit_s)
        self._loop = LoopWatch(
            0.0 if is_loop else settings.loop_memory_s, looks_per_s, settings.looped_after_s
        )
        self._stillness = {light: Stillness(settings.still_after_s) for light in Light}
        self._moved, self._looped = Latch(Sight.MOVED), Latch(Sight.LOOPED)
        self._is_clear = False
        self._light_s, self._last_light = float("-inf"), Light.DAY

    def frame(
        self, picture: Picture, small: Grey, at_s: float, *, is_open: bool = True
    ) -> list[Turn]:
        """Take in a frame; `small` are its grey levels at 320x180. Returns what has changed.

        `is_open`: it is working time, so that darkness is not as it should be.
        """
        measures = measure(picture, small)
        said = judge(measures, self._settings)
        self._is_clear = said is Sight.LIVE
        since_s: float | None = None
        looped = Sign(None, at_s)
        if said in (Sight.LIVE, Sight.BLURRED):
            still = self._stillness[self._light(picture, at_s)]
            still.frame(small, at_s)
            looped = self._loop.frame(small, at_s)
            self._look_at_view(picture, at_s, blurred=said is Sight.BLURRED)
            said, since_s = self._weigh(said, still)
        else:
            if said is Sight.DARK and not is_open:
                said = Sight.LIGHTS_OFF
            self.view.cannot_tell(at_s)
        turns = [
            self.seeing.frame(said, measures.fingerprint, at_s, since_s),
            self._looped.take(looped),
            self._moved.take(self.view.moved),
        ]
        return [turn for turn in turns if turn]

    def idle(self, at_s: float) -> list[Turn]:
        """No frame has come up to now; returns what has changed."""
        turn = self.seeing.idle(at_s)
        return [turn] if turn else []

    def clock_probed(self, offset_s: float, at_s: float) -> list[Turn]:
        """The camera's clock was found `offset_s` seconds ahead of ours."""
        turn = self.clock.probed(offset_s, at_s)
        return [turn] if turn else []

    @property
    def sights(self) -> tuple[Sight, ...]:
        """All that holds, the gravest first; LIVE alone if nothing does."""
        beside = [latch.sight for latch in (self._looped, self._moved) if latch.holds]
        if self.clock.is_wrong:
            beside.append(Sight.CLOCK_WRONG)
        found = {self.seeing.sight, *beside} - {Sight.LIVE}
        return tuple(sorted(found, key=_ORDER.index)) or (Sight.LIVE,)

    @property
    def sight(self) -> Sight:
        """The gravest of what holds."""
        return self.sights[0]

    @property
    def is_blind(self) -> bool:
        """True if nothing may be concluded from what is or is not to be seen."""
        return not BLIND.isdisjoint(self.sights)

    @property
    def trusted(self) -> bool:
        """True if the newest frame may be judged: new, and neither known nor suspected to be blind.

        A picture that has come before tells nothing new: it must not vote again.
        """
        return self._is_clear and self.seeing.is_new and not self.is_blind

    @property
    def proves_live(self) -> bool:
        """True if the newest frame shows that the camera sees what happens now, and well."""
        return self.trusted and self.seeing.sight is Sight.LIVE

    def _weigh(self, said: Sight, still: Stillness) -> tuple[Sight, float | None]:
        """What the frame says, or what the parts have proven of more than this frame."""
        if said is Sight.BLURRED:  # something smooth before the lens looks like a blur
            return (Sight.COVERED if self.view.lost else said), None
        if still.holds:
            return Sight.FROZEN, still.since_s
        if self.view.hidden.holds:
            return Sight.COVERED, self.view.hidden_since_s
        if self.view.greasy.holds:
            return Sight.BLURRED, self.view.greasy_since_s
        return said, None

    def _look_at_view(self, picture: Picture, at_s: float, *, blurred: bool) -> None:
        if self.view.due(at_s, blurred):
            self.view.look(picture, at_s, blurred=blurred)

    def _light(self, picture: Picture, at_s: float) -> Light:
        if at_s - self._light_s >= _LIGHT_EVERY_S:
            self._light_s, self._last_light = at_s, light_of(picture)
        return self._last_light
