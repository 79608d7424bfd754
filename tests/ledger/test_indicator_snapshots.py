"""Frozen months: once, for good, with what changes later beside them; a changed one is found."""

import threading
from datetime import datetime, timedelta
from pathlib import Path

import indicator_town as town_of
import pytest
from indicator_town import BASIS, CITY, INDICATORS, MARCH, TRUTH, A, figures
from sqlalchemy import delete, text, update

from contracts.periods import read_period
from contracts.words import Verdict
from contracts.workdays import CHINA
from foodsentry.cli import main
from ledger import audit, indicator_snapshots, results
from ledger.engine import Engine, LedgerRefused, reading, writing
from ledger.indicator_snapshots import Snapshot, difference, due, freeze, of_period, verify
from ledger.schema import indicator_snapshots as table

OVER = datetime(2026, 4, 1, 0, 0, tzinfo=CHINA)


@pytest.fixture
def city(book: Engine) -> Engine:
    with writing(book) as conn:
        town_of.build(conn)
        town_of.tell(conn)
    return book


def frozen(city: Engine) -> dict[str, Snapshot]:
    with reading(city) as conn:
        return {one.indicator: one for one in of_period(conn, "2026-03", [CITY])}


def test_a_month_is_frozen_once_when_it_is_over(city: Engine) -> None:
    with pytest.raises(ValueError, match="not over"), writing(city) as conn:
        freeze(conn, INDICATORS, BASIS, MARCH, OVER - timedelta(microseconds=1))
    with writing(city) as conn:
        assert [one.name for one in due(conn, OVER)] == ["2026-03"]
        assert freeze(conn, INDICATORS, BASIS, MARCH, OVER) == 15 * 6
        assert freeze(conn, INDICATORS, BASIS, MARCH, OVER) == 0
        assert due(conn, OVER) == []
        assert [one.name for one in due(conn, OVER + timedelta(days=62))] == ["2026-04", "2026-05"]
        with pytest.raises(ValueError, match="lies before"):
            freeze(conn, INDICATORS, BASIS, read_period("2026-02"), OVER)
    told = {name: (one.part, one.whole) for name, one in frozen(city).items() if name in TRUTH}
    assert told == TRUTH


def test_what_comes_later_is_a_difference(city: Engine) -> None:
    with writing(city) as conn:
        freeze(conn, INDICATORS, BASIS, MARCH, OVER)
    before = frozen(city)
    with writing(city) as conn:
        results.add(
            conn, [town_of.result(99, A, "m1", Verdict.PASS, town_of.march(31, 23), "late")]
        )
        assert freeze(conn, INDICATORS, BASIS, MARCH, OVER) == 0
    assert frozen(city) == before
    with reading(city) as conn:
        now = figures(conn, at=OVER)
        changed = {name for name, one in before.items() if difference(one, now[name])}
        assert verify(conn).fault == ""
    assert changed == {"quick_tests", "quick_test_pass"}
    assert (before["quick_tests"].value, now["quick_tests"].value) == (8.0, 9.0)


def test_two_who_freeze_at_once_freeze_once(city: Engine) -> None:
    made: list[int] = []

    def work() -> None:
        with writing(city) as conn:
            made.append(freeze(conn, INDICATORS, BASIS, MARCH, OVER))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(made) == [0, 0, 90]


def test_the_database_refuses_to_change_one(city: Engine) -> None:
    with writing(city) as conn:
        freeze(conn, INDICATORS, BASIS, MARCH, OVER)
    for statement in (update(table).values(value=100.0), delete(table)):
        with pytest.raises(LedgerRefused), writing(city) as conn:
            conn.execute(statement)


def test_whoever_gets_round_that_is_found(city: Engine) -> None:
    with writing(city) as conn:
        freeze(conn, INDICATORS, BASIS, MARCH, OVER)
        freeze(conn, INDICATORS, BASIS, read_period("2026-04"), OVER + timedelta(days=31))
    with writing(city) as conn:
        held = verify(conn)
        assert (held.rows, held.fault) == (180, "")
        for change in ("DELETE", "UPDATE"):
            name = f"indicator_snapshots_no_{change.lower()}"
            on = " ON indicator_snapshots" if conn.dialect.name == "postgresql" else ""
            conn.execute(text(f"DROP TRIGGER {name}{on}"))
    for tamper, said in (
        (update(table).where(table.c.number == 7).values(value=100.0), "number 7 "),
        (delete(table).where(table.c.number == 50), "number 50 is missing"),
        (delete(table).where(table.c.number > 170), "not what the audit chain noted"),
    ):
        connection = city.connect()
        connection.execute(tamper)
        assert said in verify(connection).fault
        connection.rollback()
        connection.close()
    with reading(city) as conn:
        assert verify(conn).fault == ""


def test_commands(file_book: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    url = ["--ledger", str(file_book.url)]
    with writing(file_book) as conn:
        town_of.build(conn)
        town_of.tell(conn)
    assert main(["ledger", "check-indicators"]) == 0
    assert "sampling_rate\tper_thousand_year\tsupervision_samplings\t7 ‰ [V]" in (
        capsys.readouterr().out
    )
    assert main(["ledger", "show-indicators", "2026-03", *url]) == 1
    assert main(["ledger", "freeze-indicators", "--month", "2026-03", *url]) == 0
    assert main(["ledger", "freeze-indicators", "--month", "2026-03", *url]) == 0
    assert "2026-03\t90\n2026-03\twas frozen before" in capsys.readouterr().out
    assert main(["ledger", "show-indicators", "2026-03", "--region", CITY, *url]) == 0
    assert f"{CITY}\tquick_tests\t8\t6.0\t8.0\t" in capsys.readouterr().out
    assert main(["ledger", "verify-indicators", *url]) == 0
    assert "90 numbers hold" in capsys.readouterr().out
    with reading(file_book) as conn:
        assert [one.action for one in audit.entries(conn)] == [indicator_snapshots.ACTION]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('denominator = "batches"', "denominator: 'batches' is"),
        ('numerator = "cases_done"', "numerator: 'cases_done' is no part of 'towns'"),
        ("target_mark_x = 1", "unknown field"),
    ],
)
def test_data_that_contradict_themselves_are_refused(
    tmp_path: Path, change: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key = change.partition(" ")[0]
    lines = [
        'id = "x"', 'title_zh = "甲"', 'title_en = "a"', 'formula_zh = "乙"', 'formula_en = "b"',
        'kind = "share"', 'numerator = "towns_tested"', 'denominator = "towns"',
        'source = "c"', 'mark = "U"',
    ]  # fmt: skip
    kept = [line for line in lines if not line.startswith(f"{key} ")]
    if key == "denominator":
        kept = [*kept[:5], 'kind = "per_thousand_year"', *kept[7:]]
        said = "denominator: only supervision samplings"
    file = tmp_path / "one.toml"
    file.write_text("\n".join(["[[indicator]]", *kept, change]), "utf-8")
    assert main(["ledger", "check-indicators", str(file)]) == 2
    assert said in capsys.readouterr().err
