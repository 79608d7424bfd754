"""Months are frozen by one of several gateways, once, also when nobody ran at their end."""

from datetime import datetime, timedelta
from pathlib import Path

import indicator_town as town_of
import pytest

from contracts.workdays import CHINA
from gateway.freezing import Freezing, read_freezing
from gateway.health import Health
from gateway.metrics import Metrics
from gateway.settings import AlertSettings
from ledger import indicator_snapshots, migrate
from ledger.engine import Engine, open_engine, reading, writing

AT = datetime(2026, 4, 1, tzinfo=CHINA)


@pytest.fixture
def book(tmp_path: Path) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate.upgrade(engine)
    with writing(engine) as conn:
        town_of.build(conn)
    return engine


def test_one_of_two_gateways_freezes_what_is_due(book: Engine) -> None:
    now = [AT]
    data = read_freezing(AlertSettings(), Path())
    one, two = (
        Freezing(book, data, name=name, metrics=Metrics(), health=Health(), clock=lambda: now[0])
        for name in "ab"
    )
    assert (one.freeze_once(), two.freeze_once()) == (90, 0)
    # Nobody runs for two months: both are frozen, and the lease is free again.
    now[0] = AT + timedelta(days=62)
    assert (two.freeze_once(), one.freeze_once()) == (180, 0)
    with reading(book) as conn:
        assert indicator_snapshots.verify(conn).rows == 270
    book.dispose()
