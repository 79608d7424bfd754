"""Where an audited thing lies in the region tree: an auditor reads what is of its own subtree."""

from sqlalchemy import Column, ColumnElement, Connection, select

from ledger.schema import (
    alerts,
    api_tokens,
    cards,
    cases,
    establishments,
    looks,
    officers,
    populations,
    regions,
    results,
    samplings,
    sites,
    stalls,
    suppression_proposals,
    tasks,
    webhooks,
)

_CARDS = (
    select(establishments.c.region)
    .where(establishments.c.id == cards.c.establishment_id)
    .scalar_subquery()
)
_STALLS = select(sites.c.region).where(sites.c.id == stalls.c.site).scalar_subquery()
_KEYED: dict[str, tuple[Column[str], ColumnElement[str]]] = {
    "alert": (alerts.c.alert_id, alerts.c.region),
    "card": (cards.c.id, _CARDS),
    "case": (cases.c.case_id, cases.c.region),
    "device": (sites.c.id, sites.c.region),
    "establishment": (establishments.c.id, establishments.c.region),
    "evidence": (sites.c.id, sites.c.region),
    "look": (looks.c.look_id, looks.c.region),
    "officer": (officers.c.id, officers.c.region),
    "population": (populations.c.id, populations.c.region),
    "proposal": (suppression_proposals.c.id, suppression_proposals.c.region),
    "region": (regions.c.code, regions.c.code),
    "sampling": (samplings.c.id, samplings.c.region),
    "result": (results.c.result_id, results.c.region),
    "task": (tasks.c.id, tasks.c.region),
    "webhook": (webhooks.c.id, webhooks.c.region),
    "token": (api_tokens.c.id, api_tokens.c.region),
    "site": (sites.c.id, sites.c.region),
    "stall": (stalls.c.id, _STALLS),
}
"""A subject's first word → where its second is looked up: ``alert/9f2c…``, ``evidence/SITE/ID``.
Whoever audits a new kind of thing that lies somewhere adds it here."""


def region_of(conn: Connection, actor: str, subject: str) -> str | None:
    """The region of the subject; else of the officer who acted; None if neither has one."""
    kind, _, rest = subject.partition("/")
    key = rest.partition("/")[0]
    # An agent's source is its address: /region/site/device.
    found = _look(conn, kind or "region", key) if key else None
    token = actor.removeprefix("token/").partition(" ")[0] if actor.startswith("token/") else ""
    return found or _look(conn, "token", token) or _look(conn, "officer", actor)


def _look(conn: Connection, kind: str, key: str) -> str | None:
    if kind not in _KEYED or not key:
        return None
    column, region = _KEYED[kind]
    return conn.scalar(select(region).where(column == key).limit(1))
