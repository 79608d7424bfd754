"""Setup of InfluxDB 2.x: two buckets, their InfluxQL names, tasks that keep the means, by its API.

Written from InfluxData's v2 API reference and "Manage DBRP mappings"; tried against a server of our
own that answers as these say.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import msgspec

from contracts.clock import Clock, utc_now
from contracts.words import both
from timeseries.influx_client import InfluxClient, Refused
from timeseries.keep import KeepSettings, days_text, seconds
from timeseries.schema import MEANS, MEANS_EVERY_S, THINNED
from timeseries.setup.steps import NEEDS_SHORTEN, Step, Wishes, backfill, would_shorten

SOON = "1h"
"""The means of so long are made anew every ten minutes."""
VALUES_POLICY = "autogen"


class SetupV2:
    """What an organisation should have; what is missing can be made."""

    def __init__(
        self,
        client: InfluxClient,
        org: str,
        bucket: str,
        database: str,
        keep: KeepSettings,
        clock: Clock = utc_now,
    ) -> None:
        self._client = client
        self._org = org
        self._bucket = bucket
        self._database = database
        self._keep = keep
        self._clock = clock
        self._org_id = ""

    def steps(self, wishes: Wishes) -> Iterator[Step]:
        """Step after step. Raises Refused or Unreachable if the server cannot say."""
        self._org_id = self._get("orgs", org=self._org)["orgs"][0]["id"]
        means = means_bucket(self._bucket)
        yield self._bucket_step(self._bucket, self._keep.raw_days, shorten=wishes.shorten)
        yield self._bucket_step(means, self._keep.means_days, shorten=wishes.shorten)
        yield self._mapping(self._bucket, VALUES_POLICY, default=True)
        yield self._mapping(means, MEANS, default=False)
        for measurement, field in THINNED:
            select = (self._bucket, means, self._org, measurement, field)
            name = f"foodsentry means of {measurement} {field}"
            late = f"{self._keep.late_days}d"
            yield self._task(name, flux_task(name, "10m", "1m", SOON, *select))
            yield self._task(f"{name}, late", flux_task(f"{name}, late", "1d", "3h", late, *select))
            if wishes.backfill_days:
                days = wishes.backfill_days
                yield backfill(measurement, days, self._backfill(days, *select))

    def _bucket_step(self, bucket: str, days: int, *, shorten: bool) -> Step:
        zh, en = days_text(days)
        text = both(f"存储桶 {bucket}：{zh}", f"bucket {bucket}: {en}")
        rules = [{"type": "expire", "everySeconds": seconds(days)}] if days else []
        found = self._find_bucket(bucket)
        if found is None:
            table = {"orgID": self._org_id, "name": bucket, "retentionRules": rules}
            return Step(text, self._does("POST", "buckets", table))
        old_s = next((rule["everySeconds"] for rule in found.get("retentionRules", [])), 0)
        if old_s == seconds(days):
            return Step(text)
        if would_shorten(old_s, seconds(days)) and not shorten:
            return Step(text, cannot=NEEDS_SHORTEN)
        return Step(text, self._does("PATCH", f"buckets/{found['id']}", {"retentionRules": rules}))

    def _mapping(self, bucket: str, policy: str, *, default: bool) -> Step:
        """The name under which InfluxQL reads a bucket; many servers have it of themselves."""
        shown = f"{self._database}.{policy}"
        text = both(f"InfluxQL 名称 {shown} → {bucket}", f"InfluxQL name {shown} → {bucket}")
        found = self._find_bucket(bucket)
        rows = self._get("dbrps", orgID=self._org_id, db=self._database)["content"]
        ours = [row for row in rows if row["database"] == self._database]
        if default:
            ours = [row for row in ours if row.get("default")]
        else:
            ours = [row for row in ours if row["retention_policy"] == policy]
        if found is not None and any(row["bucketID"] == found["id"] for row in ours):
            return Step(text)
        taken = [row for row in ours if not row.get("virtual")]
        if taken:
            other = taken[0]["bucketID"]
            return Step(
                text,
                cannot=both(
                    f"该名称已指向另一个存储桶 {other}",
                    f"the name leads to another bucket, {other}",
                ),
            )

        def make() -> None:
            bucket_id = (self._find_bucket(bucket) or {}).get("id", "")
            table = {
                "orgID": self._org_id,
                "bucketID": bucket_id,
                "database": self._database,
                "retention_policy": policy,
                "default": default,
            }
            self._client.ask("POST", "/api/v2/dbrps", body=table)

        return Step(text, make)

    def _task(self, name: str, flux: str) -> Step:
        text = both(f"任务 {name}", f"task {name}")
        rows = self._get("tasks", name=name, orgID=self._org_id)["tasks"]
        found = next((row for row in rows if row["name"] == name), None)
        if found is None:
            table = {"orgID": self._org_id, "flux": flux, "status": "active"}
            return Step(text, self._does("POST", "tasks", table))
        if found["flux"].strip() == flux.strip() and found.get("status") == "active":
            return Step(text)
        table = {"flux": flux, "status": "active"}
        return Step(text, self._does("PATCH", f"tasks/{found['id']}", table))

    def _backfill(self, days: int, *select: str) -> Callable[[], object]:
        def make() -> None:
            end = self._clock().replace(minute=0, second=0, microsecond=0)
            for hour in range(24 * days):
                start, stop = end - timedelta(hours=hour + 1), end - timedelta(hours=hour)
                query = flux_means(start.isoformat(), stop.isoformat(), *select)
                body = {"query": query, "type": "flux"}
                self._client.ask("POST", "/api/v2/query", [("orgID", self._org_id)], body)

        return make

    def _find_bucket(self, bucket: str) -> dict[str, Any] | None:
        try:
            rows = self._get("buckets", name=bucket, orgID=self._org_id)["buckets"]
        except Refused as error:
            if error.status == 404:
                return None
            raise
        return next((row for row in rows if row["name"] == bucket), None)

    def _get(self, kind: str, **asked: str) -> Any:
        answer = self._client.ask("GET", f"/api/v2/{kind}", list(asked.items()))
        return msgspec.json.decode(answer.body)

    def _does(self, method: str, path: str, table: object) -> Callable[[], object]:
        return lambda: self._client.ask(method, f"/api/v2/{path}", body=table)


def means_bucket(bucket: str) -> str:
    """The bucket of the means: InfluxDB reads `db/policy` as an InfluxQL name by itself."""
    return f"{bucket}/{MEANS}"


def flux_task(
    name: str, every: str, offset: str, back: str, bucket: str, means: str, org: str,
    measurement: str, field: str,
) -> str:  # fmt: skip
    """A task that makes the means of the last `back` anew, whole buckets only."""
    unit = f"{MEANS_EVERY_S // 60}m"
    start = f"date.truncate(t: -{back}, unit: {unit})"
    stop = f"date.truncate(t: now(), unit: {unit})"
    head = f'option task = {{name: "{name}", every: {every}, offset: {offset}}}\n\n'
    flux = flux_means(start, stop, bucket, means, org, measurement, field)
    return f'import "date"\n\n{head}{flux}'


def flux_means(
    start: str, stop: str, bucket: str, means: str, org: str, measurement: str, field: str
) -> str:
    """The Flux script that writes the means of a span."""
    unit = f"{MEANS_EVERY_S // 60}m"
    made = ",\n        ".join(
        f'kept(fn: {function}, as: "{as_}")'
        for function, as_ in (
            ("mean", "value"), ("min", "min"), ("max", "max"), ("sum", "sum"), ("count", "count")
        )
    )  # fmt: skip
    return f"""values = from(bucket: {_flux(bucket)})
    |> range(start: {start}, stop: {stop})
    |> filter(fn: (r) => r._measurement == {_flux(measurement)} and r._field == {_flux(field)})

kept = (fn, as) => values
    |> aggregateWindow(every: {unit}, fn: fn, createEmpty: false, timeSrc: "_start")
    |> toFloat()
    |> set(key: "_field", value: as)

union(
    tables: [
        {made},
    ],
)
    |> to(bucket: {_flux(means)}, org: {_flux(org)})
"""


def _flux(text: str) -> str:
    """A string literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'
