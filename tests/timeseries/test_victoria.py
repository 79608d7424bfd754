"""v2 writes on a real server that takes them as InfluxDB 2 does: VictoriaMetrics."""

import json
import secrets
import urllib.parse
import urllib.request

import pytest
from influx_door import influx_door
from servers import VictoriaMetrics

from timeseries.port import Point, SeriesRejected

pytestmark = pytest.mark.real

AT_NS = 1_772_415_000_123_000_000


def exported(server: VictoriaMetrics, match: str) -> list[dict[str, object]]:
    urllib.request.urlopen(f"{server.url}/internal/force_flush", timeout=10).close()
    query = urllib.parse.urlencode({"match[]": match, "start": "0"})
    with urllib.request.urlopen(f"{server.url}/api/v1/export?{query}", timeout=10) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


@pytest.mark.parametrize("gzip", [True, False])
def test_v2_writes(victoria: VictoriaMetrics, gzip: bool) -> None:
    name = f"readings{secrets.token_hex(4)}"
    store = influx_door(
        api="v2", url=victoria.url, database="b", bucket="b", org="o", token="t", gzip=gzip
    )
    tags = {"region": "440705", "device": "探头 1,=\"'", "metric": "温度", "empty": ""}
    points = [Point(name, tags, {"value": n / 2}, AT_NS + n * 10**9) for n in range(100)]
    store.write(points)
    store.write(points[:50])
    bad = Point(name, tags, {"value": float("nan")}, AT_NS)
    with pytest.raises(SeriesRejected) as rejected:
        store.write([bad, Point(name, tags, {"count": 7, "open": True}, AT_NS)])
    assert [index for index, _ in rejected.value.rejected] == [0]
    (series,) = exported(victoria, f"{name}_value")
    labels = dict(series["metric"])  # type: ignore[call-overload]
    assert labels.pop("__name__") == f"{name}_value"
    labels.pop("db", None)
    assert labels == {"region": "440705", "device": "探头 1,=\"'", "metric": "温度"}
    values = dict(zip(series["timestamps"], series["values"], strict=True))  # type: ignore[call-overload]
    assert values == {AT_NS // 10**6 + n * 1000: n / 2 for n in range(100)}
    assert exported(victoria, f"{name}_count")[0]["values"] == [7]
    assert exported(victoria, f"{name}_open")[0]["values"] == [1]
    store.close()
