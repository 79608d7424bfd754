"""What a technician should know of the certificates on the way to the broker: dates and names."""

import ssl
import stat
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from contracts.certificates import SOON_DAYS, Certificate, read_certificate
from contracts.topics import Identity
from edge_agent.uplink.mqtt import Endpoint

_FETCH_LIMIT_S = 5.0


class Remark(msgspec.Struct, frozen=True):
    """Something about a certificate, and the way out."""

    what: str
    advice: str
    since: datetime | None = None
    grave: bool = True


def look_at_certificates(
    target: Endpoint, who: Identity, at: datetime, problem: str
) -> list[Remark]:
    """Look at the agent's certificate, the CA's, and the broker's if `problem` is about it."""
    if target.tls is None:
        return []
    remarks = []
    ca = _read(target.tls.ca)
    if ca is not None:
        advice = "get the city's new CA certificate and put it into mqtt.tls_ca_file"
        remarks += _dates(f"the CA's certificate {target.tls.ca}", ca, at, advice)
    if target.tls.certificate is not None and target.tls.key is not None:
        remarks += _own(target.tls.certificate, target.tls.key, who, at)
    if "broker's certificate" in problem:
        remarks += _brokers(target, at)
    return remarks


def _own(file: Path, key: Path, who: Identity, at: datetime) -> list[Remark]:
    remarks = []
    found = _read(file)
    place = who.place
    if found is not None and found.name not in (place, f"{place}/{who.device}"):
        what = f"this agent's certificate {file} is for {found.name!r}, but this agent is {place!r}"
        remarks.append(Remark(what, "have the city issue one for this agent, or mend [agent]"))
    if found is not None:
        advice = (
            f"have the city issue a new one for {found.name!r} (`foodsentry gateway accounts "
            "certify`) and put it into mqtt.tls_cert_file; nothing is lost meanwhile"
        )
        remarks += _dates(f"this agent's certificate {file}", found, at, advice)
    if key.stat().st_mode & stat.S_IROTH:
        what = f"everybody on this machine can read the private key {key}"
        remarks.append(Remark(what, f"chmod 600 {key}", grave=False))
    return remarks


def _brokers(target: Endpoint, at: datetime) -> list[Remark]:
    where = f"{target.host}:{target.port}"
    try:
        pem = ssl.get_server_certificate((target.host, target.port), timeout=_FETCH_LIMIT_S)
        found = read_certificate(pem.encode())
    except (OSError, ValueError):
        return []
    advice = f"set this machine's clock ({at:%Y-%m-%d %H:%M} UTC), or tell the city"
    what = f"the broker's certificate ({found.name!r}, issued by {found.issuer!r}) of {where}"
    return _dates(what, found, at, advice)


def _read(file: Path) -> Certificate | None:
    try:
        return read_certificate(file.read_bytes())
    except (OSError, ValueError):
        return None


def _dates(what: str, found: Certificate, at: datetime, advice: str) -> list[Remark]:
    if at > found.not_after:
        text = f"{what} expired on {found.not_after:%Y-%m-%d %H:%M} UTC"
        return [Remark(text, advice, found.not_after)]
    if at < found.not_before:
        text = f"{what} is not valid before {found.not_before:%Y-%m-%d %H:%M} UTC"
        return [Remark(text, f"set this machine's clock ({at:%Y-%m-%d %H:%M} UTC)")]
    if found.not_after - at < timedelta(days=SOON_DAYS):
        left = (found.not_after - at).days
        text = f"{what} expires on {found.not_after:%Y-%m-%d}, in {left} days"
        return [Remark(text, advice, grave=False)]
    return []
