"""deploy/city/influxdb.conf on a real InfluxDB: it starts, and a gateway's user suffices."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from influx_door import influx_door
from servers import Influx, ask

from foodsentry.cli import main
from timeseries.port import Point, to_ns

pytestmark = pytest.mark.real

CONF = Path(__file__).parents[2] / "deploy" / "city" / "influxdb.conf"


class CityInflux(Influx):
    """The city's configuration in a folder and on ports of the test."""

    def command(self) -> list[str]:
        command = super().command()
        text = CONF.read_text("utf-8").replace("/var/lib/influxdb", str(self.folder))
        text = text.replace('":8086"', f'"127.0.0.1:{self.port}"')
        text = re.sub(r"127\.0\.0\.1:8088", f"127.0.0.1:{self.rpc_port}", text)
        (self.folder / "influxdb.conf").write_text(text, "utf-8")
        return command


def test_the_citys_influxdb(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with CityInflux(tmp_path / "influx", user="yes") as server:
        ask(server.url, "CREATE USER admin WITH PASSWORD 'a' WITH ALL PRIVILEGES")
        (tmp_path / "admin").write_text("a", "utf-8")
        file = tmp_path / "gateway.toml"
        file.write_text(
            f'[ledger]\n[series]\napi = "v1"\nurl = "{server.url}"\ndatabase = "foodsentry"\n',
            "utf-8",
        )
        admin = ["--username", "admin", "--token-file", str(tmp_path / "admin")]
        assert main(["gateway", "setup-influx", str(file), *admin]) == 0
        assert capsys.readouterr().out.count("done]") == 5
        for statement in (
            "CREATE USER gateway WITH PASSWORD 'g'",
            "GRANT ALL ON foodsentry TO gateway",
        ):
            ask(server.url, statement, u="admin", p="a")
        store = influx_door(
            api="v1", url=server.url, database="foodsentry", username="gateway", token="g"
        )
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
        tags = {"region": "440703", "device": "probe"}
        store.write(
            [Point("readings", tags, {"value": 3.5}, to_ns(start) + n * 10**9) for n in range(3600)]
        )
        (sample,) = store.samples(
            "readings", "value", tags, start, start + timedelta(hours=2), 3600
        )
        assert sample.value == 3.5
        store.close()
