"""`foodsentry bench console`: a city's console on PostgreSQL: how quick pages and live lists are.

A real PostgreSQL is filled with a made-up city (see `foodsentry.district`), a real
`foodsentry server run` serves it. **Pages**: the server's own time for each, as its `Server-Timing`
says, by officers of city, district and town: from one client in turn, then from several at the same
time. **Streams**: consoles held open by other processes; alerts are written to the ledger as intake
does; from the moment before an alert's transaction to the alert's line on each stream.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path

import msgspec

from contracts.clock import utc_now
from contracts.topics import Identity
from contracts.words import Severity
from foodsentry.bench.console_pages import PageFigure, asks, figures, in_turn, under_load
from foodsentry.bench.console_streams import Told, consoles
from foodsentry.bench.ending import ended_by_signals, mortal
from foodsentry.bench.figures import at_share, machine
from foodsentry.bench.servers import BenchFailed, analyse, postgres
from foodsentry.demo.console import sign_in
from foodsentry.demo.files import toml
from foodsentry.demo.processes import Processes
from foodsentry.demo.run import free_port
from foodsentry.demo.seed import PASSWORD
from foodsentry.district.fill import Filled, Size, fill, fill_series
from ledger import alerts, case_lists, journal
from ledger.alerts import NewAlert
from ledger.engine import Engine, open_engine, reading, writing
from server.passwords import Passwords
from timeseries.settings import SeriesSettings, open_store

CLIENTS = 4
"""At the same time, each without a pause: far more than as many people."""
RAISE_EVERY_S = 0.7
SETTLE_S = 3.0
START_LIMIT_S = 60.0
UNBOUND = 1_000_000
"""No session asks for as many charts as the benchmark does."""


class StreamFigure(msgspec.Struct, frozen=True):
    """From an alert's raising to its line on a console."""

    consoles: int
    alerts: int
    deliveries: int
    missed: int
    p50_s: float
    p95_s: float
    p99_s: float
    most_s: float
    last_p95_s: float
    """Until the last of all consoles had it, of 95 % of the alerts."""
    returns: int
    """How often a console's stream ended, so that it came back."""


class Measured(msgspec.Struct, frozen=True):
    """What was measured."""

    machine: str
    alerts: int
    establishments: int
    fill_s: float
    clients: int
    """Of the load."""
    pages: list[PageFigure]
    streams: StreamFigure | None
    rss_mb: float
    """Of the server process, at the end."""


def measure(size: Size, seconds: float, streams: int, raised: int) -> Measured:
    """Fill, serve, ask, raise. Raises BenchFailed."""
    with ended_by_signals(), tempfile.TemporaryDirectory(prefix="fs-bench-console-") as name:
        folder, database = Path(name), free_port()
        with postgres(database) as url:
            engine = open_engine(url)
            begun = time.monotonic()
            made = fill(engine, size, utc_now(), Passwords().hash(PASSWORD))
            store = open_store(SeriesSettings(path="series.sqlite"), folder)
            fill_series(store, made.places[:20], utc_now())
            store.close()
            analyse(database)
            filled_s = time.monotonic() - begun
            try:
                with _server(folder, url) as (processes, port):
                    logins = _logins(made)
                    cookies = {role: sign_in(port, logins[role], PASSWORD) for role in logins}
                    with reading(engine) as conn:
                        opened = case_lists.list_in(conn, None, limit=4)
                    wanted = asks(made, cookies, [one.case_id for one in opened])
                    pages = figures(in_turn(port, wanted, seconds), "turn")
                    pages += figures(under_load(port, wanted, seconds, CLIENTS), "load")
                    live = _live(engine, port, made, cookies, streams, raised) if streams else None
                    rss_mb = processes.rss_mb("server")
            finally:
                engine.dispose()
    return Measured(
        machine(), size.alerts, size.establishments, filled_s, CLIENTS, pages, live, rss_mb
    )


def _logins(made: Filled) -> dict[str, str]:
    """One officer of each level, each above the next."""
    town = made.places[0].region
    return {"city": "city", "county": f"c{town.partition('-')[0]}", "town": town}


@contextmanager
def _server(folder: Path, url: str) -> Iterator[tuple[Processes, int]]:
    port = free_port()
    settings = folder / "server.toml"
    table = {
        "port": port,
        "public_base_url": f"http://127.0.0.1:{port}",
        "ledger": {"url": url},
        "series": {"api": "sqlite", "path": "series.sqlite"},
        "rates": {"costly_per_minute": UNBOUND, "costly_at_once": UNBOUND},
    }
    settings.write_text(toml(table), "utf-8")
    with Processes(folder, mortal) as processes:
        processes.start("server", "server", "run", str(settings))
        processes.wait_for(f"http://127.0.0.1:{port}/healthz", START_LIMIT_S)
        yield processes, port


def _live(
    engine: Engine, port: int, made: Filled, cookies: dict[str, str], count: int, raised: int
) -> StreamFigure:
    """Open the consoles, raise alerts that each of them shows, count what came when."""
    with reading(engine) as conn:
        cursor = journal.last_id(conn)
    filters = ("", "&class=1", "&state=firing")
    looks = [
        (f"/alerts/live?after={cursor}{asked}", f"{cookie}; fs_language={language}")
        for asked, cookie, language in product(filters, cookies.values(), ("zh_CN", "en"))
    ]
    place = made.places[0]
    who = Identity(place.region, place.site, "agent")
    raised_at: dict[str, float] = {}
    with consoles(port, [looks[n % len(looks)] for n in range(count)]) as opened:
        time.sleep(SETTLE_S)
        for number in range(raised):
            begun_s = time.monotonic()
            with writing(engine) as conn:
                alert_id, _ = alerts.raise_alert(conn, _alert(who, number))
            raised_at[alert_id] = begun_s
            time.sleep(RAISE_EVERY_S)
        time.sleep(SETTLE_S)
        told = opened.close()
    return _figure(told, raised_at)


def _alert(who: Identity, number: int) -> NewAlert:
    return NewAlert(
        fingerprint=f"bench|{number}", rule="pesticide_positive", rule_version="1",
        severity=Severity.AT_ONCE, title_zh=f"农药残留快检阳性：第 {number} 号",
        title_en=f"Pesticide residue positive: {number}", who=who,
        raised_at=utc_now() - timedelta(seconds=1), facts={"value": 71.2, "unit": "%"},
    )  # fmt: skip


def _figure(told: Sequence[Told], raised_at: dict[str, float]) -> StreamFigure:
    spent: list[float] = []
    last = dict.fromkeys(raised_at, 0.0)
    missed = 0
    for console in told:
        first = {one.alert_id: one.at_s for one in reversed(console.seen)}
        for alert_id, begun_s in raised_at.items():
            if alert_id not in first:
                missed += 1
                continue
            spent.append(first[alert_id] - begun_s)
            last[alert_id] = max(last[alert_id], spent[-1])
    spent.sort()
    if not spent:
        raise BenchFailed("no console was told of any alert")
    return StreamFigure(
        consoles=len(told), alerts=len(raised_at), deliveries=len(spent), missed=missed,
        p50_s=at_share(spent, 0.5), p95_s=at_share(spent, 0.95), p99_s=at_share(spent, 0.99),
        most_s=spent[-1], last_p95_s=at_share(sorted(last.values()), 0.95),
        returns=sum(one.returns for one in told),
    )  # fmt: skip


def as_table(found: Measured) -> str:
    """The figures as Markdown."""
    lines = [
        f"{found.machine}\n",
        f"{found.alerts:,} alerts, {found.establishments:,} establishments in PostgreSQL "
        f"(filled in {found.fill_s:.0f} s); server process {found.rss_mb:.0f} MB.\n",
        f"| server time, ms | n | p50 | p95 | p99 | {found.clients} clients at once: n | p50 | p95 "
        "| p99 |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    by_name: dict[str, dict[str, PageFigure]] = {}
    for one in found.pages:
        by_name.setdefault(one.name, {})[one.asked] = one
    for name, asked in by_name.items():
        lines.append(f"| {name} | {_cells(asked.get('turn'))} | {_cells(asked.get('load'))} |")
    if found.streams:
        lines += ["", _told(found.streams)]
    return "\n".join(lines)


def _cells(one: PageFigure | None) -> str:
    if one is None:
        return " | | |"
    shares = " | ".join(f"{share * 1000:.0f}" for share in (one.p50_s, one.p95_s, one.p99_s))
    return f"{one.n} | {shares}"


def _told(one: StreamFigure) -> str:
    return (
        f"{one.consoles} open consoles, {one.alerts} alerts: {one.deliveries:,} lines, "
        f"{one.missed} missed; p50 {one.p50_s:.3f} s, p95 {one.p95_s:.3f} s, "
        f"p99 {one.p99_s:.3f} s, at most {one.most_s:.3f} s; the last console had an alert within "
        f"{one.last_p95_s:.3f} s (p95). Streams that ended and came back: {one.returns}."
    )
