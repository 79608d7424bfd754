"""Yellow and red cards: the ladder, how long a card counts, annulments with reasons."""

from datetime import timedelta

import msgspec
import pytest
from ledger_town import AT, MARKET, OFFICER, after, alert

from ledger import alerts, cards, journal
from ledger.alerts import AlertConflict, AlertRow
from ledger.cards import Card, Colour
from ledger.engine import Connection, Engine, writing

YEAR = timedelta(days=365)


def _alert(conn: Connection, name: str) -> AlertRow:
    row = alerts.get(conn, alerts.raise_alert(conn, alert(name))[0])
    assert row is not None
    return row


def _give(conn: Connection, row: AlertRow, days: float) -> Card | None:
    return cards.give(conn, row, "逾期 / overdue", after(days * 86400), lasts=YEAR)


def test_yellow_then_red_then_no_more(town: Engine) -> None:
    with writing(town) as conn:
        first, second, third = (_alert(conn, name) for name in "abc")
        yellow, red = _give(conn, first, 0), _give(conn, second, 1)
        assert yellow and yellow.colour is Colour.YELLOW
        assert red and red.colour is Colour.RED
        assert _give(conn, third, 2) is None and _give(conn, first, 3) is None
        assert [one.id for one in cards.of_establishment(conn, MARKET)] == [red.id, yellow.id]
        told = [row for row in journal.after(conn, 0) if row.kind == journal.CARD]
        assert [(row.body["colour"], row.region) for row in told] == [
            ("yellow", first.region),
            ("red", first.region),
        ]
        entry = alerts.timeline(conn, first.alert_id)[-1]
        assert (entry.kind, entry.note, entry.body) == (
            "card",
            "逾期 / overdue",
            {"colour": "yellow"},
        )


def test_a_card_counts_for_its_time(town: Engine) -> None:
    with writing(town) as conn:
        names = ("a", "b", "c", "d")
        one, two, three, four = (_alert(conn, name) for name in names)
        assert _give(conn, one, 0)
        late = _give(conn, two, 365)
        assert late and late.colour is Colour.YELLOW, "the first counts no more after its year"
        red = _give(conn, three, 729.99)
        assert red and red.colour is Colour.RED
        assert _give(conn, four, 1000) is None, "a red one stands"
        assert (found := _give(conn, four, 1095)) and found.colour is Colour.YELLOW


def test_an_annulled_card_counts_no_more_but_stays_in_the_file(town: Engine) -> None:
    with writing(town) as conn:
        row, other = _alert(conn, "a"), _alert(conn, "b")
        yellow = _give(conn, row, 0)
        assert yellow
        with pytest.raises(AlertConflict, match="with a reason only"):
            cards.annul(conn, yellow.id, OFFICER, AT, "  ")
        with pytest.raises(AlertConflict, match="there is no card 'x'"):
            cards.annul(conn, "x", OFFICER, AT, "误判")
        assert cards.annul(conn, yellow.id, OFFICER, after(60), "误判：是猫")
        assert not cards.annul(conn, yellow.id, OFFICER, after(61), "再一次")
        kept = cards.get(conn, yellow.id)
        assert kept and (kept.annulled_by, kept.annul_reason) == (OFFICER, "误判：是猫")
        assert cards.of_establishment(conn, MARKET) == [kept]
        assert cards.of_establishment(conn, MARKET, standing_only=True) == []
        entry = alerts.timeline(conn, row.alert_id)[-1]
        assert (entry.kind, entry.actor, entry.note) == ("card_annulled", OFFICER, "误判：是猫")
        assert journal.after(conn, 0)[-1].kind == journal.CARD_ANNULLED
        assert _give(conn, row, 1) is None, "not again for the same alert"
        assert (found := _give(conn, other, 1)) and found.colour is Colour.YELLOW


def test_what_belongs_to_no_establishment_has_no_card(town: Engine) -> None:
    with writing(town) as conn:
        row = msgspec.structs.replace(_alert(conn, "a"), establishment_id=None)
        assert _give(conn, row, 0) is None
