"""A stand-in for an ONVIF camera on loopback: HTTP with SOAP, UDP with WS-Discovery.

It checks the digest of the password by its own arithmetic. `answers` replaces the answer to a
question by other bytes; `http_digest` asks for an HTTP digest instead of a token in the message,
`locked` even of who wants to know the time.
"""

import base64
import hashlib
import re
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

USER, PASSWORD = "admin", 'k<i&t"chen'
_CHALLENGE = 'Digest realm="cam", nonce="abc", qop="auth", opaque="xyz"'
_S = 'xmlns:s="http://www.w3.org/2003/05/soap-envelope"'


def soap(body: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope {_S} '
        'xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
        'xmlns:trt="http://www.onvif.org/ver10/media/wsdl" '
        f'xmlns:tt="http://www.onvif.org/ver10/schema"><s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


def fault(code: str, reason: str) -> bytes:
    return soap(
        "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:"
        f"{code}</s:Value></s:Subcode></s:Code><s:Reason><s:Text>{reason}</s:Text></s:Reason>"
        "</s:Fault>"
    )


def profile(token: str, width: int, height: int, encoding: str) -> str:
    return (
        f'<trt:Profiles token="{token}"><tt:Name>{token} 流</tt:Name>'
        f"<tt:VideoEncoderConfiguration><tt:Encoding>{encoding}</tt:Encoding><tt:Resolution>"
        f"<tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
        "<tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit>"
        "<tt:BitrateLimit>3072</tt:BitrateLimit></tt:RateControl>"
        "</tt:VideoEncoderConfiguration></trt:Profiles>"
    )


class OnvifCamera:
    """Serves until the `with` block ends."""

    def __init__(
        self, *, ahead_s: float = 0.0, http_digest: bool = False, locked: bool = False
    ) -> None:
        self.ahead_s, self.http_digest, self.locked = ahead_s, http_digest or locked, locked
        self.answers: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.drip_s = 0.0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.handle(self)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass  # a client that hung up

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        self.line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.line.bind(("127.0.0.1", 0))
        self.udp = ("127.0.0.1", self.line.getsockname()[1])
        self.datagrams: list[bytes] = []
        self.threads = [
            threading.Thread(target=self.server.serve_forever, args=(0.05,)),
            threading.Thread(target=self.listen),
        ]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.line.sendto(b"end", self.udp)
        for thread in self.threads:
            thread.join(5)
        self.line.close()

    def listen(self) -> None:
        while True:
            content, sender = self.line.recvfrom(65535)
            if content == b"end":
                return
            asked = re.search(rb"uuid:([0-9a-f-]+)", content)
            assert asked
            for answer in [*self.datagrams, self.match(asked[1].decode())]:
                self.line.sendto(answer, sender)

    def match(self, message_id: str) -> bytes:
        return (
            f'<?xml version="1.0"?><s:Envelope {_S} '
            'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
            'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header>'
            f"<a:RelatesTo>uuid:{message_id}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches>"
            "<d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address>"
            "</a:EndpointReference><d:Scopes>onvif://www.onvif.org/name/HIK%20DS-2CD "
            "onvif://www.onvif.org/hardware/DS-2CD</d:Scopes>"
            f"<d:XAddrs>http://10.9.9.9:{self.port}/onvif/device_service</d:XAddrs>"
            "</d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
        ).encode()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        content = request.rfile.read(int(request.headers["Content-Length"])).decode()
        action = re.search(r"<s:Body><(\w+)", content)
        assert action
        name = action[1]
        self.asked.append(name)
        status, challenge, answer = self.answer(name, content, request.headers["Authorization"])
        request.send_response(status)
        if challenge:
            request.send_header("WWW-Authenticate", challenge)
        request.send_header("Content-Length", str(len(answer)))
        request.end_headers()
        if self.drip_s:
            for byte in answer:
                request.wfile.write(bytes((byte,)))
                time.sleep(self.drip_s)
        request.wfile.write(answer)

    def answer(self, name: str, content: str, proof: str | None) -> tuple[int, str, bytes]:
        if name in self.answers:
            return 200, "", self.answers[name]
        if self.locked and not self.digest_is_right(proof):
            return 401, _CHALLENGE, b""
        if name == "GetSystemDateAndTime":
            at = datetime.now(UTC) + timedelta(seconds=self.ahead_s)
            return (
                200,
                "",
                soap(
                    "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:UTCDateTime>"
                    f"<tt:Time><tt:Hour>{at.hour}</tt:Hour><tt:Minute>{at.minute}</tt:Minute>"
                    f"<tt:Second>{at.second}</tt:Second></tt:Time><tt:Date><tt:Year>{at.year}"
                    f"</tt:Year><tt:Month>{at.month}</tt:Month><tt:Day>{at.day}</tt:Day></tt:Date>"
                    "</tt:UTCDateTime></tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
                ),
            )
        if self.http_digest:
            if not self.digest_is_right(proof):
                return 401, _CHALLENGE, b""
        elif not self.token_is_right(content):
            return 400, "", fault("NotAuthorized", "Sender not authorized")
        return 200, "", self.told(name, content)

    def told(self, name: str, content: str) -> bytes:
        if name == "GetDeviceInformation":
            return soap(
                "<tds:GetDeviceInformationResponse><tds:Manufacturer>ACME\x7f</tds:Manufacturer>"
                "<tds:Model>K1</tds:Model><tds:FirmwareVersion>5.7</tds:FirmwareVersion>"
                "<tds:SerialNumber>77</tds:SerialNumber></tds:GetDeviceInformationResponse>"
            )
        if name == "GetCapabilities":
            return soap(
                "<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Media><tt:XAddr>"
                "http://10.9.9.9/onvif/Media</tt:XAddr></tt:Media></tds:Capabilities>"
                "</tds:GetCapabilitiesResponse>"
            )
        if name == "GetProfiles":
            both = profile("sub", 640, 360, "H264") + profile("main", 2560, 1440, "H265")
            return soap(f"<trt:GetProfilesResponse>{both}</trt:GetProfilesResponse>")
        token = re.search(r"<ProfileToken>(\w+)", content)
        assert token
        return soap(
            "<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://root:x@10.9.9.9:554/"
            f"{token[1]}?a=1&amp;b=2</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>"
        )

    def token_is_right(self, content: str) -> bool:
        parts = [
            re.search(rf"<\w+:{part}(?: [^>]*)?>([^<]*)<", content)
            for part in ("Username", "Password", "Nonce", "Created")
        ]
        user, digest, nonce, created = (part[1] if part else "" for part in parts)
        if not created:
            return False
        there = datetime.now(UTC) + timedelta(seconds=self.ahead_s)
        if abs((datetime.fromisoformat(created) - there).total_seconds()) > 5:
            return False  # as real cameras do
        mixed = base64.b64decode(nonce) + created.encode() + PASSWORD.encode()
        return user == USER and digest == base64.b64encode(hashlib.sha1(mixed).digest()).decode()

    def digest_is_right(self, proof: str | None) -> bool:
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', proof or ""))
        secret = hashlib.md5(f"{USER}:cam:{PASSWORD}".encode()).hexdigest()
        action = hashlib.md5(f"POST:{given.get('uri')}".encode()).hexdigest()
        text = f"{secret}:abc:00000001:{given.get('cnonce')}:auth:{action}"
        return given.get("response") == hashlib.md5(text.encode()).hexdigest()
