"""Says what is unsent, since when, why, and what to do: `foodsentry edge doctor`."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from contracts.settings import SettingsError
from contracts.topics import Channel, device_topic
from edge_agent.custody.custody import read_officers
from edge_agent.outbox.lock import in_use
from edge_agent.outbox.survey import Survey, survey
from edge_agent.ports import OutboxError
from edge_agent.settings import EdgeSettings, Places, endpoint, places
from edge_agent.uplink.certificates import look_at_certificates
from edge_agent.uplink.mqtt import Endpoint
from edge_agent.uplink.state import UplinkState

OLD_S = 120.0
"""An event that waits longer than this is a finding."""
Probe = Callable[[Endpoint, str], str]


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong, and the way out."""

    what: str
    advice: str
    since: datetime | None = None
    grave: bool = True


class Diagnosis(msgspec.Struct, frozen=True):
    """The doctor's answer; no finding means that all is well."""

    agent: str
    outbox: str
    at: datetime
    agent_runs: bool
    broker: str
    """What is wrong with the broker as tried now; empty if we were let in."""
    epoch: str = ""
    lowest_unreceipted: int | None = None
    backlog: int = 0
    waiting: dict[str, int] = {}
    """Unsent or unreceipted events by lane: alarm, picture, reading."""
    oldest_at: datetime | None = None
    oldest_age_s: float = 0.0
    last_receipt_at: datetime | None = None
    outbox_bytes: int = 0
    thinned: int = 0
    quarantined: int = 0
    findings: list[Finding] = []


def examine(settings: EdgeSettings, settings_file: Path, at: datetime, probe: Probe) -> Diagnosis:
    """Look at the outbox's file and try the broker. Raises SettingsError for the password file."""
    where = places(settings, settings_file)
    who = settings.identity
    target = endpoint(settings, settings_file)
    broker = probe(target, device_topic(who, Channel.RECEIPTS))
    runs = in_use(where.outbox)
    findings = []
    if not runs:
        findings.append(Finding("no agent runs on this outbox", _START))
    if broker:
        findings.append(Finding(broker, _advise_on_broker(broker, target)))
    for one in look_at_certificates(target, at, broker):
        findings.append(Finding(one.what, one.advice, one.since, one.grave))
    diagnosis = Diagnosis(who.source, str(where.outbox), at, runs, broker, findings=findings)
    try:
        found = survey(where.outbox)
    except OutboxError as error:
        findings.append(Finding(str(error), _START))
        return diagnosis
    uplink = _note(found)
    findings += _look_at_waiting(found, uplink, at, runs=runs, broker=broker)
    findings += _look_at_space(found, settings, where.outbox)
    findings += _look_at_vault(settings, where)
    state = found.state
    oldest_at = None if state.oldest_put_at is None else _utc(state.oldest_put_at)
    return msgspec.structs.replace(
        diagnosis,
        epoch=state.epoch,
        lowest_unreceipted=state.lowest_unreceipted,
        backlog=state.backlog,
        waiting={lane.lane: lane.count for lane in found.waiting},
        oldest_at=oldest_at,
        oldest_age_s=max(0.0, (at - oldest_at).total_seconds()) if oldest_at else 0.0,
        last_receipt_at=uplink.last_receipt_at,
        outbox_bytes=state.used_bytes,
        thinned=state.thinned,
        quarantined=state.quarantined,
    )


_START = "start it: `systemctl start foodsentry-edge`, or `foodsentry edge run SETTINGS.toml`"


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _note(found: Survey) -> UplinkState:
    note = found.notes.get("uplink")
    try:
        return UplinkState() if note is None else msgspec.json.decode(note, type=UplinkState)
    except msgspec.MsgspecError:
        return UplinkState()  # of another version of this software


def _advise_on_broker(problem: str, target: Endpoint) -> str:
    said = problem.lower()
    if "receipts" in said:
        return f"give {target.username!r} the right to read its receipts (the broker's ACL)"
    if "user name" in said or "not authorized" in said or "refuses" in said:
        return "check mqtt.username and the password file against the broker's account"
    if "certificate" in said or "ssl" in said or "tls" in said:
        return (
            "check mqtt.host, mqtt.port, the TLS files of [mqtt] and this machine's clock; nothing "
            "is lost meanwhile"
        )
    return (
        f"check the network (cable, SIM card, DNS), mqtt.host and mqtt.port "
        f"({target.host}:{target.port}), and whether the broker runs; nothing is lost meanwhile"
    )


def _look_at_waiting(
    found: Survey, uplink: UplinkState, at: datetime, *, runs: bool, broker: str
) -> list[Finding]:
    findings = [
        Finding(f"the broker does not take {held}", "raise the broker's packet limit or its ACL")
        for held in uplink.held
    ]
    oldest = found.state.oldest_put_at
    if oldest is None or at.timestamp() - oldest < OLD_S:
        return findings
    what = f"{found.state.backlog} events are not receipted"
    if not runs or broker:
        findings.append(Finding(what, "they are safe here and go out by themselves", _utc(oldest)))
    elif uplink.problem and not uplink.connected:
        advice = "the broker works now; if the agent does not follow within a minute, restart it"
        findings.append(Finding(f"{what}; the agent says: {uplink.problem}", advice, _utc(oldest)))
    elif uplink.last_receipt_at is None or (at - uplink.last_receipt_at).total_seconds() > OLD_S:
        advice = (
            "the broker takes them but the city does not store them: see the gateway, its ledger "
            "and its time-series store, and whether this agent's site is registered"
        )
        findings.append(Finding(f"{what}, and no receipts come", advice, _utc(oldest)))
    else:
        advice = "receipts come; the backlog is draining, look again in a few minutes"
        findings.append(Finding(what, advice, _utc(oldest)))
    return findings


def _look_at_space(found: Survey, settings: EdgeSettings, outbox: Path) -> list[Finding]:
    findings = []
    state = found.state
    if state.used_bytes > (settings.outbox.max_mb << 20) * 0.85:
        what = (
            f"the outbox is nearly full ({state.used_bytes >> 20} of {settings.outbox.max_mb} MiB)"
        )
        findings.append(Finding(what, "mend the way to the city, or raise outbox.max_mb"))
    if state.thinned:
        what = f"{state.thinned} old readings were thinned out so far to make room"
        findings.append(Finding(what, "nothing to do; the city knows", grave=False))
    if state.quarantined:
        last = found.quarantine[0]
        what = (
            f"{state.quarantined} quarantined; the last from {last.source} at {last.at}: "
            f"{last.reason}"
        )
        advice = "check the instrument's settings and its profile"
        findings.append(Finding(what, advice, grave=False))
    free = shutil.disk_usage(outbox.parent).free
    if free < 200 << 20:
        findings.append(Finding(f"{free >> 20} MiB of disk are free", "make room on the disk"))
    findings += [
        Finding(f"a broken outbox was set aside: {aside}", "keep it, and have it recovered")
        for aside in sorted(outbox.parent.glob(f"{outbox.name}.broken-*"))
        if not aside.name.endswith(("-wal", "-shm"))
    ]
    return findings


def _look_at_vault(settings: EdgeSettings, where: Places) -> list[Finding]:
    if not settings.cameras:
        return []
    try:
        if read_officers(settings.vault, where.base):
            return []
    except SettingsError as error:
        advice = "put the public key files back, then restart the agent"
        return [Finding(f"no originals of findings are kept: {error}", advice)]
    advice = "as intended, or see docs/evidence.md: two officers' keys in vault.officers"
    return [Finding("no originals of findings are kept", advice, grave=False)]


def as_text(diagnosis: Diagnosis) -> str:
    """The diagnosis for people."""
    lines = [f"{diagnosis.agent}: outbox {diagnosis.outbox}"]
    lines.append(f"  agent    {'runs' if diagnosis.agent_runs else 'does not run'}")
    lines.append(f"  broker   {diagnosis.broker or 'reached, lets us in'}")
    waiting = ", ".join(f"{count} {lane}" for lane, count in diagnosis.waiting.items())
    lines.append(f"  waiting  {diagnosis.backlog} events" + (f" ({waiting})" if waiting else ""))
    if diagnosis.oldest_at is not None:
        age = f"{diagnosis.oldest_age_s:.0f} s"
        first = f"number {diagnosis.lowest_unreceipted} of epoch {diagnosis.epoch}"
        lines.append(f"  oldest   {diagnosis.oldest_at:%Y-%m-%d %H:%M:%S} UTC ({age} ago), {first}")
    if diagnosis.last_receipt_at is not None:
        lines.append(f"  receipt  last at {diagnosis.last_receipt_at:%Y-%m-%d %H:%M:%S} UTC")
    for finding in diagnosis.findings:
        since = f" (since {finding.since:%Y-%m-%d %H:%M:%S} UTC)" if finding.since else ""
        lines.append(f"  ! {finding.what}{since}\n    → {finding.advice}")
    if not diagnosis.findings:
        lines.append("  all is well")
    return "\n".join(lines)
