"""Whoever a case waits for is told: once, in time, by what the ledger says, whatever restarts."""

import sys
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "ledger"))

from case_parts import WORK
from case_story import Story, populate
from ledger_town import AT, OFFICER, build

from contracts.casework import Given
from contracts.workdays import CHINA
from gateway import case_messages
from gateway.casework import CaseBooking
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.notify.delivery import Way
from gateway.notify.messages import message_for
from gateway.notify.pipeline_settings import PipelineSettings
from ledger import (
    case_confirmations,
    case_tellings,
    cases,
    cursors,
    journal,
    migrate,
    notifications,
    officers,
)
from ledger.engine import Connection, Engine, open_engine, reading, writing
from ledger.notifications import NotificationRow
from ledger.officers import Officer, Role

CITY = Officer("shi", "市", Role.CITY, "440700", id="shi")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def office(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path}/ledger.db"
    if getattr(request, "param", "sqlite") == "postgresql":
        url = request.getfixturevalue("postgres").create_database()
    engine = open_engine(url)
    migrate.upgrade(engine)
    with writing(engine) as conn:
        build(conn)
        populate(conn, 30)
        officers.add(conn, CITY)
    yield engine
    engine.dispose()


class Gateways:
    """Two gateways over one ledger, and what they have made."""

    def __init__(self, engine: Engine, settings: PipelineSettings | None = None) -> None:
        self.engine, self.at, self.woken = engine, AT, 0
        self.settings = settings or PipelineSettings()
        self.both = [self.one(), self.one()]
        self.seen = 0

    def one(self) -> CaseBooking:
        return CaseBooking(
            self.engine, WORK, metrics=Metrics(), health=Health(), clock=lambda: self.at,
            group="gateway", settings=lambda: self.settings, on_queued=self._wake,
        )  # fmt: skip

    def _wake(self) -> None:
        self.woken += 1

    def look(self, at: datetime) -> list[NotificationRow]:
        """Both look; what is new then, the oldest first."""
        self.at = at
        for one in self.both:
            while one.tell_once():
                pass
        with reading(self.engine) as conn:
            rows = [row for row in notifications.list(conn, limit=500) if row.id > self.seen]
        self.seen = max((row.id for row in rows), default=self.seen)
        return sorted(rows, key=lambda row: row.id)

    def told(self, at: datetime) -> list[tuple[str, str]]:
        """Who is told, with the message's title up to the case's own name."""
        return sorted((row.recipient, row.title_zh.partition("：")[0]) for row in self.look(at))


def test_steps_are_told_to_whom_they_wait_for(office: Engine) -> None:
    gates = Gateways(office)
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("verify", note="核对", second="chen")
    assert gates.told(one.at) == []
    with writing(office) as conn:
        one.conn = conn
        one.go("dispatch", "wang", assignee=OFFICER)
    (row,) = gates.look(one.at)
    assert (row.recipient, row.kind, row.severity) == (OFFICER, "case", 2)
    assert row.title_zh.startswith("【待您办理】派单：")
    assert one.row.case_number in row.body_zh and "棠下农贸市场" in row.body_en
    message = message_for(row, Way("c", "sms", "138"), (), "zh", "https://console.example/")
    assert message.url == f"https://console.example/cases/{one.row.case_id}"
    assert gates.woken == 1
    with writing(office) as conn:
        one.conn = conn
        one.go("accept")
        deadline = one.at + timedelta(days=3)
        one.go("order_rectification", note="更换破损冷柜", files=["f-document"], deadline=deadline)
    (row,) = gates.look(one.at)
    assert row.recipient == "stall"
    until = f"{deadline.astimezone(CHINA):%m-%d %H:%M}"
    assert row.title_zh.startswith("【送达】责令改正：") and until in row.body_zh
    with writing(office) as conn:
        one.conn = conn
        one.go("prove_rectification", "stall", note="已更换", files=["f-photo"])
    assert gates.told(one.at) == [(OFFICER, "【待处理】提交整改证明")]
    with writing(office) as conn:
        one.conn = conn
        one.go("accept_proof", note="认可")
        one.go("report", note="已整改", files=["f-photo"])
    # Who reported does not review: it waits for somebody else who is responsible there.
    assert gates.told(one.at) == [
        ("stall", "【送达】认可整改证明"),
        ("wang", "【待处理】提交处置结果"),
    ]
    with reading(office) as conn:
        kept = case_tellings.of_case(conn, one.row.case_id)
    assert len(kept) == 5


def test_what_somebody_has_gone_on_from_is_told_no_more(office: Engine) -> None:
    gates = Gateways(office)
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("verify", note="核对", second="chen")
        one.go("dispatch", "wang", assignee=OFFICER)
        one.go("accept")
        other = Story.of_result(conn, 2)
        other.go("verify", note="核对", second="chen")
        other.go("dispatch", OFFICER, assignee=OFFICER)  # to themselves
    assert gates.told(one.at) == []
    with writing(office) as conn:
        old = Story.of_result(conn, 3)
        old.go("verify", note="核对", second="chen")
        old.go("dispatch", "wang", assignee=OFFICER)
    told = gates.told(old.at + timedelta(hours=24, minutes=1))
    assert (OFFICER, "【待您办理】派单") not in told


def test_a_second_officer_is_asked_once_and_not_after_it_was_withdrawn(office: Engine) -> None:
    gates = Gateways(office)
    with writing(office) as conn:
        one = Story.of_result(conn)
    gates.look(one.at)
    with writing(office) as conn:
        for move in ("verify", "add_evidence"):
            asked = case_confirmations.ask(
                conn, one.row.case_id, one.row.version, move, Given(note="x", second="chen"),
                OFFICER, one.at,
            )  # fmt: skip
            _news(conn, one, "case_confirmation_asked")
        case_confirmations.answer(conn, asked.id, "withdrawn", one.at)
    (row,) = gates.look(one.at)
    assert row.recipient == "chen" and "李国华 提出" in row.body_zh
    assert row.title_zh.startswith("【待您确认】核查成案")
    with writing(office) as conn:
        _news(conn, one, "case_declined")
    assert gates.look(one.at) == []


def _news(conn: Connection, one: Story, event: str) -> None:
    journal.append(
        conn, journal.CASE, at=one.at, region=one.row.region, site=one.row.site,  # type: ignore[arg-type]
        ref=one.row.case_id, body=msgspec.to_builtins(one.row) | {"event": event},
    )  # fmt: skip


def test_a_duty_is_told_before_at_and_after_its_end_at_the_minute(office: Engine) -> None:
    gates = Gateways(office)
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("verify", note="核对", second="chen")
        due = one.row.due_at
    assert due is not None and one.row.due_clock == "dispose"
    town = [OFFICER]  # whose establishment it is
    assert gates.told(due - timedelta(hours=24, minutes=1)) == []
    assert gates.told(due - timedelta(hours=24)) == [
        (x, "【即将到期】处置并提交证明") for x in town
    ]
    assert gates.told(due - MINUTE) == []
    assert gates.told(due) == sorted(
        [
            *((x, "【已到期】处置并提交证明") for x in town),
            ("wang", "【逾期上报县级】处置并提交证明"),
        ]
    )
    assert gates.told(due + timedelta(hours=24) - MINUTE) == []
    assert gates.told(due + timedelta(hours=24)) == [("shi", "【逾期上报市级】处置并提交证明")]
    assert gates.told(due + timedelta(days=30)) == []


def test_after_an_outage_only_the_latest_stage_is_told(office: Engine) -> None:
    with writing(office) as conn:
        one = Story.of_result(conn)
        due = one.row.due_at
    assert due is not None
    gates = Gateways(office)
    assert {name for _, name in gates.told(due + HOUR)} == {
        "【已到期】处置并提交证明", "【逾期上报县级】处置并提交证明"}  # fmt: skip
    with writing(office) as conn:
        one.conn = conn
        one.at = due + 2 * HOUR
        one.go("cancel", "wang", note="误建")
    assert gates.told(due + timedelta(days=2)) == []


def test_the_party_is_reminded_of_what_it_owes_and_not_once_it_has_proved_it(
    office: Engine,
) -> None:
    gates = Gateways(office)
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("verify", note="核对", second="chen")
        due = one.at + timedelta(days=2, hours=12)
        one.go("order_rectification", note="改", files=["f-document"], deadline=due)
        two = Story.of_result(conn, 2)
        two.go("verify", note="核对", second="chen")
        two.go("order_rectification", note="改", files=["f-document"], deadline=due)
        two.go("prove_rectification", "stall", note="好了", files=["f-photo"])
    gates.look(one.at)
    assert gates.told(due - timedelta(hours=24)) == [("stall", "【即将到期】责令改正期限")]
    told = gates.look(due)
    assert {row.recipient for row in told if "责令改正期限" in row.body_zh} == {
        OFFICER, "stall", "wang"}  # fmt: skip
    lines = [line for row in told for line in row.body_zh.splitlines()]
    assert not any(two.row.case_number in line and "责令改正" in line for line in lines)


@pytest.mark.parametrize(
    "office", ["sqlite", pytest.param("postgresql", marks=pytest.mark.real)], indirect=True
)
def test_the_party_is_told_once_that_its_right_ends_and_nobody_else_is(office: Engine) -> None:
    gates = Gateways(office)
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("serve_result", happened_at=one.at, files=["f-document"])
        served = one.row.opened_at
        late = Story.of_result(conn, 2)
        due = served + 4 * HOUR
        late.at = due - 10 * MINUTE
        late.go("serve_result", happened_at=served, files=["f-document"])
        objected = Story.of_result(conn, 3)
        objected.go("serve_result", happened_at=objected.at, files=["f-document"])
        objected.go("object", "stall")

    def rights(at: datetime) -> list[tuple[str, str]]:
        """Who is told that which case's right ends."""
        return sorted(
            (row.recipient, line.partition(" ")[0])
            for row in gates.look(at)
            for line in row.body_zh.splitlines()
            if "权利即将到期" in line
        )

    with reading(office) as conn:
        assert cases.get(conn, late.row.case_id).remind_at == late.at  # type: ignore[union-attr]
    assert rights(due - HOUR - MINUTE) == []
    assert rights(due - HOUR) == [("stall", one.row.case_number)]
    assert rights(due - HOUR + MINUTE) == []
    assert rights(late.at) == [("stall", late.row.case_number)]
    assert rights(due + MINUTE) == []
    with reading(office) as conn:
        told = [row for row in notifications.list(conn, limit=500) if "权利" in row.body_zh]
    until = f"{due.astimezone(CHINA):%H:%M}"
    assert len(told) == 2 and all(until in row.body_zh for row in told)
    assert all("your right ends soon" in row.body_en for row in told)


def test_a_right_that_ended_while_gateways_were_away_is_told_to_nobody(office: Engine) -> None:
    gates = Gateways(office)
    with writing(office) as conn:
        one = Story.of_result(conn)
        one.go("serve_result", happened_at=one.at, files=["f-document"])
    told = gates.look(one.at + 5 * HOUR)
    assert not any("权利" in row.body_zh for row in told)


def test_much_at_a_time_is_one_message_and_a_storm_waits_for_its_digest(office: Engine) -> None:
    gates = Gateways(office, PipelineSettings(storm_limit=2, day_budget=0))
    with writing(office) as conn:
        stories = [Story.of_result(conn, n) for n in range(1, 26)]
        for one in stories:
            one.go("verify", note="核对", second="chen")
            one.go("dispatch", "wang", assignee=OFFICER)
    (row,) = gates.look(stories[-1].at)
    assert row.title_zh.endswith("等 25 条") and "另有 5 条" in row.body_zh
    assert message_for(row, Way("c", "sms", "1"), (), "en", "http://c").url == "http://c/cases"
    states = []
    for n, one in enumerate(stories[:3]):
        with writing(office) as conn:
            one.conn = conn
            one.go("accept")
            one.go("dispatch", "wang", assignee=OFFICER)
        (row,) = gates.look(stories[-1].at + n * timedelta(seconds=1))
        states.append((row.state, row.hold))
    assert states == [("queued", ""), ("held", "storm"), ("held", "storm")]


@pytest.mark.parametrize(
    "office", ["sqlite", pytest.param("postgresql", marks=pytest.mark.real)], indirect=True
)
def test_two_gateways_at_once_and_one_that_dies_tell_nothing_twice(office: Engine) -> None:
    with writing(office) as conn:
        for n in range(1, 6):
            one = Story.of_result(conn, n)
            one.go("verify", note="核对", second="chen")
            one.go("dispatch", "wang", assignee=OFFICER)
        due = one.row.due_at
    assert due is not None
    gates = Gateways(office)
    gates.at = one.at

    class Died(RuntimeError):
        pass

    with pytest.raises(Died), writing(office) as conn:
        assert case_messages.look(conn, WORK, gates.settings, "gateway", one.at)
        raise Died  # before its commit
    threads = [threading.Thread(target=gate.tell_once) for gate in [*gates.both, gates.one()]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    (row,) = gates.look(one.at)
    assert row.recipient == OFFICER
    gates.both = [gates.one()]  # a new process knows nothing but the ledger
    assert gates.look(one.at) == []
    with writing(office) as conn:  # its place in the journal lost, it tells nothing again either
        cursors.set(conn, "gateway.cases", 0)
    assert gates.look(one.at + MINUTE) == []
