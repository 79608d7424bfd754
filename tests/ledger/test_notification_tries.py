"""How each way to a recipient went: kept once for each contact, the last word stands."""

import pytest
from ledger_town import AT, OFFICER, after

from contracts.words import Severity
from ledger import notification_tries, notifications
from ledger.engine import Engine, LedgerRefused, reading, writing
from ledger.notification_tries import Try
from ledger.notifications import NewNotification


def test_the_last_word_of_each_contact_stands(town: Engine) -> None:
    new = NewNotification(
        dedupe="n1",
        kind="alert",
        severity=Severity.DEADLINE,
        recipient=OFFICER,
        title_zh="冷库",
        title_en="Cold store",
        body_zh="",
        body_en="",
    )
    with writing(town) as conn:
        (number,) = notifications.enqueue(conn, [new], AT).values()
        assert notifications.is_due(conn, AT) and not notifications.is_due(conn, after(-1))
        waits = Try(number, "c1", "wecom", "waiting", 1, AT, after(5), "忙" * 600)
        notification_tries.put(conn, [waits, Try(number, "c2", "sms", "sent", 1, AT)])
    with reading(town) as conn:
        found = notification_tries.of(conn, [number, number + 1])
    assert set(found[number]) == {"c1", "c2"} and found[number + 1] == {}
    assert found[number]["c1"].next_at == after(5) and len(found[number]["c1"].reason) == 512
    with writing(town) as conn:
        failed = Try(number, "c1", "wecom", "failed", 2, after(5), None, "HTTP 403")
        notification_tries.put(conn, [failed])
        assert notification_tries.of(conn, [number])[number]["c1"] == failed
        (taken,) = notifications.take_due(conn, "gw1", 9, AT, 60)
        assert not notifications.is_due(conn, after(59)) and notifications.is_due(conn, after(60))
        assert notifications.sent(conn, number, "gw1", after(1), "sms", "wecom: HTTP 403")
        row = notifications.get(conn, number)
    assert row is not None and (row.channel, row.reason) == ("sms", "wecom: HTTP 403")
    assert taken.attempts == 1 and row.sent_at == after(1)
    with pytest.raises(LedgerRefused), writing(town) as conn:
        notification_tries.put(conn, [Try(number + 9, "c1", "wecom", "sent", 1, AT)])
