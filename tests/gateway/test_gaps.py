"""What does not arrive and what is lost is alerted once, resolved when it is over, and told."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from gateway_town import CANTEEN, NOON, canteen, inbound, registry

from contracts.events import Numbering, Status
from contracts.words import AlertState, DeviceState
from foodsentry.cli import main
from gateway.alerts.book import RuleBook
from gateway.health import Health
from gateway.intake.store import take_in
from gateway.metrics import Metrics
from gateway.registry import Devices
from gateway.unpack import Accepted, unpack
from gateway.watch import Watch
from ledger import alerts, intake
from ledger.alerts import AlertRow
from ledger.engine import Engine, reading, writing

AGENT = canteen("agent")


class Town:
    """A ledger with two gateways' watches, and an agent that says how it is."""

    def __init__(self, ledger: Engine, book: RuleBook) -> None:
        self.ledger, self.book, self.at = ledger, book, NOON
        self.watches = [
            Watch(
                ledger,
                Devices(ledger),
                book,
                every_s=1,
                gaps_every_s=1,
                listening_since=lambda: NOON,
                on_alerts=lambda: None,
                metrics=Metrics(),
                health=Health(),
                clock=lambda: self.at,
            )
            for _ in range(2)
        ]

    def says(self, state: DeviceState = DeviceState.ONLINE, **told: object) -> None:
        self.at += timedelta(seconds=60)
        status = Status(state, self.at, **{"epoch": "e1", **told})  # type: ignore[arg-type]
        message = inbound(AGENT, status, at=self.at, received_at=self.at)
        unpacked = unpack(message, registry())
        assert isinstance(unpacked, Accepted)
        with writing(self.ledger) as conn:
            take_in(conn, [unpacked], [], self.book, self.at)
        for watch in self.watches:
            watch.look_once()

    def alerts(self) -> list[AlertRow]:
        with reading(self.ledger) as conn:
            return [one for one in alerts.list_in(conn, None) if one.site == CANTEEN]


@pytest.fixture
def town(ledger: Engine, book: RuleBook) -> Town:
    return Town(ledger, book)


def numbered(given: int, epoch: str = "e1") -> Numbering:
    return Numbering(epoch, NOON, given)


def test_a_backlog_that_grows_old_is_alerted_once_until_it_is_gone(town: Town) -> None:
    def waits(age_s: float) -> dict[str, object]:
        told = {"backlog": 7, "lowest_unreceipted": 1, "detail": "no receipts"}
        return told | {"oldest_unsent_age_s": age_s}

    town.says(**waits(600))
    assert town.alerts() == []
    town.says(**waits(1900))
    town.says(**waits(1960))
    (alert,) = town.alerts()
    assert (alert.rule, alert.state, alert.count) == ("data_waiting", AlertState.FIRING, 1)
    assert "7 条数据" in alert.summary_zh and "32 分钟" in alert.summary_zh
    assert "no receipts" in alert.summary_en
    town.says(**waits(1700))
    assert town.alerts()[0].state is AlertState.FIRING, "no flapping at the limit"
    town.says(backlog=0, lowest_unreceipted=8)
    assert town.alerts()[0].state is AlertState.RESOLVED


def test_a_backlog_that_grows_large_is_alerted_too(town: Town) -> None:
    town.says(backlog=150_000, lowest_unreceipted=1, oldest_unsent_age_s=70)
    assert [one.rule for one in town.alerts()] == ["data_waiting"]


def test_the_backlog_of_an_agent_that_is_gone_is_its_absence(town: Town) -> None:
    town.says(backlog=7, lowest_unreceipted=1, oldest_unsent_age_s=600)
    town.says(DeviceState.OFFLINE, epoch="")
    town.at += timedelta(days=1)
    for watch in town.watches:
        watch.look_once()
        watch.look_once()
    assert {one.rule for one in town.alerts()} <= {"agent_offline"}


def test_numbers_that_are_nowhere_are_alerted_and_the_alert_ends_when_they_are_found(
    town: Town,
) -> None:
    with writing(town.ledger) as conn:
        intake.claim(conn, AGENT, "e1", [*range(1, 11), *range(20, 31)])
    told = {"numbering": (numbered(30),), "lowest_unreceipted": 31}
    town.says(**told)
    town.says(**told)
    (alert,) = town.alerts()
    assert (alert.rule, alert.count, alert.state) == ("data_lost", 1, AlertState.FIRING)
    assert "9 条" in alert.summary_zh and "11-19" in alert.summary_zh
    town.says(epoch="", numbering=())
    assert town.alerts()[0].state is AlertState.FIRING, "silence about it is no finding"
    with writing(town.ledger) as conn:
        intake.claim(conn, AGENT, "e1", range(11, 20))
    town.says(**told)
    assert town.alerts()[0].state is AlertState.RESOLVED


def test_the_command_tells_it_in_one_query(
    town: Town, ledger_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ledger_file.parent / "gateway.toml"
    path.write_text('[ledger]\nurl = "sqlite:///ledger.db"\n[series]\npath = "s.db"\n', "utf-8")
    command = ["gateway", "missing", "--settings", str(path)]
    town.says(numbering=(numbered(5),), lowest_unreceipted=4, backlog=2)
    assert main([*command, "--region", "440703", "--json"]) == 1
    (gap,) = [one for one in json.loads(capsys.readouterr().out) if one["kind"] == "lost"]
    assert (gap["events"], gap["ranges"], gap["agent"]["site"]) == (3, [[1, 3]], CANTEEN)
    assert main(command) == 1
    assert f"lost\t{AGENT.source}\t3\tsince 2026-03-02 04:00:00 UTC\tepoch e1 1-3" in (
        capsys.readouterr().out
    )
    assert main([*command, "--region", "110000"]) == 2
    assert "110000 is not known" in capsys.readouterr().err
