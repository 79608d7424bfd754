"""Regions, establishments, sites, devices, officers, sessions and failed sign-ins."""

from datetime import timedelta

import pytest
from ledger_town import AGENT, AT, CAMERA, MARKET, OFFICER, READER, after

from contracts.events import Status
from contracts.identifiers import IdentifierError
from contracts.topics import Identity, TopicError
from contracts.words import DeviceState
from ledger import (
    devices,
    establishments,
    journal,
    logins,
    officers,
    regions,
    sessions,
    sites,
)
from ledger.engine import Engine, reading, writing


def test_region_tree(town: Engine) -> None:
    with reading(town) as conn:
        assert regions.subtree(conn, "440703") == ["440703", "440703-tangxia"]
        assert len(regions.subtree(conn, "440700")) == 4
        assert regions.subtree(conn, "999999") == []
        assert regions.ancestors(conn, "440703-tangxia") == ["440703-tangxia", "440703", "440700"]
        assert regions.ancestors(conn, "999999") == []
        assert regions.below_any(conn, ["440703", "440705"]) == [
            "440703",
            "440703-tangxia",
            "440705",
        ]
        assert [r.name_zh for r in regions.children(conn, None)] == ["江门市"]
        assert [r.code for r in regions.children(conn, "440700")] == ["440703", "440705"]


def test_regions_are_renewed_and_never_circular(town: Engine) -> None:
    with writing(town) as conn:
        regions.add(conn, regions.Region("440703", "蓬江", "P", "440700", "new"))
        assert regions.get(conn, "440703") == regions.Region("440703", "蓬江", "P", "440700", "new")
        with pytest.raises(ValueError, match="lies below it"):
            regions.add(conn, regions.Region("440700", "江门市", "J", "440703-tangxia"))
        with pytest.raises(ValueError, match="parent 1 is not known"):
            regions.add(conn, regions.Region("2", "x", "x", "1"))
        with pytest.raises(TopicError):
            regions.add(conn, regions.Region("a/b", "x", "x"))


def test_establishments(town: Engine) -> None:
    with writing(town) as conn:
        new = establishments.Establishment(
            name="新会一中食堂",
            kind=establishments.EstablishmentKind.CANTEEN,
            region="440705",
            credit_code="91440300708461136T",
            licence_number="JY34407050000001",
        )
        establishments.add(conn, new)
        assert establishments.get(conn, new.id) == new
        assert establishments.by_public_code(conn, new.public_code) == new
        assert establishments.by_public_code(conn, "nothing") is None
        assert [e.id for e in establishments.list_in(conn, ["440705"])] == [new.id]
        assert establishments.list_in(conn, []) == []
        assert establishments.count_in(conn, ["440705", "440703-tangxia"]) == 2
        everywhere = regions.subtree(conn, "440700")
        first, second = (establishments.list_in(conn, everywhere, 1, n) for n in (0, 1))
        assert {first[0].id, second[0].id} == {MARKET, new.id}
        with pytest.raises(IdentifierError):
            establishments.add(
                conn,
                establishments.Establishment(
                    name="x", kind=new.kind, region="440705", credit_code="91440300708461136X"
                ),
            )


def test_sites_and_stalls(town: Engine) -> None:
    with writing(town) as conn:
        found = sites.get(conn, "pj-market-1")
        assert found is not None and found.self_test
        assert sites.list_in(conn, ["440703-tangxia"]) == [found]
        assert sites.of_establishment(conn, MARKET) == [found]
        stalls = [sites.Stall("pj-market-1", label, keeper="陈") for label in ("A2", "A1")]
        sites.add_stalls(conn, stalls)
        assert sites.stalls(conn, "pj-market-1") == stalls[::-1]


def test_devices_and_what_is_heard_of_them(town: Engine) -> None:
    with writing(town) as conn:
        assert set(devices.registry(conn)) == {AGENT, READER, CAMERA}
        assert devices.get(conn, Identity("440705", READER.site, READER.device)) is None
        assert [d.device for d in devices.list_in(conn, site=AGENT.site)] == [
            "agent",
            "camera-1",
            "reader-1",
        ]
        assert devices.list_in(conn, ["440705"]) == []
        devices.mark_seen(conn, {AGENT: after(10), CAMERA: after(10)})
        devices.mark_seen(conn, {AGENT: after(5), Identity("x", "y", "z"): after(5)})
        assert devices.get(conn, AGENT).last_seen_at == after(10)  # type: ignore[union-attr]


def test_silence_is_found_to_the_microsecond(town: Engine) -> None:
    just_more = timedelta(microseconds=1)
    with writing(town) as conn:
        # Never heard: counted from registration.
        assert devices.silent(conn, after(60)) == []
        assert [d.device for d in devices.silent(conn, after(60) + just_more)] == ["agent"]
        devices.mark_seen(conn, {AGENT: after(100)})
        assert [d.device for d in devices.silent(conn, after(121))] == ["camera-1"]
        silent = devices.silent(conn, after(160) + just_more)
        assert [d.identity for d in silent] == [AGENT, CAMERA]


def test_what_was_registered_and_who_is_in_question(town: Engine) -> None:
    with writing(town) as conn:
        assert devices.registered(conn) == devices.registry(conn)
        assert [one.identity for one in devices.agents(conn)] == [AGENT]
        assert devices.doubtful(conn, after(60), []) == []
        devices.mark_seen(conn, {AGENT: after(100)})
        assert [d.device for d in devices.doubtful(conn, after(121), [])] == ["agent", "camera-1"]
        elsewhere = Identity("440705", READER.site, READER.device)
        found = devices.doubtful(conn, after(60), [READER, elsewhere])
        assert [one.identity for one in found] == [AGENT, READER]
        assert devices.registered(conn)[AGENT].last_seen_at is None


def test_status_is_journalled_when_it_changes(town: Engine) -> None:
    online = Status(
        state=DeviceState.ONLINE, at=AT, backlog=7, epoch="e1", figures={"fps": 2.5}, software="1"
    )
    with writing(town) as conn:
        assert devices.set_status(conn, AGENT, online, after(1))
        assert not devices.set_status(conn, AGENT, online, after(2))
        assert not devices.set_status(conn, Identity("r", "s", "d"), online, after(2))
        degraded = Status(state=DeviceState.DEGRADED, at=AT, detail="串口断开")
        assert devices.set_status(conn, AGENT, degraded, after(4))
        # One that was received before the one on file comes too late.
        assert not devices.set_status(conn, AGENT, online, after(3))
        found = devices.get(conn, AGENT)
        assert found is not None
        assert (found.state, found.state_detail) == (DeviceState.DEGRADED, "串口断开")
        assert (found.backlog, found.figures, found.status_received_at) == (0, {}, after(4))
        rows = journal.after(conn, 0)
    assert [(r.kind, r.ref, r.body["state"]) for r in rows] == [
        ("device", AGENT.source, "online"),
        ("device", AGENT.source, "degraded"),
    ]


def test_when_the_agent_is_gone_its_devices_are_unknown(town: Engine) -> None:
    online = Status(state=DeviceState.ONLINE, at=AT)
    with writing(town) as conn:
        for who in (AGENT, READER):
            devices.set_status(conn, who, online, after(1))
        assert devices.set_site_unknown(conn, AGENT, "agent is offline", after(9)) == 1
        assert devices.set_site_unknown(conn, AGENT, "agent is offline", after(9)) == 0
        states = {d.device: d.state.value for d in devices.list_in(conn, site=AGENT.site)}
        assert states == {"agent": "online", "reader-1": "unknown", "camera-1": "unknown"}
        assert journal.after(conn, 0)[-1].ref == READER.source


def test_officers_and_sessions(town: Engine) -> None:
    with writing(town) as conn:
        officer = officers.by_login(conn, "li")
        assert officer is not None and officer == officers.get(conn, OFFICER)
        officers.set_password(conn, OFFICER, "$argon2id$x")
        officers.set_active(conn, OFFICER, False)
        changed = officers.list_in(conn, ["440703-tangxia"])[0]
        assert (changed.password_hash, changed.active) == ("$argon2id$x", False)
        session = sessions.Session("hash", OFFICER, "csrf", AT, after(60), AT)
        sessions.add(conn, session)
        assert sessions.get(conn, "hash", after(59)) == session
        assert sessions.get(conn, "hash", after(60)) is None
        sessions.touch(conn, "hash", after(5))
        assert sessions.get(conn, "hash", AT).last_seen_at == after(5)  # type: ignore[union-attr]
        assert sessions.purge(conn, after(59)) == 0
        assert sessions.remove_of(conn, OFFICER) == 1
        sessions.add(conn, session)
        sessions.remove(conn, "hash")
        assert sessions.get(conn, "hash", AT) is None
        sessions.add(conn, session)
        assert sessions.purge(conn, after(60)) == 1


def test_failed_sign_ins_are_counted_by_login_and_by_address(town: Engine) -> None:
    with writing(town) as conn:
        for second, login in enumerate(["li", "li", "wang", "x" * 500 + "\0"]):
            logins.failed(conn, login, "10.0.0.1", after(second))
        counted = logins.recent_failures(conn, "li", "10.0.0.1", after(-1))
        assert (counted.by_login, counted.by_address, counted.last_at) == (2, 4, after(3))
        assert logins.recent_failures(conn, "li", "10.0.0.9", AT).by_login == 1
        logins.clear(conn, "li")
        assert logins.recent_failures(conn, "li", "10.0.0.9", after(-1)) == logins.Failures(
            0, 0, None
        )
        assert logins.purge(conn, after(3)) == 1
