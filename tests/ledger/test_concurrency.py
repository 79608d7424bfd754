"""Several processes at one ledger: nothing twice, nothing lost, ids visible in their order."""

import multiprocessing
import random
import threading
import time
from contextlib import ExitStack

import pytest
from ledger_town import AGENT, AT, MARKET, alert
from ledger_writers import append_audit, claim_and_store, note, raise_alerts, together
from servers import Postgres
from sqlalchemy import event, text

from ledger import alerts, audit, intake, journal, results
from ledger import engine as ledger_engine
from ledger.engine import Engine, LedgerDown, LedgerRefused, open_engine, reading, writing


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@pytest.mark.slow
def test_two_gateways_claim_the_same_numbers(town: Engine) -> None:
    numbers = list(range(1, 401))
    batches = []
    for seed in (1, 2):
        shuffled = random.Random(seed).sample(numbers, len(numbers))
        batches.append([shuffled[n : n + 20] for n in range(0, len(shuffled), 20)])
    got = together(claim_and_store, [(_url(town), mine) for mine in batches])
    assert sorted(got[0] + got[1]) == numbers
    with reading(town) as conn:
        stored = results.for_establishment(conn, MARKET, 1000)
        assert sorted(row.sequence for row in stored) == numbers
        (progress,) = intake.progress(conn)
        assert (progress.highest, progress.missing, progress.lowest_gap) == (400, 0, 401)
        assert len(journal.after(conn, 0, 1000)) == 400


@pytest.mark.slow
def test_journal_ids_become_visible_in_order(town: Engine) -> None:
    writers, turns = 3, 40
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=note, args=(_url(town), n, turns)) for n in range(writers)]
    for process in processes:
        process.start()
    seen: list[journal.JournalRow] = []
    cursor, until = 0, time.monotonic() + 60
    while len(seen) < writers * turns * 3:
        assert time.monotonic() < until
        with reading(town) as conn:
            rows = journal.after(conn, cursor, 7)
        seen += rows
        cursor = rows[-1].id if rows else cursor
    for process in processes:
        process.join()
        assert process.exitcode == 0
        process.close()
    ids = [row.id for row in seen]
    assert ids == sorted(set(ids))
    # Each transaction's rows stand together, in their order; each writer's turns in theirs.
    for at in range(0, len(seen), 3):
        assert [row.body["part"] for row in seen[at : at + 3]] == [0, 1, 2]
        assert len({(row.body["writer"], row.body["turn"]) for row in seen[at : at + 3]}) == 1
    for writer in range(writers):
        told = [r.body["turn"] for r in seen[::3] if r.body["writer"] == writer]
        assert told == list(range(turns))


@pytest.mark.slow
def test_alerts_are_raised_once_however_many_raise_them(town: Engine) -> None:
    together(raise_alerts, [(_url(town), name, 15) for name in range(3)])
    with reading(town) as conn:
        rows = {row.fingerprint: row for row in alerts.list_in(conn, None, None, 1000)}
        assert len(rows) == 3 + 45
        assert [rows[f"common-{n}"].count for n in range(3)] == [45, 45, 45]
        assert len(journal.after(conn, 0, 1000)) == 45 * 4


@pytest.mark.slow
def test_the_audit_chain_holds_under_concurrency(town: Engine) -> None:
    together(append_audit, [(_url(town), name, 20) for name in range(3)])
    with reading(town) as conn:
        found = audit.verify(conn)
        assert (found.entries, found.broken_id) == (60, None)


def test_a_reader_never_waits_for_a_writer(town: Engine) -> None:
    with writing(town) as conn:
        alerts.raise_alert(conn, alert())
        began = time.monotonic()
        with reading(town) as other:
            assert alerts.list_in(other, None) == []
        assert time.monotonic() - began < 1
    with reading(town) as conn:
        assert len(alerts.list_in(conn, None)) == 1


def test_a_reader_sees_one_moment_on_sqlite(file_book: Engine) -> None:
    with reading(file_book) as conn:
        assert journal.last_id(conn) == 0
        with writing(file_book) as other:
            journal.append(other, "device", at=AT, region="r", site="s", ref="x", body={})
        assert journal.last_id(conn) == 0


def test_a_reader_cannot_write(town: Engine) -> None:
    with pytest.raises(Exception, match=r"(?i)read.?only"), reading(town) as conn:
        alerts.raise_alert(conn, alert())
    with writing(town) as conn:
        alerts.raise_alert(conn, alert())


def test_a_locked_file_says_so(file_book: Engine) -> None:
    impatient = open_engine(f"{_url(file_book)}?timeout=0.1")
    with writing(file_book):
        with pytest.raises(LedgerDown, match="locked"), writing(impatient):
            pass
        with reading(impatient) as conn:
            assert journal.last_id(conn) == 0
    impatient.dispose()


def test_what_can_never_be_stored_is_told_apart(town: Engine) -> None:
    with writing(town) as conn:
        with pytest.raises(ValueError, match="sequence out of range"):
            intake.claim(conn, AGENT, "e1", [0])
        with pytest.raises(ValueError, match="empty or too long"):
            intake.claim(conn, AGENT, "e" * 129, [1])
    with pytest.raises(LedgerRefused), writing(town) as conn:
        alerts.raise_alert(conn, alert(at=AT.replace(tzinfo=None)))


@pytest.mark.real
def test_a_deadlock_costs_one_of_the_two_a_try(server_book: Engine) -> None:
    with writing(server_book) as conn:
        for name in "ab":
            conn.execute(text("INSERT INTO cursors VALUES (:name, 0)"), {"name": name})
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def work(first: str, second: str) -> None:
        change = text("UPDATE cursors SET position = position + 1 WHERE name = :name")
        try:
            with writing(server_book) as conn:
                conn.execute(change, {"name": first})
                barrier.wait(10)
                conn.execute(change, {"name": second})
            outcomes.append("done")
        except LedgerDown as error:
            outcomes.append("deadlock" if "deadlock" in str(error) else str(error))

    threads = [threading.Thread(target=work, args=pair) for pair in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["deadlock", "done"]


@pytest.mark.real
def test_nobody_waits_for_ever(server_book: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_engine, "BUSY_TIMEOUT_S", 0.2)
    monkeypatch.setattr(ledger_engine, "FORSAKEN_S", 0.4)
    impatient = open_engine(_url(server_book))
    lock = text("LOCK TABLE cursors IN EXCLUSIVE MODE")
    with writing(server_book) as conn:
        conn.execute(lock)
        with pytest.raises(LedgerDown, match="lock timeout"), writing(impatient) as other:
            other.execute(lock)
    # One that holds a lock and does nothing is ended by the server; others go on.
    with pytest.raises(LedgerDown, match="idle-in-transaction"), writing(impatient) as forsaken:
        forsaken.execute(lock)
        with writing(server_book) as conn:
            conn.execute(lock)
        forsaken.execute(lock)
    impatient.dispose()


@pytest.mark.real
def test_a_server_that_is_gone_and_comes_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Postgres(tmp_path_factory.mktemp("gone")) as server:
        engine = open_engine(server.url())
        with reading(engine) as conn:
            conn.execute(text("SELECT 1"))
        with pytest.raises(LedgerDown), writing(engine) as conn:
            server.kill()
            conn.execute(text("SELECT 1"))
        with pytest.raises(LedgerDown), reading(engine):
            pass
        server.start()
        with reading(engine) as conn:
            conn.execute(text("SELECT 1"))
        engine.dispose()


def test_an_empty_transaction_leaves_nothing_for_the_next(town: Engine) -> None:
    """A journal row held by a failed transaction must not go out with the connection's next."""

    class Enough(Exception):
        pass

    for _ in range(3):
        with pytest.raises(Enough), writing(town) as conn:
            alerts.raise_alert(conn, alert())
            raise Enough
        with writing(town):
            pass
    with writing(town) as conn:
        assert journal.last_id(conn) == 0
        assert journal.after(conn, 0) == []


@pytest.mark.real
def test_a_rush_opens_no_connection_anew(postgres: Postgres) -> None:
    engine = open_engine(postgres.create_database())
    opened: list[object] = []
    event.listen(engine, "connect", lambda link, _: opened.append(link))
    for _ in range(3):
        with ExitStack() as rush:
            for _ in range(12):
                rush.enter_context(reading(engine)).execute(text("SELECT 1"))
    engine.dispose()
    assert len(opened) == 12
