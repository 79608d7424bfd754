"""Setup of InfluxDB 1.x: a database, two retention policies, continuous queries, by InfluxQL.

The values stay in the database's default retention policy, whatever its name, so that a database
that was there before keeps what it has.
"""

import re
import time
from collections.abc import Callable, Iterator

from contracts.words import both
from timeseries import influxql
from timeseries.influx_client import InfluxClient
from timeseries.influxql import name
from timeseries.keep import KeepSettings, days_text, seconds
from timeseries.port import Value
from timeseries.schema import MEANS, MEANS_EVERY_S, MEANS_FIELDS, THINNED
from timeseries.setup.steps import NEEDS_SHORTEN, Step, Wishes, backfill, would_shorten

SOON_S = 3600
"""The means of so long are made anew every ten minutes."""
DAY_S = 86_400
HOUR_S = 3600
_FUNCTIONS = ("mean", "min", "max", "sum", "count")
_UNITS = {"w": 604_800, "d": DAY_S, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"(\d+)([wdhms])")
_DURATION = re.compile(r"\b(?:\d+[wdhms])+\b")


class SetupV1:
    """What a database should have; what is missing can be made."""

    def __init__(self, client: InfluxClient, database: str, keep: KeepSettings) -> None:
        self._client = client
        self._database = database
        self._keep = keep

    def steps(self, wishes: Wishes) -> Iterator[Step]:
        """Step after step. Raises Refused, Unreachable or QueryError if the server cannot say."""
        database, keep = self._database, self._keep
        exists = [database] in self._ask("SHOW DATABASES")
        made = None if exists else self._does(f"CREATE DATABASE {name(database)}")
        yield Step(both(f"数据库 {database}", f"database {database}"), made)
        policies = self._policies() if exists else {}
        default = next((one for one, (_, first) in policies.items() if first), "autogen")
        yield self._policy(default, keep.raw_days, policies, shorten=wishes.shorten or not exists)
        yield self._policy(MEANS, keep.means_days, policies, shorten=wishes.shorten)
        queries = self._queries() if exists else {}
        for measurement, field in THINNED:
            select = self._select_into(default, measurement, field)
            soon = f"EVERY {MEANS_EVERY_S}s FOR {SOON_S}s"
            late = f"EVERY {DAY_S}s FOR {keep.late_days * DAY_S}s"
            for end, again in (("", soon), ("_late", late)):
                yield self._query(f"foodsentry_{measurement}_{field}{end}", select, again, queries)
            if wishes.backfill_days:
                days = wishes.backfill_days
                yield backfill(measurement, days, self._does(*_by_hour(select, days)))

    def _policy(
        self, policy: str, days: int, policies: dict[str, tuple[int, bool]], *, shorten: bool
    ) -> Step:
        zh, en = days_text(days)
        text = both(f"保留策略 {policy}：{zh}", f"retention policy {policy}: {en}")
        on = f"RETENTION POLICY {name(policy)} ON {name(self._database)}"
        duration = f"DURATION {seconds(days)}s" if days else "DURATION INF"
        shards = f"SHARD DURATION {shard_days(days, 30 if policy == MEANS else 7)}d"
        if policy in policies:
            old_s, _ = policies[policy]
            if old_s == seconds(days):
                return Step(text)
            if would_shorten(old_s, seconds(days)) and not shorten:
                return Step(text, cannot=NEEDS_SHORTEN)
        elif policy == MEANS:
            return Step(text, self._does(f"CREATE {on} {duration} REPLICATION 1 {shards}"))
        return Step(text, self._does(f"ALTER {on} {duration} {shards}"))

    def _query(self, query: str, select: str, again: str, queries: dict[str, str]) -> Step:
        text = both(f"连续查询 {query}", f"continuous query {query}")
        on = f"CONTINUOUS QUERY {name(query)} ON {name(self._database)}"
        grouped = f"GROUP BY time({MEANS_EVERY_S}s), *"
        create = f"CREATE {on} RESAMPLE {again} BEGIN {select} {grouped} END"
        if query not in queries:
            return Step(text, self._does(create))
        if normal(queries[query]) == normal(create):
            return Step(text)
        return Step(text, self._does(f"DROP {on}", create))

    def _select_into(self, default: str, measurement: str, field: str) -> str:
        kept = ", ".join(
            f"{function}({name(field)}) AS {name(as_)}"
            for function, as_ in zip(_FUNCTIONS, MEANS_FIELDS, strict=True)
        )
        database, table = name(self._database), name(measurement)
        into = f"INTO {database}.{name(MEANS)}.{table}"
        source = f"{database}.{name(default)}.{table}"
        return f"SELECT {kept} {into} FROM {source}"  # noqa: S608 - names are quoted

    def _policies(self) -> dict[str, tuple[int, bool]]:
        """Seconds kept (0: for ever) and whether it is the default, by name."""
        rows = self._ask(f"SHOW RETENTION POLICIES ON {name(self._database)}")
        return {str(row[0]): (duration_s(str(row[1])), bool(row[4])) for row in rows}

    def _queries(self) -> dict[str, str]:
        """This database's, by name; the answer has those of all databases."""
        here = f" ON {self._database} RESAMPLE "
        rows = self._ask("SHOW CONTINUOUS QUERIES")
        return {str(row[0]): str(row[1]) for row in rows if here in str(row[1]).replace('"', "")}

    def _ask(self, statement: str) -> list[list[Value | None]]:
        parameters = [("db", self._database), ("q", statement)]
        return influxql.read_table(self._client.ask("POST", "/query", parameters).body)

    def _does(self, *statements: str) -> Callable[[], object]:
        return lambda: [self._ask(statement) for statement in statements]


def duration_s(text: str) -> int:
    """Seconds of a duration such as ``9600h0m0s`` or ``5w``."""
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def shard_days(days: int, usual: int) -> int:
    """Days of one shard: shorter than what is kept, or nothing would ever go."""
    return usual if days == 0 or days >= 2 * usual else max(1, min(7, days // 4))


def normal(statement: str) -> str:
    """A statement as it can be compared: the server drops quotes and writes durations anew."""
    return _DURATION.sub(lambda found: f"{duration_s(found[0])}s", statement.replace('"', ""))


def _by_hour(select: str, days: int) -> list[str]:
    """A statement for each hour: a city's day would take a server too long for one answer."""
    end_s = int(time.time()) // MEANS_EVERY_S * MEANS_EVERY_S
    grouped = f"GROUP BY time({MEANS_EVERY_S}s), *"
    return [
        f"{select} WHERE time >= {start_s}s AND time < {start_s + HOUR_S}s {grouped}"
        for start_s in range(end_s - days * DAY_S, end_s, HOUR_S)
    ]
