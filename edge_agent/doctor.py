"""Says what is unsent, since when, why, and what to do: `foodsentry edge doctor`."""

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from contracts.settings import SettingsError
from contracts.topics import Channel, device_topic
from contracts.words import both, in_chinese, in_english
from edge_agent.custody.custody import read_officers
from edge_agent.doctor_words import Cause, Finding, finding
from edge_agent.health import CLOCK_TOLERANCE_S
from edge_agent.outbox.lock import in_use
from edge_agent.outbox.reserve import reserve_held
from edge_agent.outbox.survey import Survey, survey
from edge_agent.ports import OutboxError
from edge_agent.room.build import FILE as ROOM_FILE
from edge_agent.room.survey import UNREADABLE, survey_room
from edge_agent.settings import EdgeSettings, Places, endpoint, places
from edge_agent.uplink.certificates import look_at_certificates
from edge_agent.uplink.mqtt import Endpoint
from edge_agent.uplink.state import UplinkState

OLD_S = 120.0
"""An event that waits longer than this is a finding."""
LOW_BYTES = 200 << 20
FULL_BYTES = 1 << 20
Probe = Callable[[Endpoint, str], str]


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
    taken_in: int = 0
    """Of the backlog, what the city has in its ledger but not in its time series, at most."""
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
    findings: list[Finding] = []
    if not runs:
        findings.append(finding(Cause.NO_AGENT))
    if broker:
        findings.append(_look_at_broker(broker, target))
    for one in look_at_certificates(target, who, at, broker):
        what = finding(Cause.CERTIFICATE, {"said": one.what}, since=one.since, grave=one.grave)
        findings.append(msgspec.structs.replace(what, advice=one.advice))
    diagnosis = Diagnosis(who.source, str(where.outbox), at, runs, broker, findings=findings)
    try:
        found = survey(where.outbox)
    except OutboxError as error:
        findings.append(finding(Cause.OUTBOX_UNREADABLE, {"said": error}))
        return diagnosis
    uplink = _note(found)
    findings += _look_at_waiting(
        found, uplink, at, settings, target.username, runs=runs, broker=broker
    )
    findings += _look_at_clock(found, uplink, at)
    findings += _look_at_space(found, settings, where.outbox, runs=runs)
    findings += _look_at_vault(settings, where)
    findings += _look_at_room(settings, where)
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
        taken_in=min(uplink.taken_in, state.backlog) if runs else 0,
        outbox_bytes=state.used_bytes,
        thinned=state.thinned,
        quarantined=state.quarantined,
    )


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _note(found: Survey) -> UplinkState:
    note = found.notes.get("uplink")
    try:
        return UplinkState() if note is None else msgspec.json.decode(note, type=UplinkState)
    except msgspec.MsgspecError:
        return UplinkState()  # of another version of this software


def _look_at_broker(problem: str, target: Endpoint) -> Finding:
    said = problem.lower()
    cause = Cause.UNREACHABLE
    if "receipts" in said:
        cause = Cause.RECEIPTS_FORBIDDEN
    elif "user name" in said or "not authorized" in said or "refuses" in said:
        cause = Cause.REFUSED
    elif target.tls is not None and "reset by peer" in said:
        cause = Cause.TLS  # as a port does that speaks no TLS
    elif "certificate" in said or "ssl" in said or "tls" in said:
        cause = Cause.TLS
    where = {"host": target.host, "port": target.port, "user": target.username}
    return finding(cause, {"said": problem, **where})


def _look_at_waiting(
    found: Survey,
    uplink: UplinkState,
    at: datetime,
    settings: EdgeSettings,
    user: str,
    *,
    runs: bool,
    broker: str,
) -> list[Finding]:
    findings = [finding(Cause.HELD, {"said": held}) for held in uplink.held]
    oldest = found.state.oldest_put_at
    if oldest is None or at.timestamp() - oldest < OLD_S:
        return findings
    last = uplink.last_receipt_at
    # While all is taken in and nothing new comes, only probes are answered.
    patience_s = OLD_S + (settings.uplink.resend_max_s * 1.2 if uplink.taken_in else 0.0)
    cause = Cause.DRAINING
    if not runs or broker:
        cause = Cause.WAITING
    elif uplink.problem and not uplink.connected:
        cause = Cause.NOT_CONNECTED
    elif uplink.unheard:
        cause = Cause.NOBODY_LISTENS
    elif last is None or (at - last).total_seconds() > patience_s:
        cause = Cause.NO_RECEIPTS
    elif uplink.taken_in:
        cause = Cause.TAKEN_IN
    words = {"backlog": found.state.backlog, "said": uplink.problem, "user": user}
    words |= {"taken": min(uplink.taken_in, found.state.backlog)}
    return [*findings, finding(cause, words, since=_utc(oldest))]


def _look_at_clock(found: Survey, uplink: UplinkState, at: datetime) -> list[Finding]:
    offset_s = uplink.clock_offset_s
    if offset_s is not None and abs(offset_s) > CLOCK_TOLERANCE_S:
        zh = f"比市里{'快' if offset_s > 0 else '慢'} {abs(offset_s):.0f} 秒"
        return [finding(Cause.CLOCK, {"zh": zh, "en": f"{offset_s:+.0f} s off the city's"})]
    newest = max((lane.newest_put_at for lane in found.waiting), default=0.0)
    if newest - at.timestamp() > CLOCK_TOLERANCE_S:
        then = f"{_utc(newest):%Y-%m-%d %H:%M} UTC"
        zh = f"被拨回过，暂存库里有 {then} 的数据"
        en = f"it was set back, an event is from {then}"
        return [finding(Cause.CLOCK, {"zh": zh, "en": en})]
    return []


def _look_at_space(
    found: Survey, settings: EdgeSettings, outbox: Path, *, runs: bool
) -> list[Finding]:
    findings = []
    state = found.state
    most = settings.outbox.max_mb
    if state.used_bytes > (most << 20) * 0.85:
        findings.append(finding(Cause.OUTBOX_FULL, {"used": state.used_bytes >> 20, "most": most}))
    if state.thinned:
        findings.append(finding(Cause.THINNED, {"count": state.thinned}, grave=False))
    if state.quarantined:
        last = found.quarantine[0]
        words = {"source": last.source, "at": last.at, "said": last.reason}
        words |= {"count": str(state.quarantined)}
        findings.append(finding(Cause.QUARANTINED, words, grave=False))
    free = shutil.disk_usage(outbox.parent).free
    if os.statvfs(outbox.parent).f_flag & os.ST_RDONLY or not os.access(outbox, os.W_OK):
        findings.append(finding(Cause.DISK_READ_ONLY, {"path": outbox}))
    elif free < FULL_BYTES or (runs and not reserve_held(outbox)):
        findings.append(finding(Cause.DISK_FULL, {"free": free >> 20}))
    elif free < LOW_BYTES:
        findings.append(finding(Cause.DISK_LOW, {"free": free >> 20}))
    findings += [
        finding(Cause.OUTBOX_BROKEN, {"path": aside})
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
        words = {"zh": f"：{error}", "en": f": {error}"}
        words |= {
            "advice_zh": "放回公钥文件，再重启终端",
            "advice_en": "put the public key files back, then restart the agent",
        }
        return [finding(Cause.VAULT, words)]
    words = {
        "zh": "",
        "en": "",
        "advice_zh": "若本意如此即可；否则见 docs/evidence.md：vault.officers 需两名执法人员的公钥",
        "advice_en": "as intended, or see docs/evidence.md: two officers' keys in vault.officers",
    }
    return [finding(Cause.VAULT, words, grave=False)]


def _look_at_room(settings: EdgeSettings, where: Places) -> list[Finding]:
    file = where.state / ROOM_FILE
    if not settings.room.port or not file.exists():
        return []
    try:
        found = survey_room(file)
    except UNREADABLE as error:
        return [finding(Cause.ROOM_UNREADABLE, {"path": file, "said": error})]
    findings = []
    if found.asked:
        words = {"count": found.asked}
        findings.append(finding(Cause.ROOM_ASKS, words, since=found.asked_since, grave=False))
    if found.book_at is None:
        findings.append(finding(Cause.ROOM_NO_BOOK, grave=False))
    return findings


def as_text(diagnosis: Diagnosis, language: str = "") -> str:
    """The diagnosis for people; `language` is ``zh``, ``en``, or empty for both."""
    say = {"zh": in_chinese, "en": in_english}.get(language, str)

    def line(zh: str, en: str) -> str:
        return say(both(zh, en))

    runs = ("在运行", "runs") if diagnosis.agent_runs else ("没有运行", "does not run")
    lines = [
        f"{diagnosis.agent}: {diagnosis.outbox}",
        f"  agent    {line(*runs)}",
        f"  broker   {diagnosis.broker or line('已连上，可以登录', 'reached, lets us in')}",
    ]
    waiting = ", ".join(f"{count} {lane}" for lane, count in diagnosis.waiting.items())
    kinds = f" ({waiting})" if waiting else ""
    count = diagnosis.backlog
    lines.append(f"  waiting  {line(f'{count} 条', f'{count} events')}{kinds}")
    if diagnosis.oldest_at is not None:
        age_s = f"{diagnosis.oldest_age_s:.0f}"
        first = (diagnosis.lowest_unreceipted, diagnosis.epoch)
        zh = f"{age_s} 秒前，批次 {first[1]} 的第 {first[0]} 号"
        en = f"{age_s} s ago, number {first[0]} of epoch {first[1]}"
        lines.append(f"  oldest   {diagnosis.oldest_at:%Y-%m-%d %H:%M:%S} UTC ({line(zh, en)})")
    if diagnosis.taken_in:
        zh, en = "条市里已入账、未入时序库", "in the city's ledger, not in its time series"
        lines.append(
            f"  taken in {line(f'{diagnosis.taken_in} {zh}', f'{diagnosis.taken_in} {en}')}"
        )
    if diagnosis.last_receipt_at is not None:
        lines.append(f"  receipt  {diagnosis.last_receipt_at:%Y-%m-%d %H:%M:%S} UTC")
    for one in diagnosis.findings:
        since = f" (since {one.since:%Y-%m-%d %H:%M:%S} UTC)" if one.since else ""
        halves = (in_chinese, in_english) if not language else (say,)
        lines += [f"  ! {half(one.what)}{since}\n    → {half(one.advice)}" for half in halves]
    if not diagnosis.findings:
        lines.append(f"  {line('一切正常', 'all is well')}")
    return "\n".join(lines)
