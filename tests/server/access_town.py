"""The town of the access tests: a place at every step of the region tree, an officer of every role.

Each place has what a route's path may name: an alert in every state, a result, a picture, a
silence, a proposal. Each officer has a session that runs, one that is over, and a dismissed twin.
"""

import hashlib
from datetime import date, datetime, timedelta

import case_steps
import msgspec
from console_app import CHEAP, NOW
from console_facts import key_of, new_result, simple_alert, verdict_of
from console_places import PASSWORD, REGIONS

from contracts.casework import Given
from contracts.events import Evidence, Look, ModelRef, Observation
from contracts.topics import Identity
from contracts.words import LookState, Phase, Severity
from ledger import (
    alert_life,
    alerts,
    api_tokens,
    contacts,
    devices,
    duties,
    establishments,
    evidence,
    kept_frames,
    looks,
    observations,
    officers,
    password_links,
    proposals,
    push_subscriptions,
    regions,
    results,
    samplings,
    sessions,
    silences,
    sites,
    tasks,
    webhook_deliveries,
    webhooks,
)
from ledger.contacts import Contact
from ledger.devices import Device, DeviceKind
from ledger.duties import Duty
from ledger.engine import Connection
from ledger.establishments import Establishment, EstablishmentKind
from ledger.officers import Officer, Role
from ledger.samplings import Sampling
from ledger.schema import cards, case_confirmations, populations, suppression_proposals
from ledger.sessions import Session
from ledger.sites import Site, SiteKind
from ledger.sql import insert_into
from server.signing import token_hash

HASHED = CHEAP.hash(PASSWORD)
CELL = "440703-baisha-01"
PLACES = {
    "in-city": "440700",
    "in-county": "440703",
    "in-town": "440703-baisha",
    "in-cell": CELL,
    "other-shop": CELL,
    "next-town": "440703-tangxia",
    "next-county": "440705",
}
"""Establishment → its region."""
PEOPLE: dict[str, tuple[Role, str, str | None]] = {
    "root": (Role.ADMIN, "440700", None),
    "admin": (Role.ADMIN, "440703", None),
    "city": (Role.CITY, "440700", None),
    "county": (Role.COUNTY, "440703", None),
    "town": (Role.TOWN, "440703-baisha", None),
    "grid": (Role.GRID, CELL, None),
    "auditor": (Role.AUDITOR, "440703", None),
    "operator": (Role.OPERATOR, CELL, "in-cell"),
}
"""Login → role, region and own establishment."""
PARENTS = {one.code: one.parent for one in REGIONS}


class Target(msgspec.Struct, frozen=True):
    """What can be asked for at a place."""

    place: str
    region: str
    alerts: dict[str, str]
    """Alert id by the state that it is in."""
    ids: dict[str, str]
    """A path's parameter → its value here."""


def path_up(region: str) -> list[str]:
    """The region and those above it."""
    path = [region]
    while (parent := PARENTS[path[-1]]) is not None:
        path.append(parent)
    return path


def relation(login: str, place: str) -> str:
    """How a place lies to an officer: own, below, above, sideways, or another's establishment."""
    role, region, establishment = PEOPLE[login]
    there = PLACES[place]
    if role is Role.OPERATOR and place != establishment:
        return "other establishment" if region in path_up(there) else "outside"
    if there == region:
        return "own"
    if region in path_up(there):
        return "below"
    return "above" if there in path_up(region) else "sideways"


def sees(login: str, place: str) -> bool:
    return relation(login, place) in ("own", "below")


def build(conn: Connection) -> dict[str, Target]:
    """Write the town; returns what can be asked for, by place."""
    regions.add(conn, *REGIONS)
    places = {place: _place(conn, place, number) for number, place in enumerate(PLACES)}
    for login, (role, region, own) in PEOPLE.items():
        for who, active in ((login, True), (f"{login}-gone", False)):
            officers.add(
                conn,
                Officer(
                    login=who, name=who, role=role, region=region, id=f"officer-{who}",
                    establishment_id=own, active=active, password_hash=HASHED,
                ),
            )  # fmt: skip
            _session(conn, who, who, hours=8)
        _session(conn, login, f"{login}-over", hours=-1)
        _session(conn, login, f"{login}-phone", hours=8)
    for place, region in PLACES.items():
        officers.add(
            conn,
            Officer(
                login=f"walks-{place}", name=f"巡查 {place}", role=Role.TOWN, region=region,
                id=f"walks-{place}", password_hash=HASHED,
            ),
        )  # fmt: skip
    put = password_links.PasswordLink(
        token_hash("the-token-of-a-link"), "walks-in-cell", "officer-root", NOW,
        NOW + timedelta(hours=1),
    )  # fmt: skip
    password_links.put(conn, put)
    return {place: _facts(conn, place, who) for place, who in places.items()}


def _case(conn: Connection, place: str, result_id: str) -> dict[str, str]:
    """A lead with a picture; each officer is asked to confirm a step, and asks for one."""
    root, city = "officer-root", "officer-city"
    at = NOW - timedelta(minutes=20)
    row = case_steps.of_result(conn, result_id, root, at)
    # The establishment sees the files of its own people only, and what was served on it.
    adder = "officer-operator" if place == "in-cell" else root
    kept = case_steps.add_file(conn, row, "photo", adder, at)
    for login in PEOPLE:
        other = root if login != "root" else city
        for name, asker, second in (("to", other, login), ("by", f"officer-{login}", "")):
            given = Given(note="现场核实", second=f"officer-{second}" if second else other)
            waits = msgspec.to_builtins(given)
            question = {
                "id": f"{name}-{login}-{place}", "case_id": row.case_id, "version": 1,
                "move": "verify", "given": waits, "asked_by": asker, "second": given.second,
                "asked_at": at, "answer": "", "note": "",
            }  # fmt: skip
            conn.execute(case_confirmations.insert(), question)
    return {"case_id": row.case_id, "file_id": kept.id}


def _session(conn: Connection, login: str, token: str, hours: float) -> None:
    begun = NOW - timedelta(hours=1, minutes=5)
    sessions.add(
        conn,
        Session(
            token_hash=token_hash(token), officer_id=f"officer-{login}", csrf=f"csrf-{login}",
            created_at=begun, expires_at=NOW + timedelta(hours=hours), last_seen_at=NOW,
        ),
    )  # fmt: skip


def _place(conn: Connection, place: str, number: int) -> Identity:
    region = PLACES[place]
    establishments.add(
        conn,
        Establishment(
            id=place, name=f"第 {number} 号食堂", kind=EstablishmentKind.CANTEEN, region=region,
            public_code=f"code-{place}",
        ),
    )  # fmt: skip
    site = f"site-{place}"
    sites.add(conn, Site(site, region, f"第 {number} 号后厨", SiteKind.CANTEEN, place, False))
    room = f"room-{place}"
    sites.add(conn, Site(room, region, f"第 {number} 号快检室", SiteKind.TESTING_ROOM, place))
    sites.add_stalls(conn, [sites.Stall(room, "A1", id=f"stall-{place}", keeper="陈")])
    who = Identity(region, site, "agent")
    kinds = {
        "agent": DeviceKind.AGENT, "lz": DeviceKind.PESTICIDE_READER, "cam": DeviceKind.CAMERA,
    }  # fmt: skip
    for device, kind in kinds.items():
        devices.add(
            conn,
            Device(
                region=region, site=site, device=device, kind=kind, name=f"{device} {number}",
                model="m", registered_at=NOW - timedelta(days=9),
            ),
        )  # fmt: skip
    return who


def _facts(conn: Connection, place: str, who: Identity) -> Target:
    at = NOW - timedelta(minutes=30)
    tested = new_result(who.sibling("lz"), 1, 1, 67.3, verdict_of(67.3), at)
    results.add(conn, [tested])
    _picture(conn, who.sibling("cam"), f"o-{place}")
    raised = {name: _alert(conn, who, name) for name in ("firing", "taken", "disposed", "paused")}
    alert_life.acknowledge(conn, raised["taken"], "officer-root-gone", at)
    alert_life.acknowledge(conn, raised["disposed"], "officer-root-gone", at)
    alert_life.dispose(conn, raised["disposed"], "officer-root-gone", at, "已处置")
    alert_life.pause(conn, raised["paused"], "officer-root-gone", at, "申诉")
    silence = silences.Silence(
        id=f"silence-{place}", starts_at=NOW, ends_at=NOW + timedelta(days=1), reason="检修",
        matchers=silences.Matchers(rule="no_hat", region=who.region, site=who.site),
        author="officer-root-gone", created_at=NOW,
    )  # fmt: skip
    silences.add(conn, silence)
    row = {
        "id": f"proposal-{place}", "kind": "silence", "scope": place, "rule": "no_hat",
        "region": who.region, "site": who.site, "device": "", "zone": "",
        "establishment_id": place, "figures": {"true": 0, "false": 6, "window_days": 30},
        "state": proposals.ProposalState.OPEN.value, "proposed_at": NOW, "changed_at": NOW,
        "note": "", "made": "",
    }  # fmt: skip
    conn.execute(suppression_proposals.insert(), row)
    card = {
        "id": f"card-{place}", "establishment_id": place, "alert_id": raised["taken"],
        "colour": "red", "at": NOW, "reason": "逾期", "annul_reason": "",
    }  # fmt: skip
    conn.execute(cards.insert(), card)
    look_id = looks.ask(conn, who.sibling("cam"), "officer-root", "抽查", at)
    looks.answered(conn, who.sibling("cam"), "agent", _seen(look_id, place, at), at)
    seen = looks.get(conn, look_id)
    assert seen is not None
    kept_id = kept_frames.ask(conn, seen, "officer-root", "积水", seen.sha256, at)
    _kept(conn, place, who.region)
    task = tasks.Task(
        id=f"task-{place}", title="n", region=who.region, wanted=3, starts_at=NOW, created_at=NOW,
        due_at=NOW + timedelta(days=7), establishment_id=place,
    )  # fmt: skip
    tasks.add(conn, task)
    ids = (
        _case(conn, place, tested.result_id)
        | _connected(conn, place, who.region)
        | {
            "region_code": who.region,
            "device": "agent",
            "duty_id": f"duty-{place}",
            "contact_id": f"contact-{place}",
            "stall_id": f"stall-{place}",
            "sampling_id": f"sampling-{place}",
            "population_id": f"{who.region}.2026-04-01",
            "officer_id": f"walks-{place}",
            "card_id": f"card-{place}",
            "establishment_id": place,
            "result_id": tested.result_id,
            "site": who.site,
            "evidence_id": f"o-{place}-1",
            "silence_id": silence.id,
            "look_id": look_id,
            "kept_id": kept_id,
            "proposal_id": f"proposal-{place}",
            "task_id": f"task-{place}",
            "public_code": f"code-{place}",
        }
    )
    return Target(place, who.region, raised, ids)


def _seen(look_id: str, place: str, at: datetime) -> Look:
    """A very small picture of a look."""
    content = b"\xff\xd8\xff\xd9" + place.encode()
    picture = Evidence(
        evidence_id=f"look-{place}", media_type="image/jpeg", content=content,
        sha256=hashlib.sha256(content).hexdigest(), width=4, height=3, captured_at=at, blurred=True,
    )  # fmt: skip
    return Look(look_id, 1, LookState.LIVE, at, picture=picture)


def _kept(conn: Connection, place: str, region: str) -> None:
    """Somebody on duty at the place, and how they are reached."""
    keeper = Officer(f"keeper-{place}", place, Role.TOWN, region, id=f"keeper-{place}")
    officers.add(conn, keeper)
    begins, ends = NOW + timedelta(days=20), NOW + timedelta(days=27)
    duties.add(conn, Duty(region, keeper.id, begins, ends, id=f"duty-{place}"))
    contacts.put(conn, Contact(keeper.id, "wecom", place, id=f"contact-{place}"))
    known = {"region": region, "effective_from": date(2026, 4, 1), "people": 9}
    known |= {"source": "s", "mark": "U", "entered_at": NOW, "id": f"{region}.2026-04-01"}
    conn.execute(insert_into(conn, populations).on_conflict_do_nothing(), known)
    taken = {"food": "生菜", "sampled_from": place, "lab": "江门市检验中心"}
    samplings.add(
        conn,
        Sampling(
            id=f"sampling-{place}", region=region, kind="supervision",
            sampled_at=NOW, entered_at=NOW, **taken,
        ),
    )  # fmt: skip


def _connected(conn: Connection, place: str, region: str) -> dict[str, str]:
    """A token and a webhook of another system that was told something."""
    token = api_tokens.ApiToken(
        id=f"token-{place}", token_hash=token_hash(f"fst_{place}"), shown="fst_", name="n",
        scopes=("alerts:read",), region=region, officer_id="officer-root", created_at=NOW,
        expires_at=NOW + timedelta(days=9),
    )  # fmt: skip
    api_tokens.add(conn, token)
    hook = webhooks.Webhook(
        id=f"webhook-{place}", name="n", url="https://hooks.example/", events=("alert.*",),
        region=region, secret="whsec_", officer_id="officer-root", created_at=NOW,
        changed_at=NOW, position=0,
    )  # fmt: skip
    webhooks.add(conn, hook)
    new = webhook_deliveries.NewDelivery(f"msg_{place}", "webhook.test", place, b"{}")
    webhook_deliveries.enqueue(conn, hook.id, [new], NOW)
    (one,) = webhook_deliveries.list_of(conn, hook.id, 1)
    webhook_deliveries.settle(conn, one, "sent", NOW, status=200, answer="")
    return {"token_id": token.id, "webhook_id": hook.id, "message_id": one.message_id}


def _picture(conn: Connection, camera: Identity, key: str) -> None:
    """A very small one: the ledger is put back hundreds of times."""
    at = NOW - timedelta(minutes=30)
    seen = Observation(
        observation_id=key, kind="no_hat", phase=Phase.CLOSED, started_at=at, captured_at=at,
        ended_at=at, reason="", zone="切配间", confidence=0.9, evidence=(f"{key}-1",),
        models=(ModelRef("hygiene", "1", "ab" * 32),),
    )  # fmt: skip
    observations.put(conn, camera, seen, at)
    content = b"\xff\xd8\xff\xd9" + key.encode()
    picture = Evidence(
        evidence_id=f"{key}-1", media_type="image/jpeg", content=content,
        sha256=hashlib.sha256(content).hexdigest(), width=4, height=3, captured_at=at,
        blurred=True, observation_id=key,
    )  # fmt: skip
    evidence.put(conn, camera, key_of(camera).sign(camera, picture), at, agent="agent")


def _alert(conn: Connection, who: Identity, name: str) -> str:
    new = simple_alert(
        f"access|{who.site}|{name}", who, Severity.GUIDANCE, NOW - timedelta(minutes=40),
        f"预警 {name}", f"Alert {name}", "说明",
    )  # fmt: skip
    return alerts.raise_alert(conn, new)[0]


def own_subscription(conn: Connection, login: str) -> str:
    """A browser of the officer's that takes push; returns its id."""
    new = push_subscriptions.PushSubscription(
        officer_id=f"officer-{login}", endpoint=f"https://push.example/{login}",
        p256dh="B" + "A" * 86, auth="A" * 22, created_at=NOW,
    )  # fmt: skip
    return push_subscriptions.add(conn, new)
