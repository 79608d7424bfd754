"""Statuses in bulk: a batch says what its statuses say in turn, and gateways don't deadlock."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledger_town import AGENT, AT, CAMERA, READER, after, build, result

from contracts.events import Numbering, Status
from contracts.topics import Identity
from contracts.words import DeviceState
from ledger import devices, journal, results, sites, statuses
from ledger.engine import Engine, writing
from ledger.statuses import Told

STRANGER = AGENT.sibling("stranger")
SECONDS = st.integers(0, 4)
STATUSES = st.builds(
    Status,
    state=st.sampled_from((DeviceState.ONLINE, DeviceState.DEGRADED, DeviceState.OFFLINE)),
    at=SECONDS.map(after),
    detail=st.sampled_from(("", "串口断开", "a\0b")),
    epoch=st.sampled_from(("", "e1")),
    lowest_unreceipted=st.sampled_from((None, 1, 2**53)),
    oldest_unsent_age_s=st.sampled_from((0.0, 5, 1e300)),
    backlog=st.integers(0, 2),
    clock_offset_s=st.sampled_from((None, 1, -0.5)),
    figures=st.sampled_from(({}, {"帧率": 2.5})),
    numbering=st.sampled_from(((), (Numbering(epoch="e1", given=7, begun_at=AT),))),
)
TOLD = st.builds(
    Told, st.sampled_from((AGENT, READER, STRANGER)), STATUSES, SECONDS.map(after), st.booleans()
)
HEALTH = ("discarded_bytes", "clock_offset_s", "figures")
OUTBOX = ("epoch", "lowest_unreceipted", "oldest_unsent_age_s", "backlog", "numbering")


class Undo(Exception):
    """Raised to leave a ledger as it was."""


def expected(told: list[Told]) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    """What three devices should say after these statuses, and what the journal should."""
    rows: dict[str, Any] = {
        who.device: {"state": DeviceState.UNKNOWN, "state_detail": ""} for who in (AGENT, READER)
    }
    noted = []
    for one in sorted(told, key=lambda one: one.who.device):
        status, row = one.status, rows.get(one.who.device)
        stale = one.only_news and row and row.get("state_at", status.at) >= status.at
        if row is None or (stale and "state_at" in row):
            continue
        if row.get("status_received_at", one.received_at) > one.received_at:
            continue
        detail = status.detail.replace("\0", "\ufffd")
        if (row["state"], row["state_detail"]) != (status.state, detail):
            noted.append((one.who.source, status.state.value, detail))
        row |= {"state": status.state, "state_detail": detail, "state_at": status.at}
        row |= {"status_received_at": one.received_at}
        row |= {name: getattr(status, name) for name in HEALTH}
        if status.state is not DeviceState.OFFLINE or status.epoch or status.numbering:
            row |= {name: getattr(status, name) for name in OUTBOX}
            row["waits"] = bool(status.backlog)
    return rows, noted


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts=st.lists(st.lists(TOLD, max_size=5), max_size=2))
def test_a_batch_says_what_its_statuses_say_in_turn(town: Engine, parts: list[list[Told]]) -> None:
    rows: dict[str, Any]
    # What a device says in the second batch counts after all of the first.
    rows, _ = expected([one for who in (AGENT, READER) for part in parts for one in of(part, who)])
    with pytest.raises(Undo), writing(town) as conn:
        changed = [statuses.take_over(conn, part) for part in parts]
        noted = [(row.ref, row.body["state"], row.body["detail"]) for row in journal.after(conn, 0)]
        for who in (AGENT, READER):
            row = devices.get(conn, who)
            assert row is not None
            found = msgspec.structs.asdict(row)
            found["waits"] = row.waiting_since is not None
            for name, value in rows[who.device].items():
                assert found[name] == value, name
        if len(parts) == 1:
            assert sorted(noted) == sorted(expected(parts[0])[1])
            assert [ref for ref, _, _ in noted] == sorted(ref for ref, _, _ in noted)
            assert {who.source for who in changed[0]} == {ref for ref, _, _ in noted}
        assert devices.get(conn, CAMERA).state_at is None  # type: ignore[union-attr]
        raise Undo


def of(part: list[Told], who: Identity) -> list[Told]:
    return [one for one in part if one.who == who]


def test_the_backlog_is_as_old_as_the_agent_says(town: Engine) -> None:
    status = Status(state=DeviceState.ONLINE, at=AT, backlog=3, oldest_unsent_age_s=7)
    gone = Status(state=DeviceState.OFFLINE, at=AT)
    with writing(town) as conn:
        told = [Told(AGENT, status, after(9)), Told(AGENT, gone, after(10))]
        assert statuses.take_over(conn, told) == {AGENT}
        row = devices.get(conn, AGENT)
        assert row is not None and (row.state, row.backlog) == (DeviceState.OFFLINE, 3)
        assert row.waiting_since == after(2)
        assert [one.body["state"] for one in journal.after(conn, 0)] == ["online", "offline"]


def test_a_status_of_another_region_changes_nothing(town: Engine) -> None:
    forged = Identity("440705", AGENT.site, AGENT.device)
    status = Status(state=DeviceState.ONLINE, at=AT)
    with writing(town) as conn:
        assert statuses.take_over(conn, [Told(forged, status, AT)]) == set()
        assert statuses.take_over(conn, []) == set()
        assert devices.get(conn, AGENT).state is DeviceState.UNKNOWN  # type: ignore[union-attr]


@pytest.mark.real
def test_gateways_that_write_the_same_devices_do_not_block_each_other(server_book: Engine) -> None:
    """Statuses, last-seen times and facts of the same devices, each in an order of its own.

    A deadlock would end one of the transactions with LedgerDown.
    """

    # Capitals, digits and hyphens: databases and Python sort them differently.
    names = [f"{letter}{dash}{n}" for n in range(4) for letter in "aBc" for dash in ("", "-")]
    sites_ = ["Z-1", "a1", "pj-market-1"]
    with writing(server_book) as conn:
        build(conn)
        for site in sites_[:2]:
            place = sites.Site(site, AGENT.region, site, sites.SiteKind.CANTEEN)
            sites.add(conn, place)
        every = [Identity(AGENT.region, site, name) for site in sites_ for name in names]
        for who in every:
            kind = devices.DeviceKind.PROBE
            devices.add(conn, devices.Device(who.region, who.site, who.device, kind, "", AT))
    together = threading.Barrier(3)

    def work(number: int) -> None:
        shuffled = random.Random(number)
        for turn in range(12):
            mine = shuffled.sample(every, len(every))
            at = after(turn)
            status = Status(state=DeviceState.ONLINE, at=at, detail=f"{number}")
            together.wait(20)
            with writing(server_book) as conn:
                facts = [result(1 + number + 3 * turn, who) for who in mine[:4]]
                results.add(conn, facts)
                if turn % 3 == number:
                    for site in sorted(sites_):
                        agent = Identity(AGENT.region, site, "agent")
                        devices.set_site_unknown(conn, agent, "gone", at)
                else:
                    statuses.take_over(conn, [Told(who, status, at) for who in mine])
            with writing(server_book) as conn:
                devices.mark_seen(conn, dict.fromkeys(mine, at))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, range(3)))
    with writing(server_book) as conn:
        known = devices.registry(conn)
        assert {known[who].last_seen_at for who in every} == {after(11)}
