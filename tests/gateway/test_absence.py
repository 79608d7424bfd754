"""Tests of absence: one alert for a site, silence of a device, returns, and our own deafness."""

from datetime import datetime, timedelta

import msgspec
from gateway_town import COLD, NOON, canteen, device, market

from contracts.topics import Identity
from contracts.words import DeviceState
from gateway.alerts.absence import AbsenceState, Findings, Key, View, look
from gateway.alerts.book import RuleBook
from gateway.alerts.outcomes import Raise
from ledger.devices import Device

AGENT = canteen("agent")


class World:
    """Devices that can be heard and fall silent, and a watch that looks every ten seconds."""

    def __init__(self, book: RuleBook) -> None:
        self.book = book
        self.at = NOON
        self.listening_since = NOON
        self.states: dict[Key, AbsenceState] = {}
        self.unknown: list[Identity] = []
        self.devices: dict[Identity, Device] = {
            AGENT: device(AGENT, 90),
            COLD: device(COLD, 60),
            market("agent"): device(market("agent")),
        }

    def hear(self, *who: Identity) -> None:
        for one in who:
            self.change(one, last_seen_at=self.at)

    def change(self, who: Identity, **values: object) -> None:
        self.devices[who] = msgspec.structs.replace(self.devices[who], **values)

    def wait(self, seconds: int, *heard: Identity) -> list[tuple[str, str]]:
        """Time passes; returns what was raised and resolved, as (rule, device)."""
        told: list[tuple[str, str]] = []
        for _ in range(seconds // 10):
            self.at += timedelta(seconds=10)
            self.hear(*heard)
            told += self.look()
        return told

    def look(self) -> list[tuple[str, str]]:
        view = View(self.at, self.listening_since, list(self.devices.values()))
        found: Findings = look(self.book, view, self.states)
        self.states |= found.states
        self.unknown += found.unknown
        told = []
        for outcome in found.outcomes:
            rule, source, _ = outcome.fingerprint.split("|")
            word = "" if isinstance(outcome, Raise) else "~"
            told.append((word + rule, source.rpartition("/")[2]))
        return told


def test_silent_device_is_raised_once_and_resolved_on_return(book: RuleBook) -> None:
    world = World(book)
    assert world.wait(60, AGENT) == []
    assert world.wait(10, AGENT) == [("device_silent", "coldstore1")]
    assert world.wait(300, AGENT) == []
    assert world.wait(10, AGENT, COLD) == [("~device_silent", "coldstore1")]
    assert world.wait(60, AGENT, COLD) == []


def test_offline_agent_is_one_alert_for_the_site(book: RuleBook) -> None:
    world = World(book)
    world.change(AGENT, state=DeviceState.OFFLINE)
    assert world.wait(20) == []
    assert world.wait(10) == [("agent_offline", "agent")]
    assert world.unknown == [AGENT]
    assert world.wait(600) == []
    world.change(AGENT, state=DeviceState.ONLINE)
    world.hear(AGENT)
    assert world.look() == [("~agent_offline", "agent")]
    # Its devices have their time anew before silence counts.
    assert world.wait(60, AGENT) == []
    assert world.wait(10, AGENT) == [("device_silent", "coldstore1")]


def test_short_loss_of_the_agent_is_no_alert(book: RuleBook) -> None:
    world = World(book)
    world.change(AGENT, state=DeviceState.OFFLINE)
    assert world.wait(10, COLD) == []
    world.change(AGENT, state=DeviceState.ONLINE)
    assert world.wait(60, AGENT, COLD) == []


def test_agent_that_says_nothing_is_offline_too(book: RuleBook) -> None:
    world = World(book)
    told = world.wait(90, COLD)
    assert told == []
    assert world.wait(40, COLD) == [("agent_offline", "agent")]


def test_our_own_deafness_is_not_their_silence(book: RuleBook) -> None:
    world = World(book)
    world.at += timedelta(hours=5)
    world.listening_since = world.at
    assert world.look() == []
    assert world.wait(60, AGENT) == []
    assert world.wait(10, AGENT) == [("device_silent", "coldstore1")]


def test_devices_without_a_limit_may_be_silent(book: RuleBook) -> None:
    world = World(book)
    world.change(COLD, silent_after_s=None)
    assert world.wait(3600, AGENT) == []


def test_device_that_is_registered_no_longer_is_not_missing(book: RuleBook) -> None:
    world = World(book)
    world.wait(70, AGENT)
    del world.devices[COLD]
    assert world.look() == [("~device_silent", "coldstore1")]
    assert world.look() == []


def test_words_say_how_long(book: RuleBook) -> None:
    world = World(book)
    world.at = NOON + timedelta(minutes=30)
    states: dict[Key, AbsenceState] = {}
    view = View(world.at, NOON, [device(COLD, 60), device(AGENT)])
    (raised,) = look(book, view, states).outcomes
    assert isinstance(raised, Raise)
    assert raised.summary_zh == "一号冷库 已 30 分钟 没有任何数据，状态未知。"
    assert raised.summary_en == "Nothing heard of 一号冷库 for 30 min; its state is unknown."
    assert isinstance(raised.at, datetime) and raised.facts["silent_after_s"] == 60
