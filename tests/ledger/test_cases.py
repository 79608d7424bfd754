"""Cases in the ledger: opened once, moved by who saw them as they are, published, never lost."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from case_parts import WORK
from case_story import OPENED, TOWN, Story, files_of, populate, who
from ledger_town import AT, MARKET, OFFICER, after, alert, result
from sqlalchemy import text

from contracts.casework import CaseKind, Finding, Given, Mover
from contracts.casework_clocks import Casework, clocks
from contracts.casework_moves import opened
from contracts.words import AlertState
from contracts.workdays import Calendar
from ledger import alerts, audit, case_proof, cases, journal, officers, regions
from ledger.cases import CaseRefused
from ledger.engine import Connection, Engine, LedgerRefused, reading, writing


@pytest.fixture
def office(town: Engine) -> Engine:
    with writing(town) as conn:
        populate(conn, 3)
    return town


def alert_of(conn: Connection, alert_id: str) -> alerts.AlertRow:
    found = alerts.get(conn, alert_id)
    assert found is not None
    return found


def why(caught: pytest.ExceptionInfo[CaseRefused]) -> set[str]:
    return {one.code for one in caught.value.refusal.reasons}


def test_from_the_alert_to_the_end_of_the_publication(office: Engine) -> None:
    with writing(office) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert(result_id=result().result_id), AT)
        row, new = cases.open_from_alert(conn, WORK, alert_id, who(conn), after(60))
        assert new and row.case_number == "440703-2026-0001"
        assert (row.kind, row.state, row.finding) == (CaseKind.PRODUCE_TEST, "lead", "suspect")
        assert (row.known_at, row.severity) == (AT, 1)
        assert row.due_at == AT + timedelta(hours=72)
        assert [one.result_id for one in cases.results_of(conn, row.case_id)] == [
            result().result_id
        ]
        one = Story(conn, row, after(60))
        one.go("serve_result", files=["f-document"], happened_at=one.at)
        one.report()
        one.go("approve", "wang")
        fined: dict[str, Any] = {"outcome": "minor", "note": "罚款", "files": ["f-document"]}
        early = one.refused("close", "wang", happened_at=one.at, **fined)
        assert early == {"finding", "right_running"}
        one.at += timedelta(hours=6)
        assert one.refused("close", "wang", happened_at=one.at, **fined) == {"finding"}
        assert one.refused("publish", "wang") == {"state", "finding", "outcome", "not_published"}
    with writing(office) as conn:
        one = Story.of_result(conn, 2)
        closed = one.close("minor")
        assert (closed.finding, closed.outcome) == (Finding.ESTABLISHED, "minor")
        assert (closed.due_clock, closed.closed_at) == ("publication", one.at)
        assert cases.publications(conn, MARKET, one.at) == []
        assert one.refused("publish") == {"role"}
        one.go("publish", "wang")
        (shown,) = cases.publications(conn, MARKET, one.at)
        assert (shown.case_number, shown.published_by) == (closed.case_number, "wang")
        assert cases.publications(conn, MARKET, one.at - timedelta(seconds=1)) == []
        end, second = shown.expires_at, timedelta(seconds=1)
        assert cases.publications(conn, MARKET, end - second) == [shown]
        assert cases.publications(conn, MARKET, end) == []
        assert cases.publications(conn, "another", one.at) == []
        assert cases.expire_due(conn, WORK, end - second) == []
        assert cases.expire_due(conn, WORK, end) == [one.row.case_id]
        assert cases.expire_due(conn, WORK, end) == []
        over = cases.get(conn, one.row.case_id)
        assert over is not None and (over.state, over.due_at) == ("expired", None)
        kept = cases.publication(conn, one.row.case_id)
        assert kept is not None and (kept.ended_at, kept.ended_by_move) == (end, "expire")
    with reading(office) as conn:
        assert case_proof.verify(conn)[1] == []
        assert audit.verify(conn).broken_id is None
        rows = [row for row in journal.after(conn, 0) if row.kind == journal.CASE]
        mine = [row for row in rows if row.ref == one.row.case_id]
        assert [row.body["event"] for row in mine][:2] == ["opened", "order_confirmation"]
        assert mine[-1].body["event"] == "expire" and mine[-1].body["state"] == "expired"
        assert {row.region for row in rows} == {TOWN}


def test_an_annulled_decision_is_shown_no_more_at_once(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.close("penalty")
        one.go("publish", "wang")
        annulled: dict[str, Any] = {"note": "复议撤销", "files": ["f-document"]}
        row = one.go("annul", "wang", happened_at=one.at, **annulled)
        assert cases.publications(conn, MARKET, one.at) == []
        assert row.due_clock == "withdrawal"
        row = one.go("withdraw", "wang", note="行政复议决定撤销，公示已撤下")
        assert (row.state, row.due_at) == ("withdrawn", None)
        kept = cases.publication(conn, row.case_id)
        assert kept is not None and (kept.ended_by_move, kept.reason) == ("annul", "复议撤销")
        assert cases.expire_due(conn, WORK, kept.expires_at) == []
        assert {one.state: one.count for one in cases.counts(conn)} == {"withdrawn": 1}


def test_a_warning_is_never_published(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        row = one.close("warning")
        assert row.due_at is None
        assert one.refused("publish", "wang") == {"outcome", "not_published"}
        assert cases.publication(conn, row.case_id) is None


def test_an_alert_is_in_one_case(office: Engine) -> None:
    with writing(office) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert(), AT)
        row, new = cases.open_from_alert(conn, WORK, alert_id, who(conn), after(60))
        assert new and row.kind is CaseKind.SCENE
        again = cases.open_from_alert(conn, WORK, alert_id, who(conn, "wang"), after(61))
        assert again == (row, False)
        assert cases.of_alerts(conn, [alert_id, "none"]) == {alert_id: row.case_number}
        assert [one.case_id for one in cases.of_alert(conn, alert_id)] == [row.case_id]
        assert [one.alert_id for one in cases.alerts_of(conn, row.case_id)] == [alert_id]
        one = Story(conn, row)
        one.go("cancel", "wang", note="误建")
        # The alert goes on by itself, and may come into another case.
        assert alert_of(conn, alert_id).state is AlertState.ACKNOWLEDGED
        other, new = cases.open_from_alert(conn, WORK, alert_id, who(conn), one.at)
        assert new and other.case_number == "440703-2026-0002"
        assert len(cases.of_alert(conn, alert_id)) == 2
        for alert_ in ("nothing", alert_id):
            if alert_ == alert_id:
                Story(conn, other).go("dismiss", note="查无此事", second="chen")
            with pytest.raises(CaseRefused) as caught:
                cases.open_from_alert(conn, WORK, alert_, who(conn), one.at)
            assert why(caught) == {"alert_closed" if alert_ == alert_id else "no_alert"}


def test_a_result_is_in_one_case_with_its_alerts(office: Engine) -> None:
    with writing(office) as conn:
        result_id = result().result_id
        first, _ = alerts.raise_alert(conn, alert("f1", result_id=result_id), AT)
        one = Story.of_result(conn)
        assert [row.alert_id for row in cases.alerts_of(conn, one.row.case_id)] == [first]
        assert alert_of(conn, first).acknowledged_by == OFFICER
        again = cases.open_from_result(conn, WORK, result_id, who(conn), OPENED)
        assert again == (one.row, False)
        # An alert that comes later joins the case of its result.
        later, _ = alerts.raise_alert(conn, alert("f2", result_id=result_id), after(400))
        assert cases.open_from_alert(conn, WORK, later, who(conn), after(500)) == (one.row, False)
        assert len(cases.alerts_of(conn, one.row.case_id)) == 2
        with pytest.raises(CaseRefused) as caught:
            cases.open_from_result(conn, WORK, "nothing", who(conn), OPENED)
        assert why(caught) == {"no_result"}
        one.go("cancel", "wang", note="误建")
        anew, new = cases.open_from_result(conn, WORK, result_id, who(conn), one.at)
        assert new and anew.case_id != one.row.case_id


def test_alerts_follow_their_case(office: Engine) -> None:
    with writing(office) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert(result_id=result().result_id), AT)
        one = Story.of_result(conn)
        one.report()
        assert alert_of(conn, alert_id).state is AlertState.DISPOSING
        one.go("send_back", "wang", note="照片不清")
        assert alert_of(conn, alert_id).state is AlertState.ACKNOWLEDGED
        one.go("report", note="补拍", files=["f-photo"])
        one.go("appeal", note="申请行政复议")
        assert alert_of(conn, alert_id).paused_since == one.at
        one.go("end_appeal", note="维持", files=["f-document"])
        assert alert_of(conn, alert_id).paused_since is None
        one.go("approve", "wang")
        assert alert_of(conn, alert_id).state is AlertState.REVIEWED
        with pytest.raises(alerts.AlertConflict, match=one.row.case_number):
            alerts.close(conn, alert_id, "wang", one.at)
        one.go("close", "wang", outcome="no_penalty", note="完毕", happened_at=one.at)
        assert alert_of(conn, alert_id).state is AlertState.CLOSED
        told = [e for e in alerts.timeline(conn, alert_id) if e.kind == "case"]
        assert [entry.body["move"] for entry in told] == [
            "opened", "report", "send_back", "report", "appeal", "end_appeal", "approve", "close",
        ]  # fmt: skip
        assert {entry.note for entry in told} == {one.row.case_number}


def test_what_fires_again_is_a_new_matter(office: Engine) -> None:
    with writing(office) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert(), AT)
        row, _ = cases.open_from_alert(conn, WORK, alert_id, who(conn), after(60))
        one = Story(conn, row)
        one.report()
        one.go("approve", "wang")
        alerts.raise_alert(conn, alert(at=one.at), one.at)
        one.go("close", "wang", outcome="no_penalty", note="完毕", happened_at=one.at)
        assert alert_of(conn, alert_id).state is AlertState.FIRING
        other, new = cases.open_from_alert(conn, WORK, alert_id, who(conn), one.at)
        assert new and other.case_id != row.case_id


def test_two_officers_close_a_class_1_alert_with_their_lead(office: Engine) -> None:
    with writing(office) as conn:
        alert_id, _ = alerts.raise_alert(conn, alert(), AT)
        row, _ = cases.open_from_alert(conn, WORK, alert_id, who(conn), after(60))
        Story(conn, row).go("dismiss", note="是海报", second="chen")
        closed = alert_of(conn, alert_id)
        assert closed.state is AlertState.CLOSED
        assert (closed.disposed_by, closed.reviewed_by) == (OFFICER, "chen")


def test_who_may_have_to_do_with_a_case(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        for officer in ("far", "gone", "other"):
            assert one.refused("verify", officer, note="x", second="chen") == {"not_here"}
            with pytest.raises(CaseRefused) as caught:
                cases.open_from_result(conn, WORK, result(2).result_id, who(conn, officer), OPENED)
            assert why(caught) == {"not_here"}
        assert one.refused("verify", "hu", note="x", second="chen") == {"role"}
        for second in ("far", "gone", "hu", "stall", "nobody"):
            assert one.refused("verify", note="x", second=second) == {"second_unfit"}
        one.go("verify", note="x", second="chen")
        for assignee in ("far", "gone", "hu", "stall", "nobody"):
            assert one.refused("dispatch", assignee=assignee) == {"assignee_unfit"}
        assert one.refused("appeal", "stall", note="复议") == {"role"}
        one.go("serve_result", happened_at=one.at, files=["f-document"])
        assert one.go("object", "stall").assignee == ""
        (objection,) = cases.events_of(conn, one.row.case_id)[-1:]
        assert (objection.actor, objection.counts_at) == ("stall", one.at)


def test_a_mover_says_what_they_saw(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        seen = one.row.version
        one.go("verify", note="x", second="chen", key="form-1")
        # The same form again changes nothing, whatever it says it saw.
        row = one.move("verify", OFFICER, "form-1", seen, note="x", second="chen")
        assert row == one.row
        with pytest.raises(CaseRefused) as caught:
            one.move("dispatch", "wang", "form-2", seen, assignee=OFFICER)
        assert caught.value.changed
        assert why(caught) == {"changed"}
        assert "1" in caught.value.refusal.zh and "2" in caught.value.refusal.zh
        # Another move under a taken key is no repetition.
        with pytest.raises(LedgerRefused), conn.begin_nested():
            one.move("dispatch", "wang", "form-1", one.row.version, assignee=OFFICER)
        assert cases.get(conn, one.row.case_id) == one.row
        with pytest.raises(ValueError, match="key"):
            one.move("dispatch", "wang", "k" * 65, one.row.version, assignee=OFFICER)
        with pytest.raises(CaseRefused) as caught:
            cases.move(conn, WORK, "none", "verify", Given(), who(conn), OPENED, version=1)
        assert why(caught) == {"no_case"}


def test_files_are_of_the_case(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        assert one.refused("add_evidence", note="x", second="chen", files=["f-x"]) == {
            "unknown_file"
        }
        one.go("add_evidence", note="x", second="chen", files=["f-photo", "f-photo"])
        (kept,) = cases.events_of(conn, one.row.case_id)[-1].given.files
        assert (kept.id, kept.kind, kept.sha256) == ("f-photo", "photo", "a" * 64)
        with pytest.raises(CaseRefused) as caught:
            cases.move(conn, WORK, one.row.case_id, "add_evidence",
                       Given(note="x", second="chen", files=(kept,)), who(conn), one.at,
                       version=one.row.version)  # fmt: skip
        assert why(caught) == {"unknown_file"}


def test_a_proof_holds_for_years() -> None:
    """What is digested today is digested so for ever; a field that comes later must be left out
    of what has none."""
    first = msgspec.structs.replace(WORK, rules=msgspec.structs.replace(WORK.rules, version="1"))
    event = opened(
        first,
        by=Mover("li", "town"),
        at=AT,
        known_at=AT,
        occurred_at=AT,
        event_id="e1",
        note="线索",
        lab="快检室",
    )
    assert case_proof.digest_of("c1", event) == (
        "ff7ce28a233f9515f4345b552503381b31db793a194224c68e0d1da5eb838098"
    )


def test_what_a_database_cannot_hold_is_proven_all_the_same(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("verify", note="a\0b", second="chen")
        assert (
            cases.events_of(conn, one.row.case_id)[-1].given.note == "a\N{REPLACEMENT CHARACTER}b"
        )
        assert case_proof.verify(conn) == (2, [])
        with pytest.raises(ValueError, match="time"):
            one.move("serve_result", OFFICER, "", one.row.version, files=["f-document"],
                     happened_at=one.at.replace(tzinfo=None))  # fmt: skip


def test_numbers_by_county_and_year(office: Engine) -> None:
    with writing(office) as conn:
        first = Story.of_result(conn, 1)
        # Still the 31st of December in London, and a new year in China.
        later = datetime(2026, 12, 31, 16, tzinfo=UTC)
        second, _ = cases.open_from_result(conn, WORK, result(2).result_id, who(conn), later)
        third, _ = cases.open_from_result(conn, WORK, result(3).result_id, who(conn), later)
        numbers = [one.case_number for one in (first.row, second, third)]
        assert numbers == ["440703-2026-0001", "440703-2027-0001", "440703-2027-0002"]
        assert cases.by_number(conn, numbers[2]) == third
        assert cases.by_number(conn, "440703-2028-0001") is None


def test_a_number_that_was_not_used_is_not_lost(office: Engine) -> None:
    class Enough(Exception):
        pass

    with pytest.raises(Enough), writing(office) as conn:
        Story.of_result(conn, 1)
        raise Enough
    with writing(office) as conn:
        assert Story.of_result(conn, 2).row.case_number == "440703-2026-0001"


def test_lists(office: Engine) -> None:
    with writing(office) as conn:
        first, second, third = (
            Story.of_result(conn, n, OPENED + timedelta(minutes=n)) for n in (1, 2, 3)
        )
        second.go("verify", note="x", second="chen")
        second.go("dispatch", "wang", assignee="chen")
        third.go("cancel", "wang", note="重复")
        every = [one.row.case_id for one in (third, second, first)]
        here = regions.subtree(conn, "440703")

        def listed(**filters: Any) -> list[str]:
            return [row.case_id for row in cases.list_in(conn, here, **filters)]

        assert listed() == every
        assert listed(limit=2) == every[:2]
        assert listed(limit=2, before=every[1]) == every[2:]
        assert listed(before="gone") == []
        assert cases.list_in(conn, regions.subtree(conn, "440705")) == []
        assert len(cases.list_in(conn, None)) == 3
        assert listed(states=["lead", "cancelled"]) == [every[0], every[2]]
        assert listed(officer="chen") == [every[1]]
        assert listed(kind=CaseKind.SCENE) == []
        assert listed(establishment_id="none") == listed(sites=["none"]) == []
        assert listed(sites=["pj-market-1"], establishment_id=MARKET) == every
        due = first.row.due_at
        assert due is not None
        assert listed(overdue_at=due) == []
        late = due + timedelta(seconds=3)
        assert listed(overdue_at=late) == every[1:]
        assert cases.overdue_count(conn, late, here) == 2
        assert [row.case_id for row in cases.due(conn, due)] == [every[2]]
        assert [row.case_id for row in cases.due(conn, late, regions=here)] == [every[2], every[1]]
        counted = {(one.state, one.count) for one in cases.counts(conn, here)}
        assert counted == {("lead", 1), ("dispatched", 1), ("cancelled", 1)}
        assert cases.counts(conn, []) == []


def test_offers_of_a_page(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        offers = {o.move.id: o for o in cases.offers(conn, WORK, one.row, who(conn), one.at)}
        assert offers["verify"].possible
        assert not offers["publish"].possible
        assert {reason.code for reason in offers["publish"].why} >= {"state", "role"}
        # Another server, whose clock is a little behind.
        behind = one.at - timedelta(seconds=1)
        assert cases.offers(conn, WORK, one.row, who(conn), behind) == tuple(offers.values())
        one.at = behind
        assert one.move("verify", OFFICER, "", 1, note="x", second="chen").changed_at > behind


def test_what_is_kept_is_what_the_clocks_say(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.report()
        faces = {face.clock.id: face for face in clocks(WORK, cases.case(conn, one.row), one.at)}
        assert one.row.due_clock == "review"
        assert one.row.due_at == faces["review"].due_at
        one.go("appeal", note="复议")
        assert (one.row.due_at, one.row.paused_since) == (None, one.at)
        assert cases.list_in(conn, None, overdue_at=one.at + timedelta(days=99)) == []


def test_a_calendar_that_comes_later(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.close("minor")
        none = Casework(WORK.rules, Calendar([]))
        row = cases.move(conn, none, one.row.case_id, "add_evidence",
                         Given(note="x", second="chen", files=(files_of(conn, "")[0],)),
                         who(conn), one.at, version=one.row.version, files_of=files_of)  # fmt: skip
        assert (row.due_at, row.due_unknown, row.due_clock) == (None, True, "publication")
        assert cases.rewind_unknown(conn, none, one.at) == 0
        assert cases.rewind_unknown(conn, WORK, one.at) == 1
        told = cases.get(conn, row.case_id)
        assert told is not None and not told.due_unknown and told.due_at is not None
        assert cases.rewind_unknown(conn, WORK, one.at) == 0


@pytest.mark.parametrize("table", ["cases", "case_events", "case_results", "case_alerts",
                                   "case_publications"])  # fmt: skip
def test_the_database_removes_nothing_of_a_case(office: Engine, table: str) -> None:
    with writing(office) as conn:
        alerts.raise_alert(conn, alert(result_id=result().result_id), AT)
        Story.of_result(conn).close("minor")
        published = cases.list_in(conn, None)[0]
        cases.move(conn, WORK, published.case_id, "publish", Given(), who(conn, "wang"),
                   published.changed_at, version=published.version)  # fmt: skip
    with pytest.raises(LedgerRefused, match="never changed or removed"), writing(office) as conn:
        conn.execute(text(f"DELETE FROM {table}"))
    if table in ("case_events", "case_results", "case_alerts"):
        with (
            pytest.raises(LedgerRefused, match="never changed or removed"),
            writing(office) as conn,
        ):
            conn.execute(text(f"UPDATE {table} SET case_id = case_id"))


def test_who_tampers_is_found_out(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("verify", note="x", second="chen")
        one.go("add_evidence", note="x", second="chen", files=["f-photo"])
    faults = []
    with writing(office) as conn:  # as somebody would who owns the database
        sqlite = conn.dialect.name == "sqlite"
        for change in ("update", "delete"):
            off = f"DROP TRIGGER case_events_no_{change}" + ("" if sqlite else " ON case_events")
            conn.execute(text(off))
        conn.execute(text("UPDATE case_events SET actor = 'wang' WHERE seq = 2"))
        conn.execute(text("DELETE FROM case_events WHERE seq = 3"))
        conn.execute(
            text(
                "INSERT INTO case_events (case_id, seq, event_id, move, at, actor, role, "
                "counts_at, state, finding, given, rules_version, digest) SELECT case_id, 9, 'x', "
                "move, at, actor, role, counts_at, state, finding, given, rules_version, digest "
                "FROM case_events WHERE seq = 1"
            )
        )
        count, faults = case_proof.verify(conn)
        conn.get_transaction().rollback() if not sqlite else None  # the triggers are shared
    assert count == 3
    assert [(one.version, one.what) for one in faults] == [
        (2, "changed"), (9, "unproven"), (3, "missing"),
    ]  # fmt: skip


def test_an_officer_is_not_needed_to_read(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        officers.set_active(conn, OFFICER, False)
    with reading(office) as conn:
        assert cases.get(conn, one.row.case_id) == one.row
        assert cases.case(conn, one.row).version == 1


def test_a_reopened_case_stays_counted_and_holds_its_alerts_again(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        row = one.close()
        first = row.closed_at
        assert (row.reopened, row.reopened_at, row.is_open) == (0, None, False)
        before = {(each.state, each.count) for each in cases.counts(conn)}
        assert before == {("closed", 1)}
        officers.add(conn, officers.Officer("shi", "市", officers.Role.CITY, "440700", id="shi"))
        officers.add(conn, officers.Officer("qu", "区", officers.Role.COUNTY, "440703", id="qu"))
        assert one.refused("reopen", "wang", note="x", second="qu") == {"four_eyes"}
        assert one.refused("reopen", "chen", note="x", second="qu") == {"role"}
        assert one.refused("reopen", "qu", note="x", second="chen") == {"second_unfit"}
        row = one.go("reopen", "shi", note="当事人提交新证据", second="qu")
        assert (row.state, row.reopened, row.closed_at) == ("filed", 1, first)
        assert row.is_open and row.reopened_at == one.at and row.due_clock == "redisposal"
        one.go("dispatch", "qu", assignee=OFFICER)
        one.go("accept")
        one.go("report", note="重新处置", files=["f-photo"])
        one.go("approve", "wang")
        row = one.go("close", "wang", outcome="no_penalty", note="完", happened_at=one.at)
        assert (row.reopened, row.reopened_at, row.closed_at) == (1, None, first)
        assert {(each.state, each.count) for each in cases.counts(conn)} == before
        assert [each.move for each in cases.events_of(conn, row.case_id)].count("close") == 2
