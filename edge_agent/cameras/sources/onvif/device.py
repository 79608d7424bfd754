"""Asks one ONVIF device over HTTP: its clock, who made it, its streams."""

import http.client
import os
import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element  # the type only

from contracts.clock import Clock, utc_now
from edge_agent.cameras.sources.onvif import messages
from edge_agent.cameras.sources.onvif.messages import Information, OnvifError, OnvifRefused, Profile
from edge_agent.cameras.sources.onvif.xml import MOST_BYTES

PATH = "/onvif/device_service"
TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream and where it is."""

    profile: Profile
    address: str


@dataclass(frozen=True, slots=True)
class Described:
    """What a device says of itself."""

    information: Information
    streams: tuple[Stream, ...]
    """The largest first: the main stream, then what is fit for analysis."""
    clock_offset_s: float


def clock_offset(
    address: str,
    user: str = "",
    password: str | None = None,
    *,
    timeout_s: float = TIMEOUT_S,
    clock: Clock = utc_now,
    ticks: Callable[[], float] = time.monotonic,
) -> float:
    """Seconds that a camera's clock is ahead of ours (behind: negative), to about half a second.

    `address` is a host, ``host:port`` or the whole address of its device service. Blocks up to
    three times `timeout_s`. Raises OnvifError that says why there is no answer.
    """
    return Device(address, user, password, timeout_s, clock, ticks).clock_offset_s()


class Device:
    """One device; opens a connection for each question."""

    def __init__(
        self,
        address: str,
        user: str = "",
        password: str | None = None,
        timeout_s: float = TIMEOUT_S,
        clock: Clock = utc_now,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise OnvifError(f"{messages.plain(address)!r} is no address of a device")
        self._host, self._port, self._secure = parts.hostname, port, parts.scheme == "https"
        self._path = parts.path if parts.path not in ("", "/") else PATH
        self._where = self._host if port is None else f"{self._host}:{port}"
        self._user, self._password, self._timeout_s = user, password or "", timeout_s
        self._clock, self._ticks = clock, ticks
        self._offset_s: float | None = None

    def clock_offset_s(self) -> float:
        """See `clock_offset`. Raises OnvifError."""
        began_s, began_at = self._ticks(), self._clock()
        body = self._ask(self._path, messages.GET_CLOCK, signed=False)
        took_s = self._ticks() - began_s
        at = messages.read_clock(body, self._where)
        # It tells whole seconds, cut off: half a second more is right on average.
        told = at + timedelta(seconds=0.5)
        self._offset_s = (told - began_at).total_seconds() - took_s / 2
        return self._offset_s

    def describe(self) -> Described:
        """Maker, streams and clock. Raises OnvifError; OnvifRefused for a wrong password."""
        offset_s = self.clock_offset_s()
        information = messages.read_information(self._ask(self._path, messages.GET_INFORMATION))
        media = messages.read_media(self._ask(self._path, messages.GET_MEDIA), self._where)
        path = urlsplit(messages.at_host(media, self._host)).path or self._path
        streams = []
        for profile in messages.read_profiles(self._ask(path, messages.GET_PROFILES)):
            answer = self._ask(path, messages.get_stream(profile.token))
            streams.append(Stream(profile, messages.read_stream(answer, self._where, self._host)))
        return Described(information, tuple(streams), offset_s)

    def _ask(self, path: str, question: str, *, signed: bool = True) -> Element:
        header = ""
        if signed and self._user:
            if self._offset_s is None:
                self.clock_offset_s()
            there = self._clock() + timedelta(seconds=self._offset_s or 0.0)
            header = messages.username_token(self._user, self._password, os.urandom(16), there)
        content = messages.envelope(question, header)
        status, challenge, answer = self._post(path, content, "")
        if status == 401 and self._user and challenge.lower().startswith("digest"):
            proof = digest_proof(challenge, self._user, self._password, path, os.urandom(8).hex())
            status, _, answer = self._post(path, content, proof)
        if status == 401:
            raise OnvifRefused(f"{self._where}: wrong user or password")
        if status not in (200, 400, 500):  # the latter two carry a fault that says more
            raise OnvifError(f"{self._where}: answers with HTTP status {status}, not as ONVIF does")
        return messages.body_of(answer, self._where)

    def _post(self, path: str, content: bytes, proof: str) -> tuple[int, str, bytes]:
        """Status, challenge and body. Ends within three times the timeout, however it drips."""
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout_s)
        headers = {"Content-Type": "application/soap+xml; charset=utf-8", "Connection": "close"}
        if proof:
            headers["Authorization"] = proof
        alarm = threading.Timer(2 * self._timeout_s, lambda: None)
        try:
            connection.connect()
            alarm = threading.Timer(2 * self._timeout_s, _hang_up, (connection.sock,))
            alarm.start()
            connection.request("POST", path, content, headers)
            response = connection.getresponse()
            body = response.read(MOST_BYTES + 1)
        except TimeoutError:
            raise OnvifError(f"{self._where}: no answer in {self._timeout_s:g} s") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            said = getattr(error, "strerror", None) or type(error).__name__
            raise OnvifError(f"{self._where}: cannot be asked: {said}") from None
        finally:
            alarm.cancel()
            connection.close()
        if len(body) > MOST_BYTES:
            raise OnvifError(f"{self._where}: its answer is too long")
        return response.status, response.getheader("WWW-Authenticate") or "", body


def digest_proof(challenge: str, user: str, password: str, path: str, cnonce: str) -> str:
    """The Authorization header that answers a digest challenge (RFC 7616, MD5, qop=auth)."""
    shown = user.replace("\\", "\\\\").replace('"', '\\"')
    given = {key.lower(): value for key, value in re.findall(r'(\w+)="?([^",]*)"?', challenge)}
    realm, nonce = given.get("realm", ""), given.get("nonce", "")
    secret = _md5(f"{user}:{realm}:{password}")
    action = _md5(f"POST:{path}")
    common = f'Digest username="{shown}", realm="{realm}", nonce="{nonce}", uri="{path}"'
    if "opaque" in given:
        common += f', opaque="{given["opaque"]}"'
    if "auth" in given.get("qop", ""):
        proof = _md5(f"{secret}:{nonce}:00000001:{cnonce}:auth:{action}")
        return f'{common}, qop=auth, nc=00000001, cnonce="{cnonce}", response="{proof}"'
    return f'{common}, response="{_md5(f"{secret}:{nonce}:{action}")}"'


def _hang_up(line: socket.socket) -> None:
    """End a conversation that drips on, however patient the other side is."""
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
