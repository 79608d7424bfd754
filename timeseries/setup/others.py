"""Setup of what keeps data otherwise: InfluxDB 3 Core, VictoriaMetrics; it says what they lack."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from contracts.words import both
from timeseries.influx_client import InfluxClient
from timeseries.keep import KeepSettings, days_text
from timeseries.setup.steps import Step

_UNITS_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "M": 31, "y": 365, "": 31}
_RETENTION = re.compile(r'^-retentionPeriod="?([\d.]+)([hdwMy]?)', re.M)


def steps_v3(client: InfluxClient, database: str, keep: KeepSettings) -> Iterator[Step]:
    """InfluxDB 3 Core: a database with its retention, which cannot be changed afterwards."""
    answer = client.ask("GET", "/api/v3/configure/database", [("format", "json")])
    rows: list[dict[str, Any]] = msgspec.json.decode(answer.body)
    zh, en = days_text(keep.raw_days)
    text = both(f"数据库 {database}：{zh}", f"database {database}: {en}")
    if any(database in row.values() for row in rows):
        yield Step(both(f"数据库 {database}", f"database {database}"))
        yield Step(
            both(f"保留 {zh}", f"kept {en}"),
            cannot=both(
                "InfluxDB 3 Core 的保留期只能在建库时设定，无法核对或更改",
                "3 Core sets it when a database is made, and can neither tell nor change it",
            ),
        )
    else:
        table = {"db": database}
        if keep.raw_days:
            table["retention_period"] = f"{keep.raw_days}d"
        yield Step(text, lambda: client.ask("POST", "/api/v3/configure/database", body=table))
    yield Step(
        both("十分钟均值", "ten-minute means"),
        cannot=both(
            "InfluxDB 3 Core 没有任务；图表直接读取原始数据，过期后不再有均值",
            "InfluxDB 3 Core has no tasks; charts read the values, and nothing outlives them",
        ),
    )


def steps_victoria(client: InfluxClient, keep: KeepSettings) -> Iterator[Step]:
    """VictoriaMetrics: its retention is an option of its own command line."""
    zh, en = days_text(keep.raw_days)
    wanted = f"-retentionPeriod={keep.raw_days}d" if keep.raw_days else "-retentionPeriod=100y"
    has = victoria_days(client.ask("GET", "/flags").body.decode("utf-8", "replace"))
    cannot = ""
    if abs(has - (keep.raw_days or 36500)) > 1:
        cannot = both(
            f"它现在保留 {has:g} 天，更早的点会被它悄悄丢弃；请用 {wanted} 启动它",
            f"it keeps {has:g} days and drops older points without a word; start it with {wanted}",
        )
    yield Step(both(f"保留 {zh}", f"kept {en}"), cannot=cannot)
    yield Step(
        both("十分钟均值", "ten-minute means"),
        cannot=both(
            "开源版没有降采样（企业版有 -downsampling.period）；图表读取原始数据",
            "the open one does not thin out (-downsampling.period is Enterprise); charts read the "
            "values",
        ),
    )


def victoria_days(flags: str) -> float:
    """Days that a VictoriaMetrics keeps, from its /flags; one month unless it is told otherwise."""
    found = _RETENTION.search(flags)
    return float(found[1]) * _UNITS_DAYS[found[2]] if found else 31.0
