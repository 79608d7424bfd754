"""One camera's road from a frame to what must be told: no threads, no clock, no input or output.

`take` is given frames, `idle` is told that none has come; both return what has changed. A clip that
is played again gives the same answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edge_agent.cameras.frames import Frame
from edge_agent.cameras.honesty import Sight, Turn, Watch
from edge_agent.cameras.honesty.view import Light
from edge_agent.cameras.motion import MotionGate
from edge_agent.cameras.pictures import Grey, small_grey
from edge_agent.cameras.rule.episodes import Closed, Episodes, Opened
from edge_agent.cameras.rule.looking import HEAD, HIDE_FLOOR, Look, Looker, Models
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings

__all__ = ["HEAD", "HIDE_FLOOR", "Change", "Look", "Models", "Outcome", "Pipeline"]

Change = Opened | Closed | Turn


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one frame led to."""

    look: Look | None
    """None if the frame was not analysed."""
    changes: tuple[Change, ...]
    frame: Frame


@dataclass(slots=True)
class Pipeline:
    """One camera. Frames come in order, from one thread."""

    settings: CameraSettings
    scene: Scene
    models: Models
    started_s: float
    views: Mapping[Light, Grey] = field(default_factory=dict)
    """What the camera should show; what it learns by itself is in `watch.view.learnt`."""
    watch: Watch = field(init=False)
    gate: MotionGate = field(init=False)
    looker: Looker = field(init=False)
    episodes: Episodes = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(
            self.settings.honesty,
            self.started_s,
            looks_per_s=self.settings.looks_per_s,
            is_loop=self.settings.loop,
            views=self.views,
        )
        self.gate = MotionGate(self.settings.looks_per_s, self.settings.look_every_s)
        self.looker = Looker(self.scene, self.models)
        self.episodes = Episodes(self.scene.persistence, self.scene.off_hours)

    def take(self, frame: Frame) -> Outcome:
        """Take in a frame."""
        small = small_grey(frame.picture)
        is_open = self.scene.schedule.is_open(frame.grabbed_at)
        turns = self.watch.frame(frame.picture, small, frame.seen_s, is_open=is_open)
        changes: list[Change] = list(turns)
        look = None
        if self.watch.trusted:
            if self.gate.opens(small, frame.seen_s, self.looker.somebody):
                look = self.looker.look(frame)
                changes += self.episodes.look(
                    look.heads, frame.seen_s, self.looker.movements.pictures
                )
                look = replace(look, explanations=self.looker.explained(look, self.episodes))
        elif self.watch.is_blind:
            changes += self.episodes.cannot_see(frame.seen_s)
        return Outcome(look, tuple(changes), frame)

    def clock_probed(self, offset_s: float, at_s: float) -> list[Change]:
        """The camera's clock was found `offset_s` seconds ahead of ours."""
        return list(self.watch.clock_probed(offset_s, at_s))

    def idle(self, at_s: float) -> list[Change]:
        """No frame has come up to `at_s`."""
        changes: list[Change] = list(self.watch.idle(at_s))
        if self.watch.sight is Sight.OFFLINE:
            changes += self.episodes.cannot_see(at_s)
        return changes
