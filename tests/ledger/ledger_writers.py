"""What the processes of the ledger's concurrency tests do; importable by a spawned process."""

import multiprocessing
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from ledger_town import AGENT, AT, alert, result

from ledger import alerts, audit, intake, journal, results, rule_state
from ledger.engine import Engine, LedgerDown, open_engine, writing


def again_while_down(engine: Engine, work: Callable[[Any], None]) -> None:
    """One transaction, as a gateway does it: tried again while it may be."""
    while True:
        try:
            with writing(engine) as conn:
                work(conn)
            return
        except LedgerDown:
            continue


def claim_and_store(url: str, batches: Sequence[Sequence[int]]) -> list[int]:
    """Claim each batch and store a result for what was fresh; returns what this process got."""
    engine = open_engine(url)
    got: list[int] = []
    for batch in batches:
        with writing(engine) as conn:
            fresh = intake.claim(conn, AGENT, "e1", batch)
            results.add(conn, [result(n) for n in sorted(fresh)])
        got += sorted(fresh)
    engine.dispose()
    return got


def raise_alerts(url: str, name: int, times: int) -> None:
    """Raise own and common alerts, remember rule state, in orders that differ by process."""
    engine = open_engine(url)
    keys = [("rule", f"series-{n}") for n in range(4)]
    if name % 2:
        keys.reverse()
    for turn in range(times):

        def work(conn: Any, turn: int = turn) -> None:
            rule_state.get(conn, keys)
            for n in range(3) if name % 2 else range(2, -1, -1):
                alerts.raise_alert(conn, alert(f"common-{n}", AT + timedelta(seconds=turn)))
            alerts.raise_alert(conn, alert(f"own-{name}-{turn}"))
            rule_state.put(conn, {key: {"turn": turn} for key in keys}, AT)

        again_while_down(engine, work)
    engine.dispose()


def append_audit(url: str, name: int, times: int) -> None:
    """Append to the chain, a transaction each."""
    engine = open_engine(url)
    for turn in range(times):
        with writing(engine) as conn:
            audit.append(conn, f"actor-{name}", "act", f"{turn}", {"turn": turn}, AT)
    engine.dispose()


def note(url: str, name: int, times: int) -> None:
    """Append to the journal, several rows a transaction."""
    engine = open_engine(url)
    for turn in range(times):
        with writing(engine) as conn:
            for part in range(3):
                body = {"writer": name, "turn": turn, "part": part}
                journal.append(conn, "device", at=AT, region="r", site="s", ref="x", body=body)
    engine.dispose()


def together(work: Callable[..., Any], arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run `work` in one process for each tuple of arguments, all at once; what they returned."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(len(arguments)) as pool:
        waiting = [pool.apply_async(work, given) for given in arguments]
        return [answer.get(60) for answer in waiting]
