"""What happens to the chaos city while facts are under way: one function for each scenario."""

import random
import time
from collections.abc import Callable

import pytest
from chaos_city import City
from servers import Server

KEEPALIVE_OUT_S = 8.0
"""Longer than the broker waits for a client that says nothing (1.5 × 5 s)."""


def agent_killed(city: City) -> None:
    for room in city.rooms * 2:
        city.measure()
        city.kill(room)
        city.measure()
        room.start()
        time.sleep(1.5)


def agent_paused(city: City) -> None:
    city.pause(*city.rooms)
    city.measure()
    time.sleep(KEEPALIVE_OUT_S)
    city.go_on(*city.rooms)


def agent_restarted(city: City) -> None:
    for room in city.rooms:
        city.measure()
        city.restart(room)


def broker_killed_memory_lost(city: City) -> None:
    for _ in range(2):
        city.kill(city.broker)
        city.forget()
        city.measure()
        city.broker.start()
        time.sleep(3)


def broker_killed(city: City) -> None:
    """It comes back with what it had saved some seconds before."""
    time.sleep(3)
    city.kill(city.broker)
    city.measure()
    city.broker.start()


def broker_paused(city: City) -> None:
    city.pause(city.broker)
    city.measure()
    time.sleep(KEEPALIVE_OUT_S)
    city.go_on(city.broker)


def broker_restarted(city: City) -> None:
    city.restart(city.broker)


def gateways_killed_in_turn(city: City) -> None:
    for gateway in city.gateways * 2:
        city.measure()
        city.kill(gateway)
        time.sleep(1)
        gateway.start()


def gateways_killed_together(city: City) -> None:
    city.kill(*city.gateways)
    city.measure()
    time.sleep(2)
    for gateway in city.gateways:
        gateway.start()


def gateway_paused(city: City) -> None:
    """The broker gives it up, and gives what it held to nobody; it wakes into a new connection."""
    city.pause(city.gateways[0])
    city.measure()
    time.sleep(KEEPALIVE_OUT_S)
    city.go_on(city.gateways[0])


def gateways_restarted(city: City) -> None:
    city.restart(*city.gateways)


def influx_killed(city: City) -> None:
    city.kill(city.influx)
    city.measure()
    time.sleep(4)
    with city.standing():
        city.influx.start()


def influx_dead_while_others_die(city: City) -> None:
    """What is only taken in survives gateways and agents that forget what they were told."""
    city.kill(city.influx)
    city.measure()
    time.sleep(4)
    city.kill(*city.gateways, city.rooms[0])
    city.measure()
    for part in (*city.gateways, city.rooms[0]):
        part.start()
    time.sleep(4)
    with city.standing():
        city.influx.start()


def influx_paused_then_killed(city: City) -> None:
    """What the gateways have on the way to it dies with it, and nothing of that was promised."""
    city.pause(city.influx)
    city.measure()
    time.sleep(6)
    with city.standing():
        city.kill(city.influx)
        city.influx.start()


def influx_paused(city: City) -> None:
    city.pause(city.influx)
    time.sleep(6)
    city.go_on(city.influx)


def influx_restarted(city: City) -> None:
    city.restart(city.influx)


def postgres_killed(city: City) -> None:
    city.kill(city.postgres)
    city.measure()
    time.sleep(3)
    with city.standing():
        city.postgres.start()
        city.engine.dispose()


def postgres_paused(city: City) -> None:
    city.pause(city.postgres)
    city.measure()
    time.sleep(6)
    city.go_on(city.postgres)


def postgres_restarted(city: City) -> None:
    city.restart(city.postgres)
    city.engine.dispose()


def server_killed(city: City) -> None:
    city.kill(city.server)
    city.measure()
    time.sleep(2)
    city.server.start()


def server_paused(city: City) -> None:
    city.pause(city.server)
    city.measure()
    time.sleep(5)
    city.go_on(city.server)


def server_restarted(city: City) -> None:
    city.restart(city.server)


def edge_line_cut(city: City) -> None:
    for _ in range(3):
        city.edge_line.cut()
        city.measure()
        time.sleep(1.5)
        city.edge_line.mend()
        time.sleep(1.5)


def edge_line_silent(city: City) -> None:
    """Nothing comes through and nobody is told; then it breaks."""
    city.edge_line.silence()
    city.measure()
    time.sleep(KEEPALIVE_OUT_S)
    city.edge_line.cut()
    city.edge_line.mend()


def edge_line_slow(city: City) -> None:
    city.edge_line.slow(4000, 0.3)
    city.measure()
    time.sleep(8)
    city.edge_line.mend()


def city_line_cut(city: City) -> None:
    for _ in range(3):
        city.city_line.cut()
        city.measure()
        time.sleep(1)
        city.city_line.mend()
        time.sleep(2)


def series_line_slow(city: City) -> None:
    city.series_line.slow(6000, 0.5)
    city.measure()
    time.sleep(8)
    with city.standing():
        pass
    city.series_line.mend()


def series_line_cut(city: City) -> None:
    city.series_line.cut()
    city.measure()
    time.sleep(4)
    with city.standing():
        pass
    city.series_line.mend()


def agents_disk_full(city: City) -> None:
    """The instrument keeps what the outbox cannot; a kill with a full disk changes nothing."""
    room = city.rooms[0]
    if not room.disk.usable:
        pytest.skip("mounting a small disk needs root")
    room.disk.fill()
    city.measure()
    time.sleep(3)
    city.kill(room)
    room.start()
    city.measure()
    time.sleep(3)
    room.disk.free()


def influx_disk_full(city: City) -> None:
    """InfluxDB 1.6 goes on refusing when there is room again, until somebody restarts it.

    And it must be restarted twice before anything is written: the first start cuts the damaged end
    off its log, but then writes on where the end had been, and the next start cuts that off as well
    (docs/chaos.md).
    """
    if not city.influx_disk.usable:
        pytest.skip("mounting a small disk needs root")
    city.influx_disk.fill()
    city.measure()
    time.sleep(5)
    with city.standing():
        pass
    with city.standing():
        city.influx_disk.free()
        city.restart(city.influx)
        city.restart(city.influx)


def clock_jumps(city: City) -> None:
    """An agent's clock, ahead by two hours, back by a day, then right."""
    room = city.rooms[0]
    for ahead_s in (7200, -86_400, 0):
        room.clock(ahead_s)
        city.measure()
        time.sleep(2)


def everything(city: City) -> None:
    """Each part once, in an order of chance, the next before the last has come to itself."""
    chance = random.Random(20)
    kills: list[Callable[[], None]] = []
    parts: list[Server] = [*city.gateways, city.influx, city.server, *city.rooms]
    for part in parts:
        kills.append(lambda part=part: (city.kill(part), part.start()))  # type: ignore[misc]
    kills.append(lambda: postgres_killed(city))
    kills.append(lambda: (city.kill(city.broker), city.forget(), city.broker.start()))  # type: ignore[arg-type, return-value]
    kills.append(lambda: (city.edge_line.cut(), time.sleep(1), city.edge_line.mend()))  # type: ignore[arg-type, func-returns-value, return-value]
    chance.shuffle(kills)
    for kill in kills:
        city.measure(1)
        kill()


def each_part_once(city: City) -> None:
    """The short suite: every part is killed once, the stores while their promises are audited."""
    city.kill(city.broker)
    city.forget()
    city.measure()
    city.broker.start()
    city.kill(city.rooms[0], city.gateways[0])
    city.measure()
    city.rooms[0].start()
    city.kill(city.influx)
    time.sleep(2)
    with city.standing():
        city.influx.start()
    city.gateways[0].start()
    city.kill(city.server)
    postgres_killed(city)
    city.server.start()
    edge_line_cut_once(city)


def edge_line_cut_once(city: City) -> None:
    city.edge_line.cut()
    city.measure()
    time.sleep(1)
    city.edge_line.mend()


SCENARIOS: dict[str, Callable[[City], None]] = {
    "agents killed, twice each": agent_killed,
    "agents paused for 8 s": agent_paused,
    "agents restarted": agent_restarted,
    "broker killed twice, its memory lost": broker_killed_memory_lost,
    "broker killed": broker_killed,
    "broker paused for 8 s": broker_paused,
    "broker restarted": broker_restarted,
    "gateways killed in turn, twice each": gateways_killed_in_turn,
    "both gateways killed": gateways_killed_together,
    "a gateway paused for 8 s": gateway_paused,
    "gateways restarted": gateways_restarted,
    "InfluxDB killed": influx_killed,
    "InfluxDB dead, gateways and an agent killed": influx_dead_while_others_die,
    "InfluxDB paused for 6 s, then killed": influx_paused_then_killed,
    "InfluxDB paused for 6 s": influx_paused,
    "InfluxDB restarted": influx_restarted,
    "PostgreSQL killed": postgres_killed,
    "PostgreSQL paused for 6 s": postgres_paused,
    "PostgreSQL restarted": postgres_restarted,
    "server killed": server_killed,
    "server paused for 5 s": server_paused,
    "server restarted": server_restarted,
    "agents' network cut three times": edge_line_cut,
    "agents' network silent for 8 s": edge_line_silent,
    "agents' network at 4 kB/s": edge_line_slow,
    "gateways' network cut three times": city_line_cut,
    "network to InfluxDB cut": series_line_cut,
    "network to InfluxDB at 6 kB/s": series_line_slow,
    "an agent's disk full, and the agent killed": agents_disk_full,
    "InfluxDB's disk full, then restarted twice": influx_disk_full,
    "an agent's clock jumps 2 h ahead, a day back": clock_jumps,
    "every part killed, in an order of chance": everything,
}
