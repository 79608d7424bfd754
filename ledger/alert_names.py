"""The names and best pictures that a list of alerts shows: a fixed number of statements."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from contracts.words import PictureRole
from ledger.alert_types import AlertRow
from ledger.schema import devices, establishments, evidence, officers, regions, sites
from ledger.sql import among_these


class AlertNames(msgspec.Struct, frozen=True):
    """Names by id; what is not known is left out."""

    regions: dict[str, tuple[str, str]]
    """Chinese and English."""
    establishments: dict[str, str]
    sites: dict[str, str]
    devices: dict[tuple[str, str], str]
    """By site and device; one without a name is left out."""
    officers: dict[str, str]
    pictures: dict[tuple[str, str], str]
    """Id of the picture that shows most, by site and observation."""


def names_of(conn: Connection, rows: Sequence[AlertRow]) -> AlertNames:
    """What the lines of these alerts need."""
    people = {one for row in rows for one in (row.acknowledged_by, row.closed_by) if one}
    places = {row.site for row in rows}
    seen = {row.observation_id for row in rows if row.observation_id}
    owners = {row.establishment_id for row in rows if row.establishment_id}
    return AlertNames(
        regions={
            code: (zh, en)
            for code, zh, en in _read(
                conn,
                select(regions.c.code, regions.c.name_zh, regions.c.name_en),
                regions.c.code,
                {row.region for row in rows},
            )
        },
        establishments=dict(
            _read(
                conn,
                select(establishments.c.id, establishments.c.name),
                establishments.c.id,
                owners,
            )
        ),
        sites=dict(_read(conn, select(sites.c.id, sites.c.name), sites.c.id, places)),
        devices=_devices(conn, {(row.site, row.device) for row in rows}),
        officers=dict(_read(conn, select(officers.c.id, officers.c.name), officers.c.id, people)),
        pictures=_pictures(conn, seen),
    )


def _read(conn: Connection, query: Select[Any], column: Any, wanted: set[str]) -> list[Any]:
    if not wanted:
        return []
    return [tuple(row) for row in conn.execute(query.where(among_these(column, wanted)))]


def _devices(conn: Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    if not wanted:
        return {}
    query = select(devices.c.site, devices.c.device, devices.c.name).where(
        among_these(devices.c.site, {site for site, _ in wanted}),
        among_these(devices.c.device, {device for _, device in wanted}),
    )
    return {(site, device): name for site, device, name in conn.execute(query) if name}


def _pictures(conn: Connection, observed: set[str]) -> dict[tuple[str, str], str]:
    query = select(
        evidence.c.site, evidence.c.observation_id, evidence.c.role, evidence.c.evidence_id
    ).order_by(evidence.c.captured_at, evidence.c.evidence_id)
    best: dict[tuple[str, str], str] = {}
    shown: set[tuple[str, str]] = set()
    for site, observation, role, picture in _read(conn, query, evidence.c.observation_id, observed):
        key = (site, observation)
        if role == PictureRole.BEST.value and key not in shown:
            shown.add(key)
            best[key] = picture
        best.setdefault(key, picture)
    return best
