"""Sends the orders for looks, and for what is to be kept of them, from the ledger to the sites.

An order goes out at least once, and expires: an agent that has met it does nothing a second time,
and a broker that cannot hand it on in time forgets it. Of several gateways one sends, under a
lease.
"""

import threading
from datetime import datetime

from contracts import looks as contract
from contracts.clock import Clock
from contracts.envelope import encode
from contracts.events import Command
from contracts.topics import Channel, device_topic
from gateway.broker import Broker, Outbound
from gateway.health import Health
from gateway.lease import Lease
from gateway.looking import look_every
from gateway.metrics import Metrics
from ledger import kept_frames, kitchens, looks
from ledger.engine import Connection, Engine, reading, writing
from ledger.kept_frames import KeptRow
from ledger.looks import LookRow

TICK_S = 0.3
SEND_LIMIT_S = 5.0
PART = "orders"


class Orders:
    """Sends from `run` to `stop`."""

    def __init__(
        self,
        engine: Engine,
        broker: Broker,
        *,
        name: str,
        group: str,
        metrics: Metrics,
        health: Health,
        clock: Clock,
    ) -> None:
        self._engine = engine
        self._broker = broker
        self._lease = Lease(engine, f"{group}.orders", name, clock)
        self._metrics = metrics
        self._health = health
        self._clock = clock

    def run(self, stop: threading.Event) -> None:
        """Work until `stop`; what is not sent by then is another's, or too late."""
        look_every(
            stop,
            self.send_once,
            every_s=TICK_S,
            part=PART,
            metrics=self._metrics,
            health=self._health,
        )
        self._lease.end()

    def send_once(self) -> int:
        """Send what was asked for; how many looks. Raises LedgerDown."""
        if self._broker.trouble or not self._lease.hold():
            self._health.well(PART)
            return 0
        now = self._clock()
        with reading(self._engine) as conn:
            asked, kept = looks.unsent(conn, now), kept_frames.unsent(conn, now)
            rows: list[LookRow | KeptRow] = [*asked, *kept]
            messages = [one for row in rows for one in order_of(conn, row, now)]
        if not asked and not kept:
            self._health.well(PART)
            return 0
        if not self._broker.publish_and_wait(messages, SEND_LIMIT_S):
            self._health.trouble(PART, "the broker does not take orders")
            return 0
        with writing(self._engine) as conn:
            looks.mark_sent(conn, asked, self._clock())
            kept_frames.mark_sent(conn, kept, self._clock())
        self._health.well(PART)
        return len(asked) + len(kept)


def order_of(conn: Connection, row: LookRow | KeptRow, now: datetime) -> list[Outbound]:
    """The order to every agent of the site: the one that has the camera takes it."""
    via = f" · {row.via}" if row.via else ""
    arguments = {
        contract.CAMERA: row.device,
        contract.BY: f"{row.name}（{row.role}）{via}",
        contract.REASON: row.reason,
    }
    order_id, name = row.look_id, contract.COMMAND
    if isinstance(row, KeptRow):
        order_id, name = row.kept_id, contract.KEEP
        arguments |= {contract.LOOK: row.look_id, contract.PICTURE: row.sha256}
    order = Command(
        command_id=order_id,
        name=name,
        issued_at=row.asked_at,
        expires_at=row.expires_at,
        arguments=arguments,
    )
    left_s = max(1, round((row.expires_at - now).total_seconds()))
    made = []
    for device in kitchens.agents_of(conn, row.site):
        agent = row.identity.sibling(device)
        payload = encode(Channel.COMMANDS.value, agent, order, event_id=order_id, at=now)
        topic = device_topic(agent, Channel.COMMANDS)
        made.append(Outbound(topic, payload, expiry_s=left_s))
    return made
