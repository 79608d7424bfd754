"""Tests of deploy/mosquitto on the real mosquitto: who may publish and read what."""

from collections.abc import Iterator

import pytest
from broker_parts import DEPLOY, Client, plain_settings
from gateway_process import until
from servers import Mosquitto

pytestmark = pytest.mark.real

USERS = ("gateway", "server", "reader", "440703/market1", "440703/canteen1", "+/+", "440703/#")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """The city's mosquitto as deployed, but on loopback without TLS, in a folder of its own."""
    folder = tmp_path_factory.mktemp("city")
    folder.chmod(0o755)
    settings = plain_settings(folder, USERS, DEPLOY / "foodsentry.acl")
    with Mosquitto(folder, settings) as server:
        yield server


@pytest.fixture
def users(broker: Mosquitto) -> Iterator[dict[str, Client]]:
    made = {name: Client(broker.port, None, name, "secret") for name in USERS}
    yield made
    for user in made.values():
        user.close()


def test_wrong_password_is_refused(broker: Mosquitto) -> None:
    user = Client(broker.port, None, "440703/market1", "guess")
    assert user.connected == ["Not authorized"]
    user.client.loop_stop()


def test_agent_publishes_only_its_own_sites_facts(users: dict[str, Client]) -> None:
    agent = users["440703/market1"]
    for channel in ("readings", "tests", "observations", "evidence", "samples", "status", "looks"):
        assert agent.may_publish(f"fs/v1/440703/market1/reader1/{channel}")
        assert not agent.may_publish(f"fs/v1/440703/canteen1/reader1/{channel}")
        assert not agent.may_publish(f"fs/v1/440704/market1/reader1/{channel}")
        assert not agent.may_publish(f"fs/v1/440703/market1/alerts/{channel}")
        assert not agent.may_publish(f"fs/v1/440703/market1/notices/{channel}")
    for topic in (
        "fs/v1/440703/market1/alerts/a1",
        "fs/v1/440703/market1/notices/n1",
        "fs/v1/440703/market1/agent/receipts",
        "fs/v1/440703/market1/agent/commands",
        "fs/v1/440703/market1/agent/config",
        "fs/v1/440703/market1/agent/room",
        "anything",
    ):
        assert not agent.may_publish(topic)


def test_agent_reads_only_its_own(users: dict[str, Client]) -> None:
    agent = users["440703/market1"]
    agent.listen("#")
    mine = [
        "fs/v1/440703/market1/agent/receipts",
        "fs/v1/440703/market1/agent/commands",
        "fs/v1/440703/market1/agent/config",
        "fs/v1/440703/market1/agent/room",
        "fs/v1/440703/market1/alerts/a1",
    ]
    for topic in [*(topic.replace("market1", "canteen1") for topic in mine), *mine]:
        sender = users["server" if topic.endswith("config") else "gateway"]
        assert sender.may_publish(topic)
    until(lambda: len(agent.topics) >= len(mine))
    assert agent.topics == mine


def test_gateway_hears_facts_and_does_not_make_them(users: dict[str, Client]) -> None:
    gateway, agent = users["gateway"], users["440703/market1"]
    gateway.listen("$share/gateway/fs/v1/+/+/+/tests")
    gateway.listen("fs/v1/+/+/+/status")
    assert agent.may_publish("fs/v1/440703/market1/reader1/tests")
    assert agent.may_publish("fs/v1/440703/market1/reader1/status")
    until(lambda: len(gateway.got) >= 2)
    for channel in ("tests", "status", "looks", "config"):
        assert not gateway.may_publish(f"fs/v1/440703/market1/reader1/{channel}")


def test_server_writes_configurations_and_nothing_else(users: dict[str, Client]) -> None:
    server, agent, gateway = users["server"], users["440703/market1"], users["gateway"]
    server.listen("#")
    assert agent.may_publish("fs/v1/440703/market1/reader1/tests")
    assert gateway.may_publish("fs/v1/440703/market1/agent/receipts")
    assert server.may_publish("fs/v1/440703/market1/agent/config")
    for channel in ("tests", "status", "receipts", "commands"):
        assert not server.may_publish(f"fs/v1/440703/market1/agent/{channel}")
    assert not server.may_publish("fs/v1/440703/market1/alerts/a1")
    assert server.topics == []


def test_wildcards_in_a_user_name_open_nothing(users: dict[str, Client]) -> None:
    assert not users["+/+"].may_publish("fs/v1/440703/market1/reader1/tests")
    assert not users["440703/#"].may_publish("fs/v1/440703/market1/reader1/tests")


def test_reader_follows_alerts_and_notices_only(users: dict[str, Client]) -> None:
    reader, gateway, agent = users["reader"], users["gateway"], users["440703/market1"]
    reader.listen("#")
    assert agent.may_publish("fs/v1/440703/market1/reader1/tests")
    assert gateway.may_publish("fs/v1/440703/market1/alerts/a1")
    assert gateway.may_publish("fs/v1/440703/market1/notices/n1")
    until(lambda: "fs/v1/440703/market1/notices/n1" in reader.topics)
    assert set(reader.topics) <= {
        "fs/v1/440703/market1/alerts/a1",
        "fs/v1/440703/market1/notices/n1",
        "fs/v1/440703/market1/reader1/status",
    }
    assert not reader.may_publish("fs/v1/440703/market1/alerts/a1")
    assert not reader.may_publish("fs/v1/440703/market1/notices/n1")
