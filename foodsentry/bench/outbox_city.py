"""A city in a process of its own for the outbox's benchmark: receipts at once, notes alarms."""

import queue
import threading
import time
from datetime import datetime
from multiprocessing.connection import Connection

import msgspec

from contracts.clock import utc_now
from contracts.envelope import decode_envelope
from contracts.mqtt_settings import MqttSettings
from contracts.topics import UPLINK_CHANNELS, Channel, channel_filter
from gateway.broker import Broker, Inbound
from gateway.receipts import receipts
from ledger.intake import Key

PAUSE_S = 0.02


class Told(msgspec.Struct, frozen=True):
    """What arrived since the last answer."""

    events: int
    alarms: dict[datetime, float]
    """When each test result came (monotonic seconds), by its event's time."""


def run_city(port: int, pipe: Connection) -> None:
    """Work until the pipe is closed; each word in the pipe is answered with `Told`."""
    arrived: queue.SimpleQueue[tuple[float, list[Inbound]]] = queue.SimpleQueue()
    broker = Broker(
        MqttSettings(port=port),
        client_id="bench-city",
        password=None,
        tls=None,
        subscriptions=[channel_filter(channel) for channel in UPLINK_CHANNELS],
        receive_maximum=2000,
        session_expiry_s=0,
        deliver=lambda messages: arrived.put((time.monotonic(), messages)),
        full=lambda: False,
        clock=utc_now,
    )
    broker.start()
    stop, lock = threading.Event(), threading.Lock()
    alarms: dict[datetime, float] = {}
    events = 0

    def receipt() -> None:
        nonlocal events
        while not stop.wait(PAUSE_S):
            parts = [arrived.get() for _ in range(arrived.qsize())]
            batch = [(at, message) for at, part in parts for message in part]
            if not batch:
                continue
            stored: dict[Key, list[int]] = {}
            tests = {}
            for at, message in batch:
                envelope = decode_envelope(message.payload)
                agent = envelope.identity.sibling(envelope.agent)
                stored.setdefault((agent, envelope.epoch), []).append(envelope.sequence)
                if envelope.kind == Channel.TESTS:
                    tests[envelope.time] = at
            broker.acknowledge([message for _, message in batch])
            broker.publish(receipts(stored, utc_now()))
            with lock:
                events += len(batch)
                alarms.update(tests)

    thread = threading.Thread(target=receipt)
    thread.start()
    while broker.trouble:
        time.sleep(0.01)
    pipe.send("listening")
    try:
        while True:
            pipe.recv()
            with lock:
                told, events, alarms_told, alarms = events, 0, alarms, {}
            pipe.send(Told(told, alarms_told))
    except EOFError:
        pass
    finally:
        stop.set()
        thread.join()
        broker.stop()
