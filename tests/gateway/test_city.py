"""Tests of a city as deploy/ sets it up: its own configuration files, three gateways, one dies.

mosquitto with TLS and access rules, PostgreSQL, InfluxDB with sign-in, console: each is started
with the file of `deploy/`, only addresses, folders and memory are changed.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from broker_parts import DEPLOY as MOSQUITTO
from broker_parts import OTHER, SITE, City, Client
from gateway_process import GatewayProcess, SendingAgent, until
from gateway_town import COLD, NOON, READER, build, canteen, make_ledger, market, readings, result
from servers import Influx, Postgres, Server, ask
from sqlalchemy import text

from contracts.envelope import decode
from contracts.events import Alert
from contracts.words import Verdict
from gateway.accounts.access import SERVICE_RULES, site_rules
from ledger import alerts, results, rule_state
from ledger.broker_names import scope_of
from ledger.broker_secrets import ROUNDS
from ledger.engine import Engine, open_engine, reading, writing

pytestmark = [pytest.mark.real, pytest.mark.slow]

DEPLOY = MOSQUITTO.parent / "city"
SECRET = "of the influx"


class CityPostgres(Postgres):
    """PostgreSQL with every setting of the city's, but less memory."""

    def command(self) -> list[str]:
        command = super().command()
        for line in (DEPLOY / "postgresql.conf").read_text("utf-8").splitlines():
            if re.match(r"\w+ = ", line) and not line.startswith(("shared_buffers", "fsync")):
                name, _, value = line.partition(" = ")
                command += ["-c", f"{name}={value.strip(chr(39))}"]
        return command


class CityInflux(Influx):
    """InfluxDB with the city's file, in folders of its own."""

    def command(self) -> list[str]:
        command = super().command()
        text = (DEPLOY / "influxdb.conf").read_text("utf-8")
        text = text.replace("/var/lib/influxdb", str(self.folder))
        text = text.replace('":8086"', f'"127.0.0.1:{self.port}"')
        text = text.replace("127.0.0.1:8088", f"127.0.0.1:{self.rpc_port}")
        (self.folder / "influxdb.conf").write_text(text, "utf-8")
        return command

    def count(self, measurement: str, field: str) -> int:
        query = f'SELECT count("{field}") FROM "{measurement}"'
        found = json.loads(ask(self.url, query, db="foodsentry", u="gateway", p=SECRET))
        series = found["results"][0].get("series")
        return int(series[0]["values"][0][1]) if series else 0


class Console(Server):
    """The server with the city's file."""

    def __init__(self, folder: Path, text: str) -> None:
        super().__init__(folder)
        self.settings = folder / "server.toml"
        self.settings.write_text(text.replace("port = 8000", f"port = {self.port}"), "utf-8")

    def command(self) -> list[str]:
        return [sys.executable, "-m", "foodsentry.cli", "server", "run", str(self.settings)]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    with CityPostgres(tmp_path / "postgres") as postgres:
        url = postgres.create_database()
        make_ledger(url, build)
        yield url


@pytest.fixture
def book(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The town's ledger; on the city's own server if the test asks for that as well."""
    own = "database" in request.fixturenames
    engine = open_engine(request.getfixturevalue("database" if own else "town_database"))
    yield engine
    engine.dispose()


def settings(name: str, folder: Path, influx: Influx) -> str:
    """A settings file of deploy/city, with the addresses and secrets of this test."""
    text = (DEPLOY / name).read_text("utf-8")
    text = text.replace("influx.example:8086", f"127.0.0.1:{influx.port}")
    for file in ("ledger.url", "influx.password", "gateway.password", "ca.crt"):
        text = text.replace(f'"{file}"', f'"{folder / file}"')
    return text


def gateway(number: int, folder: Path, city: City, influx: Influx) -> GatewayProcess:
    made = GatewayProcess(folder / f"gateway-{number}", city.port, "")
    text = settings("gateway.toml", city.folder, influx)
    text = text.replace("mqtt.example", "127.0.0.1").replace("port = 8883", f"port = {city.port}")
    text = text.replace("gateway-1", f"gateway-{number}").replace(
        "port = 8001", f"port = {made.port}"
    )
    made.settings.write_text(text, "utf-8")
    return made


def publisher(book: Engine) -> str:
    """The gateway that holds the lease to publish alerts."""
    key = ("gateway.publisher", "lease")
    with reading(book) as conn:
        return str(rule_state.get(conn, [key], lock=False)[key].get("owner", ""))


@pytest.mark.timeout(240)
def test_three_gateways_and_the_one_that_publishes_dies(
    book: Engine, database: str, tmp_path: Path
) -> None:
    city = City(tmp_path / "city", book)
    city.passwords["reader"] = city.password("reader")
    city.write()
    (city.folder / "ledger.url").write_text(database, "utf-8")
    (city.folder / "gateway.password").write_text(city.passwords["gateway"], "utf-8")
    (city.folder / "influx.password").write_text(SECRET, "utf-8")
    with city.broker, CityInflux(tmp_path / "influx") as influx:
        ask(influx.url, f"CREATE USER gateway WITH PASSWORD '{SECRET}' WITH ALL PRIVILEGES")
        ask(influx.url, "CREATE DATABASE foodsentry", u="gateway", p=SECRET)
        gateways = [gateway(number, tmp_path, city, influx) for number in (1, 2, 3)]
        display = Client(city.port, city.tls, "reader", city.passwords["reader"])
        display.listen("fs/v1/+/+/alerts/+")
        console = Console(tmp_path, settings("server.toml", city.folder, influx))
        mine = SendingAgent(
            city.port,
            market("agent"),
            window=60,
            tls=city.tls,
            login=(SITE, city.passwords[SITE]),
        )
        its = SendingAgent(city.tls_port, canteen("agent"), tls=city.certificate(OTHER))
        with ExitStack() as opened:
            for server in (*gateways, console):
                opened.callback(server.stop)
            with ThreadPoolExecutor(4) as starting:  # each takes its time to load
                list(starting.map(lambda server: server.start(), (*gateways, console)))
            agent, other = opened.enter_context(mine), opened.enter_context(its)
            until(lambda: all(each.well() for each in gateways), 60)
            until(lambda: publisher(book))
            for index in range(240):
                at = NOON + timedelta(seconds=index)
                agent.put(READER, result(at=at))
                other.put(COLD, readings((index * 60, 9.5)))
            until(lambda: agent.unreceipted < 160, 60)
            name = publisher(book)
            victim = gateways[int(name.rpartition("-")[2]) - 1]
            victim.kill()  # and it never comes back
            until(lambda: not agent.unreceipted and not other.unreceipted, 90)
            agent.put(READER, result(Verdict.PASS, "1.00"))
            until(lambda: not agent.unreceipted)
            alive = [each for each in gateways if each is not victim]
            assert all(each.metric("receipted_events_total") > 0 for each in alive), "all took part"
            with reading(book) as conn:
                stored = results.list_in(conn, ["440703"], limit=10_000)
                raised = alerts.list_in(conn, None, limit=10_000)
            assert sorted(row.sequence for row in stored) == list(range(1, 242))
            assert [row.count for row in raised] == [1] * 241
            assert sum(row.rule == "cold_store_warm" for row in raised) == 1
            assert influx.count("tests", "number") == 241
            assert influx.count("readings", "value") == 240
            until(lambda: publisher(book) not in ("", name), 40)
            wanted = {row.alert_id for row in raised}
            until(lambda: wanted <= {topic.rpartition("/")[2] for topic, _ in display.got}, 40)
            told = [decode(payload).data for _, payload in display.got]
            assert all(isinstance(one, Alert) for one in told)
            assert console.ready()
        display.close()
    for each in gateways:
        assert "Traceback" not in each.log.read_text("utf-8")


def test_what_emqx_asks_is_what_mosquitto_is_told(book: Engine, tmp_path: Path) -> None:
    """The views of deploy/city/emqx on the real PostgreSQL."""
    city = City(tmp_path / "city", book)
    with writing(book) as conn:
        for statement in (DEPLOY / "emqx" / "views.sql").read_text("utf-8").split(";\n"):
            if statement.strip():
                conn.execute(text(statement))
    city.revoke(OTHER)
    actions = {
        "deny": ("deny", "publish"),
        "write": ("allow", "publish"),
        "read": ("allow", "subscribe"),
    }
    with reading(book) as conn:
        users = {row.username: row for row in conn.execute(text("SELECT * FROM emqx_users"))}
        found = conn.execute(text("SELECT * FROM emqx_rules ORDER BY turn")).all()
    assert OTHER not in users and not any(row.username == OTHER for row in found)
    kept = users[SITE]
    secret = city.passwords[SITE].encode()
    key = hashlib.pbkdf2_hmac("sha512", secret, kept.salt.encode(), ROUNDS, 64)
    assert key.hex() == kept.password_hash, (
        "as EMQX computes it: the salt is text, the key hexadecimal"
    )
    for name in users:
        scope = scope_of(name)
        place = f"{scope.region}/{scope.site}"
        rules = site_rules(place) if scope.region else SERVICE_RULES[name]
        wanted = {(*actions[right], f"fs/v1/{topic}") for right, topic in rules}
        given = [(row.permission, row.action, row.topic) for row in found if row.username == name]
        assert set(given) == wanted and len(given) == len(wanted)
        assert [one[0] for one in given] == sorted((one[0] for one in given), reverse=True)
