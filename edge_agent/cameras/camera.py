"""A camera at work: reads its newest frames, runs the pipeline, hands the facts to the sink."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from contracts.clock import Clock
from contracts.events import Observation, Status
from contracts.topics import Identity
from contracts.words import DeviceState
from edge_agent.cameras import words
from edge_agent.cameras.frames import Source, Ticks
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.honesty.keepsakes import Keepsakes
from edge_agent.cameras.honesty.proof import Proof
from edge_agent.cameras.honesty.view import Light
from edge_agent.cameras.pictures import Grey
from edge_agent.cameras.pipeline import Models, Outcome, Pipeline
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.shadow.witness import Glance, Witness
from edge_agent.cameras.sources.capture import prepare_opencv
from edge_agent.cameras.sources.clock_probe import ClockProbe, Prober
from edge_agent.cameras.sources.reader import Reader
from edge_agent.cameras.telling.memory import recall, remember
from edge_agent.cameras.telling.outlet import Outlet
from edge_agent.cameras.telling.showing import Showing
from edge_agent.cameras.telling.teller import Teller, closing
from edge_agent.cameras.telling.vault_door import VaultDoor
from edge_agent.custody.custody import NO_CUSTODY, Custody
from edge_agent.ports import Fact, Sink

_log = logging.getLogger(__name__)

WAIT_S = 0.25
"""For a frame; then the absence is looked at, and whether to stop."""


class Camera:
    """The worker of one camera."""

    def __init__(
        self,
        settings: CameraSettings,
        who: Identity,
        scene: Scene,
        models: Models,
        sink: Sink,
        *,
        opener: Callable[[], Source],
        memory: Path,
        reference: Mapping[Light, Grey] | None = None,
        clock_probe: ClockProbe | None = None,
        clock: Clock,
        ticks: Ticks,
        witnesses: Sequence[Witness] = (),
        custody: Custody = NO_CUSTODY,
    ) -> None:
        self._witnesses, self._custody = tuple(witnesses), custody
        self._vault = VaultDoor(device=settings.device, custody=custody, clock=clock, ticks=ticks)
        self._settings, self._who, self._scene, self._models = settings, who, scene, models
        self._sink, self._opener, self._memory = sink, opener, memory
        self._clock, self._ticks = clock, ticks
        self._keepsakes = Keepsakes(memory.parent, settings.device, settings.scene)
        self._reference = reference or {}
        self._clock_probe = clock_probe
        self._prober: Prober | None = None
        self._proof = Proof(who, scene.schedule, self._keepsakes)
        self._looks = 0
        self._open: dict[str, Observation] = {}
        self._outlet = Outlet(who, sink, clock, ticks)

    @property
    def name(self) -> str:
        """The device's id."""
        return self._settings.device

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Raises OutboxError if the sink has refused for too long."""
        prepare_opencv()
        self._close_what_was_left_open()
        views = {**self._keepsakes.views(), **self._reference}
        pipeline = Pipeline(self._settings, self._scene, self._models, self._ticks(), views)
        self._proof = Proof(self._who, self._scene.schedule, self._keepsakes)
        teller = Teller(self._who, pipeline, self._custody)
        reader = Reader(self._settings, self._opener, self._clock, self._ticks)
        self._looks, self._open = 0, {}
        self._outlet = Outlet(self._who, self._sink, self._clock, self._ticks)
        reader.start()
        self._prober = self._start_prober()
        try:
            self._watch(stop, reader, pipeline, teller)
        finally:
            if self._prober:
                self._prober.close()
            if not reader.close():
                _log.warning("camera %s: the source hangs; left to its timeout", self.name)
        self._put(teller, teller.end(self._clock(), self._ticks()))
        self._outlet.finish()

    def _start_prober(self) -> Prober | None:
        if self._clock_probe is None or self._settings.honesty.clock_limit_s <= 0:
            return None
        prober = Prober(self.name, self._clock_probe, self._settings.honesty.clock_every_s)
        prober.start()
        return prober

    def _watch(
        self, stop: threading.Event, reader: Reader, pipeline: Pipeline, teller: Teller
    ) -> None:
        number, reported_s, said = 0, float("-inf"), ("", "")
        while not stop.is_set():
            frame = reader.newest(number, WAIT_S)
            outcome: Outcome | None = None
            if frame is not None:
                number = frame.number
                outcome = pipeline.take(frame)
                self._looks += outcome.look is not None
                facts = teller.news(outcome)
                if pipeline.watch.proves_live:
                    self._proof.frame(frame.grabbed_at)
                self._keep_views(pipeline)
                quiet = pipeline.gate.quiet(frame.seen_s)
                reader.attentive = not quiet or pipeline.watch.sight is not Sight.LIVE
            else:
                now_s = self._ticks()
                changes = pipeline.idle(now_s)
                facts = teller.tell_idle(changes, self._clock(), now_s, reader.trouble)
            facts += self._ask_clock(pipeline, teller)
            facts += self._proof.facts(self._clock())
            self._put(teller, facts)
            self._put(teller, teller.pictures())
            self._vault.keep(teller.showing.take_originals())
            if self._witnesses:
                self._show(outcome, pipeline.watch.sight, teller, reader)
            status = self._status(pipeline, reader, number, teller.showing)
            news = (status.state.value, status.detail)
            if news != said or self._ticks() - reported_s >= self._settings.status_every_s:
                self._sink.report(self._who, status)
                said, reported_s = news, self._ticks()

    def _ask_clock(self, pipeline: Pipeline, teller: Teller) -> list[Fact]:
        offset_s = self._prober.take() if self._prober else None
        if offset_s is None:
            return []
        now_s = self._ticks()
        changes = pipeline.clock_probed(offset_s, now_s)
        return teller.tell_idle(changes, self._clock(), now_s, "")

    def _keep_views(self, pipeline: Pipeline) -> None:
        learnt = pipeline.watch.view.learnt
        for light, levels in learnt.items():
            try:
                self._keepsakes.keep_view(light, levels)
            except OSError as error:  # a full disk: it is learned anew after the next start
                _log.error("camera %s: its view is not kept: %s", self.name, error)
        learnt.clear()

    def _status(self, pipeline: Pipeline, reader: Reader, number: int, showing: Showing) -> Status:
        sight = pipeline.watch.sight
        trouble = reader.trouble or self._outlet.trouble or self._vault.trouble
        if sight is Sight.OFFLINE:
            state = DeviceState.OFFLINE
        elif number == 0:
            state = DeviceState.UNKNOWN
        elif sight is Sight.LIVE and not trouble:
            state = DeviceState.ONLINE
        else:
            state = DeviceState.DEGRADED
        detail = words.sights(pipeline.watch.sights)
        held_back = words.HELD_BACK if showing.budget.bites(self._ticks()) else ""
        silent = self._prober.trouble if self._prober else ""
        clock = words.clock_untold(silent) if silent else ""
        said = (detail, held_back, trouble, clock)
        return Status(
            state,
            at=self._clock(),
            clock_offset_s=pipeline.watch.clock.offset_s,
            detail="; ".join(part for part in said if part)[:500],
            figures={
                "frames": float(reader.count),
                "looks": float(self._looks),
                **(self._prober.figures() if self._prober else {}),
                **self._proof.figures(),
                **self._proof.so_far(self._clock()),
                **showing.figures(),
                **self._vault.figures(),
                **{k: v for one in self._witnesses for k, v in one.figures(self.name).items()},
            },
        )

    def _show(self, outcome: Outcome | None, sight: Sight, teller: Teller, reader: Reader) -> None:
        glance = Glance(
            self.name,
            self._scene,
            outcome,
            sight,
            tuple(teller.open.values()),
            reader.count,
            self._looks,
            reader.trouble or self._outlet.trouble,
            self._clock(),
            self._ticks(),
        )
        for witness in self._witnesses:
            witness.saw(glance)

    def _put(self, teller: Teller, facts: Sequence[Fact]) -> None:
        """Hand over the facts. Whenever a kill comes, memory holds what the city calls open."""
        if facts:
            self._open |= {one.observation_id: one for one in teller.open.values()}
            remember(self._memory, self._open.values())
        self._outlet.put(facts)
        now_open = {one.observation_id: one for one in teller.open.values()}
        if not self._outlet.waiting and self._open.keys() != now_open.keys():
            remember(self._memory, now_open.values())
            self._open = now_open

    def _close_what_was_left_open(self) -> None:
        at = self._clock()
        left = [
            Fact(
                self._who,
                "observations",
                closing(observation, at, observation.captured_at, words.STOPPED),
                at,
            )
            for observation in recall(self._memory)
        ]
        if left:
            self._sink.put(left)
            remember(self._memory, ())
