"""What is said to an ONVIF device and what it answers: bytes in, values out; no network, no clock.

Sources: ONVIF Core Specification (services of `device`), ONVIF Media Service 1.0, OASIS
WS-UsernameToken Profile 1.0 (PasswordDigest), WS-Discovery 2005/04.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote, urlsplit, urlunsplit
from xml.etree.ElementTree import Element  # the type only
from xml.sax.saxutils import escape  # writes, does not read

from edge_agent.cameras.sources.onvif.xml import XmlRefused, every, parse, text_at

DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
_SCHEMA = "http://www.onvif.org/ver10/schema"
_WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_DIGEST = (
    "http://docs.oasis-open.org/wss/2004/01/"
    "oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
)

LONGEST_TEXT = 200
"""Of a word that a device says; the rest is cut."""
MOST_PROFILES = 32


class OnvifError(Exception):
    """A device does not answer as it should; the text names it and says why, never a password."""


class OnvifRefused(OnvifError):
    """Wrong user or password."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A stream that a camera offers."""

    token: str
    name: str
    encoding: str
    """`H264`, `H265`, `JPEG`, as the device writes it."""
    width: int
    height: int
    fps: float
    kbps: int


@dataclass(frozen=True, slots=True)
class Information:
    """Who made a device."""

    maker: str
    model: str
    firmware: str
    serial: str


@dataclass(frozen=True, slots=True)
class Found:
    """A device that answered a probe."""

    host: str
    """The address that the answer came from."""
    service: str
    """Address of its device service."""
    endpoint: str
    name: str
    hardware: str


def envelope(body: str, header: str = "") -> bytes:
    """A SOAP 1.2 message."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def username_token(user: str, password: str, nonce: bytes, created: datetime) -> str:
    """The header that signs in: digest = SHA-1 of nonce, time and password, in Base64.

    `created` is the time on the device's clock: it refuses what is minutes off.
    """
    written = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    mixed = nonce + written.encode() + password.encode()
    digest = base64.b64encode(hashlib.sha1(mixed, usedforsecurity=False).digest()).decode()
    return (
        f'<w:Security xmlns:w="{_WSSE}" xmlns:u="{_WSU}"><w:UsernameToken>'
        f"<w:Username>{escape(user)}</w:Username>"
        f'<w:Password Type="{_DIGEST}">{digest}</w:Password>'
        f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce>"
        f"<u:Created>{written}</u:Created></w:UsernameToken></w:Security>"
    )


GET_CLOCK = f'<GetSystemDateAndTime xmlns="{DEVICE}"/>'
GET_INFORMATION = f'<GetDeviceInformation xmlns="{DEVICE}"/>'
GET_MEDIA = f'<GetCapabilities xmlns="{DEVICE}"><Category>Media</Category></GetCapabilities>'
GET_PROFILES = f'<GetProfiles xmlns="{MEDIA}"/>'


def get_stream(token: str) -> str:
    """Asks for the RTSP address of a profile."""
    return (
        f'<GetStreamUri xmlns="{MEDIA}" xmlns:t="{_SCHEMA}"><StreamSetup>'
        "<t:Stream>RTP-Unicast</t:Stream><t:Transport><t:Protocol>RTSP</t:Protocol>"
        f"</t:Transport></StreamSetup><ProfileToken>{escape(token)}</ProfileToken></GetStreamUri>"
    )


def body_of(content: bytes, where: str) -> Element:
    """The body of an answer. Raises OnvifError; OnvifRefused for a wrong user or password."""
    try:
        root = parse(content)
    except XmlRefused as error:
        raise OnvifError(f"{where}: its answer is refused: {error}") from None
    body = next(every(root, "Body"), None)
    if body is None:
        raise OnvifError(f"{where}: its answer is no SOAP message")
    fault = next(every(body, "Fault"), None)
    if fault is None:
        return body
    codes = " ".join(code.text or "" for code in fault.iter() if code.tag.endswith("}Value"))
    if "NotAuthorized" in codes or "FailedAuthentication" in codes:
        raise OnvifRefused(f"{where}: wrong user or password")
    said = plain(text_at(fault, "Reason/Text") or text_at(fault, "faultstring") or codes)
    raise OnvifError(f"{where}: it answers with a fault: {said}")


def read_clock(body: Element, where: str) -> datetime:
    """The device's time, to the second. Raises OnvifError."""
    at = next(every(body, "GetSystemDateAndTimeResponse/SystemDateAndTime/UTCDateTime"), None)
    if at is None:
        raise OnvifError(f"{where}: does not tell its time in UTC")
    try:
        year, month, day = (int(text_at(at, f"Date/{part}")) for part in ("Year", "Month", "Day"))
        parts = [int(text_at(at, f"Time/{part}")) for part in ("Hour", "Minute", "Second")]
        leap = parts[2] == 60
        read = datetime(year, month, day, parts[0], parts[1], 59 if leap else parts[2], tzinfo=UTC)
    except ValueError:
        raise OnvifError(f"{where}: the time that it tells is none") from None
    return read + timedelta(seconds=1) if leap else read


def read_information(body: Element) -> Information:
    """Maker, model, firmware, serial number; what is absent is empty."""
    part = "GetDeviceInformationResponse/"
    return Information(
        *(
            plain(text_at(body, part + key))
            for key in ("Manufacturer", "Model", "FirmwareVersion", "SerialNumber")
        )
    )


def read_media(body: Element, where: str) -> str:
    """Address of the media service. Raises OnvifError."""
    address = text_at(body, "GetCapabilitiesResponse/Capabilities/Media/XAddr")
    if not address:
        raise OnvifError(f"{where}: offers no media service")
    return address


def read_profiles(body: Element) -> list[Profile]:
    """The streams, the largest first."""
    found: list[Profile] = []
    for element in every(body, "GetProfilesResponse/Profiles"):
        video = next(every(element, "VideoEncoderConfiguration"), None)
        token = element.get("token", "")
        if video is None or not token or len(found) == MOST_PROFILES:
            continue
        found.append(
            Profile(
                token,
                plain(text_at(element, "Name")),
                plain(text_at(video, "Encoding")),
                round(_number(text_at(video, "Resolution/Width"))),
                round(_number(text_at(video, "Resolution/Height"))),
                _number(text_at(video, "RateControl/FrameRateLimit")),
                round(_number(text_at(video, "RateControl/BitrateLimit"))),
            )
        )
    return sorted(found, key=lambda one: -one.width * one.height)


def read_stream(body: Element, where: str, host: str) -> str:
    """The RTSP address of a profile, without credentials, at `host` whatever the device believes
    its own address to be. Raises OnvifError."""
    address = text_at(body, "GetStreamUriResponse/MediaUri/Uri")
    moved = at_host(address, host)
    if not moved.startswith(("rtsp://", "rtsps://")):
        raise OnvifError(f"{where}: the address of its stream is none: {plain(address)!r}")
    return moved


def at_host(address: str, host: str) -> str:
    """`address` with another host, its port kept, user and password taken off; "" if it is none.

    Behind a router devices name addresses of their own; and no answer may send us elsewhere.
    """
    if any(letter <= " " or letter == "\x7f" for letter in address):
        return ""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    shown = f"[{host}]" if ":" in host else host
    netloc = shown if port is None else f"{shown}:{port}"
    if not parts.scheme or not parts.netloc:
        return ""
    return urlunsplit(parts._replace(netloc=netloc, path=parts.path or "/"))


def probe(message_id: str) -> bytes:
    """A WS-Discovery probe for cameras."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>uuid:{message_id}</w:MessageID>"
        "<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action>"
        "</e:Header><e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>"
        "</e:Body></e:Envelope>"
    ).encode()


def read_matches(content: bytes, message_id: str, host: str) -> list[Found]:
    """The devices in an answer that came from `host` to the probe `message_id`; [] if it is none.

    Raises XmlRefused.
    """
    root = parse(content)
    if not text_at(root, "Header/RelatesTo").endswith(message_id):
        return []
    found = []
    for match in every(root, "Body/ProbeMatches/ProbeMatch"):
        services = (at_host(one, host) for one in text_at(match, "XAddrs").split())
        service = next((one for one in services if one.startswith(("http://", "https://"))), "")
        scopes = text_at(match, "Scopes").split()
        if service:
            endpoint = plain(text_at(match, "EndpointReference/Address"))
            name, hardware = _scope(scopes, "name"), _scope(scopes, "hardware")
            found.append(Found(host, service, endpoint, name, hardware))
    return found


def plain(text: str) -> str:
    """Text of a stranger, fit for a terminal: printable, in one line, not too long."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:LONGEST_TEXT]


def _scope(scopes: list[str], kind: str) -> str:
    mark = f"onvif://www.onvif.org/{kind}/"
    return next((plain(unquote(one[len(mark) :])) for one in scopes if one.startswith(mark)), "")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value < 1e6 else 0.0
