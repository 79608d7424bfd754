"""The sender: order of contacts, back-off, the next way, two at once, leases, slow channels."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gateway_town import NOON, REGION
from sender_parts import Clock, Office, Scripted, notification, opened, people, raise_one

from contracts.words import Severity
from gateway.notify.channels.channel import Failed, Outcome, Retry
from ledger import alert_life, alerts, contacts, notifications, officers, push_subscriptions
from ledger.engine import Engine, LedgerDown, open_engine, reading, writing
from ledger.notifications import NewNotification
from ledger.push_subscriptions import PushSubscription


@pytest.fixture
def town(ledger: Engine) -> Iterator[Engine]:
    with writing(ledger) as conn:
        people(conn)
    yield ledger


def test_the_first_contact_gets_it_with_words_link_and_alerts(town: Engine) -> None:
    wecom, sms = Scripted("wecom"), Scripted("sms")
    with writing(town) as conn:
        alert_id = raise_one(conn)
    with Office(town, opened(wecom, sms)) as office:
        office.put(notification(alert_ids=(alert_id,)))
        row = office.settled()
        assert (row.channel, row.reason, row.sent_at) == ("wecom", "", NOON)
        assert office.figure('notifications_total{channel="wecom",outcome="sent"} 1.0')
        assert office.figure('notify_seconds_count{channel="wecom",severity="2"} 1.0')
    (message,) = wecom.got
    assert (message.title, message.body, message.address) == ("冷库温度超限", "十二度", "li-wecom")
    assert message.url == f"https://console.example/alerts/{alert_id}"
    assert [one.alert_id for one in message.alerts] == [alert_id]
    assert (message.dedupe, message.recipient, sms.got) == ("n1", "li", [])


def test_everybody_is_written_to_in_their_language(town: Engine) -> None:
    mail = Scripted("mail")
    with writing(town) as conn:
        assert officers.set_language(conn, "chen", "en")
        assert not officers.set_language(conn, "nobody", "en")
    with Office(town, opened(mail)) as office:
        office.put(notification(recipient="chen"), notification("n2", recipient="huang"))
        office.settled()
        office.settled("n2")
    told = {one.recipient: (one.title, one.language) for one in mail.got}
    assert told == {"chen": ("Cold store too warm", "en"), "huang": ("冷库温度超限", "zh")}


def test_a_way_is_tried_again_with_growing_pauses_and_then_the_next(town: Engine) -> None:
    wecom, sms = Scripted("wecom", *[Retry("busy")] * 3), Scripted("sms")
    clock = Clock()
    with Office(town, opened(wecom, sms), clock) as office:
        office.put(notification())
        office.until(lambda: office.row().state == "queued" and office.row().attempts == 1)
        assert (office.row().due_at - NOON).total_seconds() == 5
        assert office.row().reason == "wecom: busy"
        office.sender.look_once()
        assert len(wecom.got) == 1  # not before its time
        clock.wait(5)
        office.until(lambda: office.row().attempts == 2 and office.row().state == "queued")
        assert (office.row().due_at - clock()).total_seconds() == 10
        clock.wait(10)
        row = office.settled()
    assert (row.channel, row.reason) == ("sms", "wecom: busy (3 tries)")
    assert [len(one.got) for one in (wecom, sms)] == [3, 1]
    assert office.figure('notifications_total{channel="wecom",outcome="retried"} 2.0')
    assert office.figure('notifications_total{channel="wecom",outcome="failed"} 1.0')


def test_a_refusal_for_good_goes_to_the_next_at_once(town: Engine) -> None:
    wecom, sms = Scripted("wecom", Failed("gone")), Scripted("sms", Failed("no such number"))
    mail = Scripted("mail")
    with Office(town, opened(wecom, sms, mail)) as office:
        office.put(notification())
        row = office.settled()
        assert (row.channel, row.attempts) == ("mail", 1)
        assert row.reason == "wecom: gone; sms: no such number"
        assert {(one.channel, one.state) for one in office.tries()} == {
            ("wecom", "failed"),
            ("sms", "failed"),
            ("mail", "sent"),
        }


def test_a_service_may_ask_for_patience_but_not_for_too_much(town: Engine) -> None:
    clock = Clock()
    wecom, sms = Scripted("wecom", Retry("busy", 60.0), Retry("busy", 3600.0)), Scripted("sms")
    with Office(town, opened(wecom, sms), clock) as office:
        office.put(notification())
        office.until(lambda: office.row().state == "queued" and office.row().attempts == 1)
        assert (office.row().due_at - NOON).total_seconds() == 60
        clock.wait(60)
        assert office.settled().channel == "sms"


def test_class_1_goes_by_the_first_two_at_once(town: Engine) -> None:
    wecom, sms, mail = Scripted("wecom"), Scripted("sms"), Scripted("mail")
    with Office(town, opened(wecom, sms, mail)) as office:
        office.put(notification(severity=Severity.AT_ONCE))
        office.until(lambda: wecom.got and sms.got)
        office.settled()
        office.until(lambda: len(office.tries()) == 2)
        assert mail.got == []
        office.put(notification("n2", severity=Severity.AT_ONCE, kind="notice"))
        office.settled("n2")
    assert [len(one.got) for one in (wecom, sms, mail)] == [2, 1, 0]


def test_of_two_at_once_a_slow_one_delays_nothing(town: Engine) -> None:
    held = threading.Event()
    wecom, sms = Scripted("wecom", hold=held), Scripted("sms")
    with Office(town, opened(wecom, sms)) as office:
        office.put(notification(severity=Severity.AT_ONCE))
        row = office.settled()
        assert row.channel == "sms"
        held.set()
        office.until(lambda: {one.channel for one in office.tries()} == {"sms", "wecom"})
        assert office.row().channel == "sms"


def test_if_one_of_two_fails_the_third_takes_its_place(town: Engine) -> None:
    wecom = Scripted("wecom", Failed("gone"))
    sms, mail = Scripted("sms", Retry("busy")), Scripted("mail")
    with Office(town, opened(wecom, sms, mail)) as office:
        office.put(notification(severity=Severity.AT_ONCE))
        row = office.settled()
    assert row.channel == "mail" and row.reason == "wecom: gone; sms: busy"


def test_who_cannot_be_reached_is_told_of_to_the_next_level(town: Engine) -> None:
    wecom, sms = Scripted("wecom", Failed("gone")), Scripted("sms", Failed("gone"))
    mail = Scripted("mail", Failed("no such mailbox"))
    with writing(town) as conn:
        alert_id = raise_one(conn)
    with Office(town, opened(wecom, sms, mail)) as office:
        office.put(notification(alert_ids=(alert_id,)))
        row = office.settled("n1", "failed")
        assert row.reason == "wecom: gone; sms: gone; mail: no such mailbox"
        office.until(lambda: len(office.rows()) == 2)
        (notice,) = (one for one in office.rows().values() if one.kind == "notice")
        office.settled(notice.dedupe)
        assert office.figure("notifications_undelivered_total 1.0")
    assert (notice.recipient, notice.level) == ("chen", 1)
    assert "li" in notice.title_zh and "no such mailbox" in notice.body_en
    assert notice.alert_ids == (alert_id,)
    assert mail.got[-1].title == notice.title_zh


def test_it_goes_up_to_the_top_and_ends_there(town: Engine) -> None:
    mail = Scripted("mail")
    mail.always = Failed("down")
    with Office(town, opened(mail)) as office:
        office.put(notification(severity=Severity.AT_ONCE))
        office.until(
            lambda: (
                len(office.rows()) == 3
                and all(one.state == "failed" for one in office.rows().values())
            )
        )
        levels = sorted((one.level, one.recipient) for one in office.rows().values())
        assert levels == [(0, "li"), (1, "chen"), (2, "huang")]


def test_many_lost_messages_to_one_officer_are_one_notice_an_hour(town: Engine) -> None:
    mail, clock = Scripted("mail"), Clock()
    with writing(town) as conn:
        officers.set_active(conn, "li", False)
    with Office(town, opened(mail), clock) as office:
        office.put(*(notification(f"n{number}") for number in range(5)))
        office.until(lambda: all(row.state != "queued" for row in office.rows().values()))
        office.until(lambda: len(mail.got) == 1)
        assert len(office.rows()) == 6
        assert office.row("n0").reason == "the officer is not active any more"
        clock.wait(3600)
        office.put(notification("later"))
        office.until(lambda: len(mail.got) == 2)


@pytest.mark.parametrize(
    ("channels", "reason"),
    [(("fax",), "no channel of the officer's contacts is open here: mail, sms, wecom"),
     ((), "no channel of the officer's contacts is open here: mail, sms, wecom")],
)  # fmt: skip
def test_ways_by_channels_that_are_not_here_are_none(
    town: Engine, channels: tuple[str, ...], reason: str
) -> None:
    with Office(town, opened(*(Scripted(name) for name in channels))) as office:
        office.put(notification())
        assert office.settled("n1", "failed").reason == reason


def test_who_has_no_contact_is_said_to_have_none(town: Engine) -> None:
    with writing(town) as conn:
        for one in contacts.of(conn, "huang"):
            contacts.remove(conn, one.id)
    with Office(town, opened(Scripted("mail"))) as office:
        office.put(notification(recipient="huang", level=2))
        assert office.settled("n1", "failed").reason == "the officer has no contact"


def test_a_browser_is_the_last_way_unless_it_is_put_elsewhere(town: Engine) -> None:
    with writing(town) as conn:
        key, auth = "B" + "A" * 86, "A" * 22
        browser = PushSubscription(
            officer_id="chen", endpoint="https://p/1", p256dh=key, auth=auth, created_at=NOON
        )
        push_subscriptions.add(conn, browser)
    push, mail = Scripted("webpush"), Scripted("mail", Failed("down"))
    with Office(town, opened(push, mail)) as office:
        office.put(notification(recipient="chen"))
        assert office.settled().channel == "webpush"
        with writing(town) as conn:
            contacts.put(conn, contacts.Contact("chen", "webpush", "", -1))
        office.put(notification("n2", recipient="chen"))
        assert office.settled("n2").channel == "webpush"
    assert len(mail.got) == 1


def test_a_route_goes_by_its_channels_in_order(town: Engine) -> None:
    hook, screen = Scripted("hook", Failed("down")), Scripted("mqtt")
    routes = {"duty": ("nowhere", "hook", "mqtt")}
    with Office(town, opened(hook, screen), routes=routes) as office:
        office.put(
            notification("r1", recipient="", route="duty"),
            notification("r2", recipient="", route="mqtt"),
            notification("r3", recipient="", route="unknown"),
        )
        assert office.settled("r1").reason == "hook: down"
        assert office.settled("r2").channel == "mqtt"
        assert office.settled("r3", "failed").reason == "there is no route 'unknown'"
    assert hook.got[0].address == "" and hook.got[0].route == "duty"


def test_one_slow_channel_holds_up_no_other(town: Engine) -> None:
    held = threading.Event()
    mail, sms = Scripted("mail", hold=held), Scripted("sms")
    with writing(town) as conn:
        for one in contacts.of(conn, "li"):
            contacts.set_active(conn, one.id, one.channel == "sms")
    with Office(town, opened(mail, sms, queue=2)) as office:
        office.put(*(notification(f"slow{n}", recipient="chen") for n in range(6)))
        office.until(lambda: mail.got)
        office.put(*(notification(f"quick{n}") for n in range(30)))
        office.until(
            lambda: all(row.state == "sent" for key, row in office.rows().items() if "quick" in key)
        )
        rows = office.rows()
        assert len(mail.got) == 1 and rows["slow5"].state == "queued"
        assert "its queue is full" in rows["slow5"].reason
        held.set()
        office.settled("slow0")


def test_the_gravest_goes_first(town: Engine) -> None:
    held = threading.Event()
    mail = Scripted("mail", hold=held)
    with Office(town, opened(mail)) as office:
        office.put(notification("first", recipient="chen"))
        office.until(lambda: mail.got)
        for number, severity in enumerate((Severity.GUIDANCE, Severity.DEADLINE, Severity.AT_ONCE)):
            office.put(notification(f"n{number}", recipient="chen", severity=severity))
            office.sender.look_once()
        held.set()
        for number in range(3):
            office.settled(f"n{number}")
    assert [one.dedupe for one in mail.got] == ["first", "n2", "n1", "n0"]


def test_what_waited_too_long_for_its_lease_is_not_begun(town: Engine) -> None:
    held, clock = threading.Event(), Clock()
    mail = Scripted("mail", hold=held)
    with Office(town, opened(mail), clock, lease_s=60) as office:
        office.put(notification("a", recipient="chen"), notification("b", recipient="chen"))
        office.until(lambda: mail.got)
        clock.wait(50)
        held.set()
        office.until(lambda: office.row("b").state == "queued")
        assert "too slow" in office.row("b").reason and len(mail.got) == 1
        clock.wait(5)
        assert office.settled("b").channel == "mail"


def test_acknowledged_while_it_is_sent_is_not_tried_again(town: Engine) -> None:
    held = threading.Event()
    outcomes: tuple[Outcome, ...] = (Failed("gone"),)
    wecom, sms = Scripted("wecom", *outcomes, hold=held), Scripted("sms")
    with writing(town) as conn:
        alert_id = raise_one(conn)
    with Office(town, opened(wecom, sms)) as office:
        office.put(notification(alert_ids=(alert_id,)))
        office.until(lambda: wecom.got)
        with writing(town) as conn:
            alert_life.acknowledge(conn, alert_id, "li", NOON)
        held.set()
        row = office.settled("n1", "cancelled")
        assert row.reason == "acknowledged"
    assert sms.got == []


def test_whose_lease_ran_out_is_sent_again_by_another_with_the_same_key(town: Engine) -> None:
    held, clock = threading.Event(), Clock()
    slow, quick = Scripted("mail", hold=held), Scripted("mail")
    with (
        Office(town, opened(slow), clock, lease_s=60) as one,
        Office(town, opened(quick), clock, name="gw2", lease_s=60) as two,
    ):
        one.put(notification(recipient="chen"))
        one.until(lambda: slow.got)
        two.sender.look_once()
        assert quick.got == []  # it is the other one's
        clock.wait(61)
        assert two.settled().owner == ""
        held.set()
        one.until(lambda: one.figure('notifications_total{channel="mail",outcome="sent"} 1.0'))
        assert (one.row().state, one.row().channel) == ("sent", "mail")
    assert slow.got[0].dedupe == quick.got[0].dedupe == "n1"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def shared_town(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield request.getfixturevalue("town")
        return
    engine = open_engine(request.getfixturevalue("town_database"))
    with writing(engine) as conn:
        people(conn)
    yield engine
    engine.dispose()


def test_two_senders_share_the_work_and_send_nothing_twice(shared_town: Engine) -> None:
    clock, town = Clock(), shared_town
    first, second = Scripted("mail"), Scripted("mail")
    with (
        Office(town, opened(first), clock) as one,
        Office(town, opened(second), clock, name="gw2") as two,
    ):
        one.put(*(notification(f"n{number}", recipient="chen") for number in range(60)))
        threads = [
            threading.Thread(
                target=office.until,
                args=(lambda: all(row.state == "sent" for row in one.rows().values()),),
            )
            for office in (one, two)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    sent = [message.dedupe for message in first.got + second.got]
    assert len(sent) == len(set(sent)) == 60


def test_a_ledger_that_is_away_forgets_no_outcome(town: Engine, ledger_file: Path) -> None:
    impatient = open_engine(f"sqlite:///{ledger_file}?timeout=0.1")
    held = threading.Event()
    mail = Scripted("mail", hold=held)
    with Office(impatient, opened(mail)) as office:
        office.put(notification(recipient="chen"), notification("n2", recipient="chen"))
        office.until(lambda: mail.got)
        with writing(town):  # somebody else writes for long
            held.set()
            end = time.monotonic() + 10
            while len(mail.got) < 2:
                assert time.monotonic() < end
                time.sleep(0.005)
            with pytest.raises(LedgerDown):
                office.until(lambda: False)
        office.settled("n1")
        office.settled("n2")
    impatient.dispose()
    assert [one.dedupe for one in mail.got] == ["n1", "n2"]


def test_what_the_ledger_refuses_stands_aside(town: Engine) -> None:
    held = threading.Event()
    mail = Scripted("mail", hold=held)
    with Office(town, opened(mail)) as office:
        office.put(*(notification(f"n{number}", recipient="chen") for number in range(3)))
        office.until(lambda: mail.got)
        with writing(town) as conn:
            conn.exec_driver_sql("DELETE FROM notifications WHERE dedupe = 'n1'")
        held.set()
        office.until(lambda: len(mail.got) == 3)
        assert office.settled("n0").channel == office.settled("n2").channel == "mail"


def test_stopping_gives_back_what_is_not_begun(town: Engine) -> None:
    held, clock = threading.Event(), Clock()
    mail = Scripted("mail", hold=held)
    office = Office(town, opened(mail), clock)
    office.put(*(notification(f"n{number}", recipient="chen") for number in range(4)))
    office.until(lambda: mail.got)
    ending = threading.Thread(target=office.sender.end)
    ending.start()
    held.set()
    ending.join(20)
    states = sorted(row.state for row in office.rows().values())
    assert states == ["queued", "queued", "queued", "sent"]
    assert all(row.due_at == clock() for row in office.rows().values())
    with Office(town, opened(Scripted("mail")), clock, name="gw2") as other:
        other.until(lambda: all(row.state == "sent" for row in other.rows().values()))


def test_a_channel_that_takes_nothing_is_said_to_once(
    town: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    mail = Scripted("mail", *[Failed("HTTP 403")] * 5)
    with Office(town, opened(mail)) as office:
        for number in range(5):
            office.put(notification(f"n{number}", recipient="huang", level=2))
            office.settled(f"n{number}", "failed")
            up = 1.0 if number < 2 else 0.0
            office.until(lambda up=up: office.figure(f'notify_channel_up{{channel="mail"}} {up}'))
        office.put(notification("good", recipient="huang", level=2))
        office.settled("good")
        office.until(lambda: office.figure('notify_channel_up{channel="mail"} 1.0'))
    told = [record.getMessage() for record in caplog.records if "channel mail" in record.message]
    assert told == ["channel mail takes nothing: HTTP 403", "channel mail takes messages again"]


def test_a_channels_defect_ends_nothing(town: Engine) -> None:
    class Broken(Scripted):
        def send(self, message: object) -> Outcome:
            raise RuntimeError("a defect")

    with Office(town, opened(Broken("wecom"), Scripted("sms"))) as office:
        office.put(notification())
        assert office.settled().channel == "sms"
        office.put(notification("n2"))
        assert "defect" in office.settled("n2").reason


def test_a_digest_of_many_alerts_says_how_many_are_left_out(town: Engine) -> None:
    mail = Scripted("mail")
    with writing(town) as conn:
        ids = tuple(raise_one(conn, f"f{number}") for number in range(3))
    every = ids + tuple(f"gone{number}" for number in range(200))
    digest = NewNotification(
        dedupe="d",
        kind="digest",
        severity=Severity.DEADLINE,
        recipient="chen",
        title_zh="汇总",
        title_en="Digest",
        body_zh="",
        body_en="",
        alert_ids=every,
        region=REGION,
    )
    with Office(town, opened(mail)) as office:
        office.put(digest)
        office.settled("d")
    (message,) = mail.got
    assert len(message.alerts) == 3 and message.left_out == 200
    assert message.url == "https://console.example/alerts"
    with reading(town) as conn:
        assert len(alerts.list_in(conn, None)) == 3
        assert not notifications.is_due(conn, office.clock())
