"""The sheet of devices: what is registered to speak, at which site."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from contracts.topics import ALERTS, NOTICES
from contracts.words import DeviceState
from ledger.schema import devices, sites
from ledger.sheets.cells import Column, Row
from ledger.sheets.faults import Wrong
from ledger.sheets.sheet import Change, Sheet, Standing, needed, segment, tried
from ledger.sql import among_these

LONGEST_S = 31 * 86_400


class Devices(Sheet):
    """A row is known again by its site and its id there."""

    name = "devices"
    one = "device"
    table = devices
    order = ("region", "site", "device")
    searched = ("name", "site", "device", "model")
    columns = (
        Column("site", "点位编号", needed=True, most=64),
        Column("device", "设备编号", needed=True, most=64),
        Column(
            "kind",
            "类型",
            needed=True,
            options=(
                ("agent", "边缘网关"),
                ("pesticide_reader", "农残检测仪"),
                ("analyzer", "快检分析仪"),
                ("probe", "温度探头"),
                ("camera", "摄像头"),
            ),
        ),
        Column("name", "名称", needed=True),
        Column("model", "型号"),
        Column("silent_after_s", "静默报警秒数", most=16),
    )

    def listing(self) -> Select[Any]:
        names = ("site", "device", "region", "kind", "name", "model", "silent_after_s")
        return select(*(devices.c[name] for name in (*names, "registered_at", "retired_at")))

    def standing(self, row: Any) -> Standing:
        silent = row.silent_after_s
        cells = {
            "site": row.site,
            "device": row.device,
            "kind": row.kind,
            "name": row.name,
            "model": row.model,
            "silent_after_s": "" if silent is None else _number(silent),
        }
        return Standing(f"{row.site}/{row.device}", row.region, cells, row.retired_at)

    def look_up(self, rows: Sequence[Row]) -> None:
        wanted = {row["site"] for row in rows if row.get("site")}
        found = self.conn.execute(self.listing().where(among_these(devices.c.site, wanted)))
        self._known = {(row.site, row.device): self.standing(row) for row in found}
        places = self.conn.execute(select(sites).where(among_these(sites.c.id, wanted)))
        self._sites = {row.id: row for row in places}

    def find(self, row: Row) -> Standing | None:
        self._site(row)
        return self._known.get((row["site"], row["device"]))

    def _site(self, row: Row) -> Any:
        site = self._sites.get(row["site"])
        if site is None or not self.bounds.covers(site.region):
            raise Wrong("unknown", "site", value=row["site"])
        if site.retired_at is not None:
            raise Wrong("retired", "site", value=row["site"])
        return site

    def check(self, row: Row, before: Standing | None) -> Iterator[Wrong]:
        yield from needed(row, self.columns)
        yield from tried(self._site, row)
        if row["device"]:
            yield from tried(_check_name, row)
        if row["silent_after_s"]:
            yield from tried(_put_seconds, row)

    def keys(self, row: Row) -> list[tuple[str, str]]:
        return [("device", f"{row['site']}/{row['device']}")]

    def values(self, row: Row) -> dict[str, Any]:
        silent = row["silent_after_s"]
        return {**row, "silent_after_s": float(silent) if silent else None}

    def row_key(self, change: Change) -> dict[str, Any]:
        return {"site": change.after["site"], "device": change.after["device"]}

    def fresh(self, change: Change, at: datetime) -> dict[str, Any]:
        made = self.values(change.after)
        return made | {
            "region": self._sites[made["site"]].region,
            "registered_at": at,
            "state": DeviceState.UNKNOWN.value,
            "state_detail": "",
            "software": "",
            "epoch": "",
            "oldest_unsent_age_s": 0.0,
            "backlog": 0,
            "outbox_bytes": 0,
            "thinned": 0,
            "discarded_bytes": 0,
            "figures": {},
            "numbering": [],
        }


def _check_name(row: Row) -> None:
    segment(row, "device")
    if row["device"] in (ALERTS, NOTICES):
        raise Wrong("reserved", "device", value=row["device"])


def _put_seconds(row: Row) -> None:
    cell = row["silent_after_s"]
    try:
        seconds = float(cell) if cell.isascii() and "_" not in cell else -1.0
    except ValueError:
        seconds = -1.0
    if not 1 <= seconds <= LONGEST_S:
        raise Wrong("number", "silent_after_s", value=cell, least=1, most=LONGEST_S)
    row["silent_after_s"] = _number(seconds)


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")
