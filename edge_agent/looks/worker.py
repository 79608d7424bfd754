"""The worker of looks: takes orders, logs each, shows what may be shown, keeps what is asked."""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from contracts.clock import Clock
from contracts.events import Evidence
from contracts.events import Look as Told
from contracts.files import write_whole
from contracts.topics import Identity
from contracts.words import LookState
from edge_agent.cameras.frames import Ticks
from edge_agent.cameras.pictures import encode_jpeg
from edge_agent.cameras.rule.looking import Look
from edge_agent.cameras.telling.showing import ORIGINAL_QUALITY
from edge_agent.custody.access_log import LogBroken, append, read_log
from edge_agent.custody.custody import Custody
from edge_agent.looks import words
from edge_agent.looks.holding import Held, Holding
from edge_agent.looks.keeping import facts_of
from edge_agent.looks.looking import Answer, Looking, Taken, kept
from edge_agent.looks.order import Order, OrderError, read_order
from edge_agent.looks.settings import LookSettings
from edge_agent.looks.showing import picture_of
from edge_agent.looks.views import Views
from edge_agent.ports import Fact, OutboxError

_log = logging.getLogger(__name__)

LOG, MEMORY = "looks.jsonl", "looks.known.json"
"""Files of the state folder: who looked at what, and which orders were met."""
IDLE_S, BUSY_S = 0.5, 0.1
SHOWN = 20
"""So many of the newest looks the preview page names."""

Send = Callable[[Identity, Told], None]


@dataclass(frozen=True, slots=True)
class LookPost:
    """A site's line to the city, as far as looks need it."""

    orders: "queue.SimpleQueue[bytes]"
    """Messages of the commands topic."""
    send: Send
    """Takes an answer; must not block."""
    city_time: Callable[[], datetime]
    """The clock set right, as far as that is known."""
    keep: Callable[[Sequence[Fact]], None]
    """Stores facts for the city, all or none. Raises OutboxError."""


class Looks:
    """One of each agent that has cameras."""

    name = "looks"

    def __init__(
        self,
        settings: LookSettings,
        agent: Identity,
        cameras: Iterable[str],
        views: Views,
        custody: Custody,
        state: Path,
        post: LookPost,
        *,
        clock: Clock,
        ticks: Ticks = time.monotonic,
    ) -> None:
        """`state` is a folder of the agent that survives restarts."""
        self._agent = agent
        self._views = views
        self._custody = custody
        self._log_file, self._memory = state / LOG, state / MEMORY
        self._post = post
        self._clock, self._ticks = clock, ticks
        self._looking = Looking(settings, frozenset(cameras), _recall(self._memory))
        self._holding = Holding()

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set."""
        while not stop.is_set():
            wait_s = BUSY_S if self._looking.wanted else IDLE_S
            with contextlib.suppress(queue.Empty):
                self._take(self._post.orders.get(timeout=wait_s))
            for answer in self._looking.turn(self._views.of, self._ticks()):
                self._tell(answer)
            self._views.want(self._looking.wanted)
            self._holding.sweep(self._ticks())
        self._views.want(frozenset())

    def newest(self, camera: str) -> list[dict[str, str]]:
        """Who looked at a camera, the newest first, for the preview page."""
        try:
            entries = read_log(self._log_file)
        except LogBroken as error:
            _log.error("looks: %s", error)
            return []
        source = self._agent.sibling(camera).source
        mine = [one for one in entries if one.source == source][-SHOWN:]
        return [
            {
                "at": one.at.isoformat(timespec="seconds"),
                "who": ", ".join(one.who),
                "reason": one.reason,
                "action": one.action,
            }
            for one in reversed(mine)
        ]

    def _take(self, payload: bytes) -> None:
        try:
            order = read_order(payload)
        except OrderError as error:
            _log.warning("looks: an order is not taken: %s", error)
            return
        if order.of_look:
            self._keep(order)
            return
        taken, why = self._looking.take(order, self._post.city_time(), self._ticks())
        if taken is Taken.IGNORED:
            _log.info("looks: order %s does nothing: %s", order.look_id, why)
            return
        if not self._remembered(order):
            self._looking.give_up(order)
            taken, why = Taken.REFUSED, words.NOT_LOGGED
        if taken is Taken.REFUSED:
            self._tell(Answer(order, 1, LookState.REFUSED, why))
        else:
            _log.info("looks: %s looks at %s: %s", order.by, order.camera, order.reason)
            self._views.want(self._looking.wanted)

    def _keep(self, order: Order) -> None:
        """Keep a picture that a look has shown as evidence, or say why that is not possible."""
        taken, why = self._looking.take_keep(order, self._post.city_time())
        if taken is Taken.IGNORED:
            _log.info("looks: order %s does nothing: %s", order.look_id, why)
            return
        who, now_s = self._agent.sibling(order.camera), self._ticks()
        held = self._holding.find(order.of_look, order.camera, order.picture, now_s)
        if not why:
            why = words.GONE if held is None else ""
        if not self._remembered(order):
            why = words.NOT_LOGGED
        if held is not None and not why:
            try:
                self._post.keep(facts_of(order, held, who, self._custody, self._clock))
            except OutboxError as error:
                _log.error("looks: picture %s is not kept: %s", order.picture, error)
                why = words.NOT_STORED
        state = LookState.NOT_KEPT if why else LookState.KEPT
        _log.info("looks: %s keeps a picture of %s: %s", order.by, order.camera, why or "kept")
        self._post.send(who, Told(order.look_id, 1, state, self._clock(), why))

    def _remembered(self, order: Order) -> bool:
        """Write it down, before anything is shown; False if that is not possible."""
        try:
            write_whole(self._memory, msgspec.json.encode(kept(self._looking.known)))
            append(
                self._log_file,
                at=self._clock(),
                action="keep" if order.of_look else "look",
                who=(order.by,),
                reason=order.reason,
                evidence_id=order.look_id,
                source=self._agent.sibling(order.camera).source,
                sealed=order.told,
            )
        except (OSError, LogBroken) as error:
            _log.error("looks: order %s is not written down: %s", order.look_id, error)
            return False
        return True

    def _tell(self, answer: Answer) -> None:
        who = self._agent.sibling(answer.order.camera)
        look_id, number, picture = answer.order.look_id, answer.number, None
        if answer.look is not None:
            picture = picture_of(who, look_id, number, answer.look, self._custody)
            self._hold(answer, answer.look, picture)
        told = Told(look_id, number, answer.state, self._clock(), answer.why[:500], picture)
        self._post.send(who, told)

    def _hold(self, answer: Answer, look: Look, picture: Evidence) -> None:
        """Remember what is shown, for moments; with its original where one may be kept."""
        frame, original = look.frame, b""
        if self._custody.vault is not None:
            original = encode_jpeg(frame.picture, ORIGINAL_QUALITY)
        height, width = frame.picture.shape[:2]
        order = answer.order
        now_s = self._ticks()
        self._holding.put(
            Held(order.look_id, order.camera, picture, original, width, height, now_s)
        )


def _recall(memory: Path) -> dict[str, datetime]:
    """The orders met before. A file that cannot be read is as none: expiry still holds."""
    try:
        told = msgspec.json.decode(memory.read_bytes(), type=dict[str, datetime])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as error:
        _log.error("looks: %s: %s", memory, error)
        return {}
    return {key: at for key, at in told.items() if at.tzinfo is not None}
