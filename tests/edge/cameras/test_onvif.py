"""ONVIF: clock, streams, discovery, passwords; and what hostile or broken devices answer.

The device is a stand-in that we wrote: real cameras of three makers are beyond our reach here.
"""

import argparse
import base64
import json
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from onvif_camera import PASSWORD, USER, OnvifCamera, profile, soap

from edge_agent.cameras.sources.onvif import clock_offset, messages
from edge_agent.cameras.sources.onvif.device import Device
from edge_agent.cameras.sources.onvif.discovery import discover
from edge_agent.cameras.sources.onvif.messages import OnvifError, OnvifRefused
from edge_agent.cameras.sources.onvif.xml import XmlRefused, parse
from edge_agent.cameras.tools.discover_command import run_discover

BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><x>&c;</x>'
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize("ahead_s", [0.0, 3600.0, -47.0])
def test_clock_offset(ahead_s: float) -> None:
    with OnvifCamera(ahead_s=ahead_s) as camera:
        assert clock_offset(camera.address) == pytest.approx(ahead_s, abs=1.5)
        assert camera.asked == ["GetSystemDateAndTime"]


@pytest.mark.parametrize("http_digest", [False, True])
def test_streams_of_a_camera_whose_clock_is_off(http_digest: bool) -> None:
    with OnvifCamera(ahead_s=900, http_digest=http_digest) as camera:
        told = Device(camera.address, USER, PASSWORD).describe()
    assert (told.information.maker, told.information.model) == ("ACME ", "K1")
    assert told.clock_offset_s == pytest.approx(900, abs=1.5)
    main, sub = told.streams
    # At the host that was asked, whatever the device believes, and without its password.
    assert main.address == "rtsp://127.0.0.1:554/main?a=1&b=2"
    assert (main.profile.encoding, main.profile.width, main.profile.kbps) == ("H265", 2560, 3072)
    assert (sub.profile.name, sub.profile.height, sub.profile.fps) == ("sub 流", 360, 25.0)


@pytest.mark.parametrize("http_digest", [False, True])
def test_a_wrong_password_is_said_and_not_repeated(http_digest: bool) -> None:
    with OnvifCamera(http_digest=http_digest) as camera:
        with pytest.raises(OnvifRefused, match="wrong user or password") as caught:
            Device(camera.address, USER, "hunter2").describe()
        assert "hunter2" not in str(caught.value)
        assert clock_offset(camera.address, USER, "hunter2") == pytest.approx(0, abs=1.5)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        (b"<a>" * 100, "nested too deeply"),
        (b"\x00\xff not xml", "not XML"),
        (b"", "not XML"),
        (b"<html><body>Login</body></html>", "no SOAP message"),
        (b"x" * 1_000_001, "too long"),
        (soap("<tds:Nothing/>"), "does not tell its time"),
        (soap("<s:Fault><faultstring>broken\x1b[31m</faultstring></s:Fault>"), "not XML"),
        (soap("<s:Fault><faultstring>broken</faultstring></s:Fault>"), "fault: broken"),
        (
            soap(
                "<GetSystemDateAndTimeResponse><SystemDateAndTime><UTCDateTime><Date><Year>2026"
                "</Year><Month>13</Month><Day>1</Day></Date></UTCDateTime></SystemDateAndTime>"
                "</GetSystemDateAndTimeResponse>"
            ),
            "time that it tells is none",
        ),
    ],
)
def test_bad_answers_are_refused(answer: bytes, says: str) -> None:
    with OnvifCamera() as camera:
        camera.answers["GetSystemDateAndTime"] = answer
        with pytest.raises(OnvifError, match=rf"127\.0\.0\.1:{camera.port}.*{says}"):
            clock_offset(camera.address)


def test_nobody_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(OnvifError, match=r"no answer in 0\.3 s"):
            clock_offset(f"127.0.0.1:{port}", timeout_s=0.3)
        assert time.monotonic() - began < 2
    with pytest.raises(OnvifError, match="Connection refused"):
        clock_offset(f"127.0.0.1:{port}")
    for wrong in ("", "host:port", "ftp://host/", "http://"):
        with pytest.raises(OnvifError, match="no address"):
            clock_offset(wrong)


def test_a_device_that_drips_is_hung_up_on() -> None:
    with OnvifCamera() as camera:
        camera.drip_s = 0.1  # each byte well within the timeout, the whole would take a minute
        began = time.monotonic()
        with pytest.raises(OnvifError):
            clock_offset(camera.address, timeout_s=0.5)
        assert time.monotonic() - began < 5
    assert not [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


def test_discovery_keeps_good_answers_and_the_senders_address() -> None:
    with OnvifCamera() as camera:
        camera.datagrams = [BOMB, b"noise", camera.match("another-probe"), b"<a/>"]
        (found,) = discover(0.5, targets=[camera.udp])
    assert found.service == f"http://127.0.0.1:{camera.port}/onvif/device_service"
    assert (found.name, found.hardware, found.endpoint) == ("HIK DS-2CD", "DS-2CD", "urn:uuid:1")


def test_discovery_without_a_network_says_so() -> None:
    with pytest.raises(OnvifError, match="cannot call out"):
        discover(0.1, interface="nowhere")


def _run(capsys: pytest.CaptureFixture[str], *, as_json: bool, **more: object) -> tuple[int, str]:
    values = {"addresses": [], "wait": 0.1, "interface": "", "user": USER, "password_file": ""}
    status = run_discover(argparse.Namespace(**{**values, **more}, json=as_json))
    return status, capsys.readouterr().out


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good").write_text(PASSWORD)
    (tmp_path / "bad").write_text("hunter2")
    with OnvifCamera(ahead_s=100) as camera:
        addresses = [camera.address]
        good, bad = str(tmp_path / "good"), str(tmp_path / "bad")
        status, out = _run(capsys, as_json=True, addresses=addresses, password_file=good)
        line = json.loads(out)
        assert status == 0
        assert line["clock_offset_s"] == pytest.approx(100, abs=1.5)
        assert [one["encoding"] for one in line["streams"]] == ["H265", "H264"]
        status, out = _run(capsys, as_json=False, addresses=addresses, password_file=good)
        assert 'source = "rtsp://127.0.0.1:554/main?a=1&b=2"' in out
        assert "set it, or its times are wrong" in out
        status, out = _run(capsys, as_json=False, addresses=addresses, password_file=bad)
        assert (status, "wrong user or password" in out) == (1, True)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for wrapped in (content, b"<a><b>" + content + b"</b></a>"):
        with suppress(XmlRefused):
            parse(wrapped)


@given(st.text(max_size=60), st.text(max_size=20))
def test_a_stream_is_always_at_the_host_that_was_asked(path: str, user: str) -> None:
    moved = messages.at_host(f"rtsp://{user}@evil.example:99/{path}", "10.0.0.9")
    assert moved == "" or moved.startswith(("rtsp://10.0.0.9:99/", "rtsp://10.0.0.9/"))


def test_profiles_with_nonsense_are_kept_harmless() -> None:
    many = "".join(profile(f"p{n}", n, 1, "H264") for n in range(1, 100))
    wild = profile("wild", 0, 0, "H264").replace("3072", "nan").replace("25", "1e300")
    body = messages.body_of(
        soap(f"<trt:GetProfilesResponse>{wild}{many}</trt:GetProfilesResponse>"), "cam"
    )
    found = messages.read_profiles(body)
    assert len(found) == messages.MOST_PROFILES
    assert (found[-1].token, found[-1].fps, found[-1].kbps) == ("wild", 0.0, 0)


def test_the_token_is_as_the_standard_computes_it() -> None:
    # The example of the ONVIF Application Programmer's Guide.
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    at = datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC)
    made = messages.username_token("user", "userpassword", nonce, at)
    assert ">tuOSpGlFlIXsozq4HFNeeGeFLEI=<" in made
