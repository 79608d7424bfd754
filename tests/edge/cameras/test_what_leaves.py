"""Nothing but bounded, hidden pictures leaves: every payload of a camera's road is taken apart."""

import base64
import json
import struct
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from camera_parts import Person, clip, kitchen
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from contracts.envelope import MAX_PAYLOAD_BYTES, event_type
from contracts.events import Evidence
from contracts.topics import Identity
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.pipeline import Models, Pipeline
from edge_agent.cameras.rule.scene import Scene
from edge_agent.cameras.settings import CameraSettings, EvidenceSettings, HonestySettings
from edge_agent.cameras.telling.evidence import CONTEXT_BYTES, LARGEST_BYTES
from edge_agent.cameras.telling.teller import Teller
from edge_agent.cameras.telling.vault_door import VaultDoor
from edge_agent.cameras.tools.replay import BEGIN
from edge_agent.custody.custody import Custody, Original
from edge_agent.custody.device_key import device_key
from edge_agent.custody.officer_keys import PublicKey
from edge_agent.custody.sealing import About, open_sealed
from edge_agent.custody.vault import Vault, list_sealed
from edge_agent.outbox.encoding import encode_fact
from edge_agent.ports import Fact

AGENT = Identity("440703", "canteen", "agent")
WHO = AGENT.sibling("cam-1")
SETTINGS = CameraSettings(
    "cam-1", "file:none", "test", looks_per_s=10.0,
    honesty=HonestySettings(degrade_after_s=1.0, recover_after_s=0.5, frozen_after_s=2.0),
    evidence=EvidenceSettings(after_s=1.0),
)  # fmt: skip
NO_HAT: Person = (0, 0, False, True)
BARE: Person = (1, 0, False, False)
OTHER: Person = (1, 1, True, True)
KEYS = [X25519PrivateKey.generate() for _ in range(2)]


def custody(folder: Path, most: int = 1 << 24) -> Custody:
    officers = [
        PublicKey(name, key.public_key().public_bytes_raw())
        for name, key in zip("ab", KEYS, strict=True)
    ]
    vault = Vault(folder / "vault", officers, retention_days=30, most_bytes=most)
    return Custody(device_key(folder, "agent", lambda: BEGIN), vault)


def a_day() -> Iterator[tuple[float, Any]]:
    """People with and without hats and masks, darkness, a frozen picture."""
    parts = [
        clip([(2, [OTHER]), (4, [NO_HAT, OTHER]), (4, [OTHER]), (4, [BARE, OTHER]), (4, [])]),
        clip([(3, [NO_HAT])], light=0.05),
        clip([(3, [OTHER])]),
        ((number / 10, kitchen([OTHER])) for number in range(40)),
        clip([(4, [BARE])]),
    ]
    start_s = 0.0
    for part in parts:
        at_s = 0.0
        for at_s, picture in part:
            yield start_s + at_s, picture
        start_s += at_s + 0.1


def live(scene: Scene, models: Models, held: Custody) -> list[Fact]:
    """The facts of that day; originals go to the vault as a camera's worker sends them."""
    pipeline = Pipeline(SETTINGS, scene, models, started_s=0.0)
    teller = Teller(WHO, pipeline, held)
    door = VaultDoor("cam-1", held, lambda: BEGIN, lambda: 0.0)
    facts: list[Fact] = []
    at = BEGIN
    for number, (at_s, picture) in enumerate(a_day(), 1):
        at = BEGIN + timedelta(seconds=at_s)
        facts += teller.tell(pipeline.take(Frame(picture, at, at_s, number)))
        door.keep(teller.showing.take_originals())
    assert door.trouble == ""
    return facts + teller.end(at, 30.0)


def payloads(facts: Sequence[Fact]) -> list[bytes]:
    """As they lie in the outbox and are published."""
    return [encode_fact(fact, AGENT, "e", n, 0).payload for n, fact in enumerate(facts, 1)]


def texts(value: object) -> Iterator[tuple[str, str]]:
    """Every text of a JSON value with the key that it stands under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            for under, text in texts(inner):
                yield under or str(key), text
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield "", value


def segments(jpeg: bytes) -> list[int]:
    """The markers of a JPEG up to its first scan (ITU-T T.81), and nothing after its end."""
    assert jpeg[:2] == b"\xff\xd8" and jpeg[-2:] == b"\xff\xd9"
    found, at = [], 2
    while jpeg[at + 1] != 0xDA:
        found.append(jpeg[at + 1])
        at += 2 + struct.unpack_from(">H", jpeg, at + 2)[0]
    scan = jpeg[at:]
    ends = [n for n in range(len(scan) - 1) if scan[n] == 0xFF and scan[n + 1] == 0xD9]
    assert ends == [len(scan) - 2]
    return found


APP0, APP15, COMMENT = 0xE0, 0xEF, 0xFE


@pytest.fixture(scope="module")
def day(
    scene: Scene, models: Models, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Fact], Path]:
    """The facts of a day, and the vault's folder."""
    folder = tmp_path_factory.mktemp("site")
    return live(scene, models, custody(folder)), folder / "vault"


@pytest.mark.slow
def test_every_payload_of_a_camera(day: tuple[list[Fact], Path]) -> None:
    facts, vault = day
    originals = {open_sealed(one.path.read_bytes(), KEYS)[1] for one in list_sealed(vault)}
    assert len(originals) >= 3
    pictures = 0
    for payload in payloads(facts):
        assert len(payload) <= MAX_PAYLOAD_BYTES
        whole = json.loads(payload)
        assert whole["type"] in {event_type("observations"), event_type("evidence")}
        binary = {key: text for key, text in texts(whole) if len(text) > 200}
        if "content" in whole["data"]:
            pictures += 1
            assert set(binary) == {"content"}
            content = base64.b64decode(whole["data"]["content"])
            role = whole["data"].get("role", "best")
            assert len(content) <= (LARGEST_BYTES if role == "best" else CONTEXT_BYTES)
            assert whole["data"]["blurred"] is True
            markers = segments(content)
            assert markers[0] == APP0
            assert not [m for m in markers[1:] if APP0 < m <= APP15 or m == COMMENT]
            assert content not in originals
            height, width = cv2.imdecode(np.frombuffer(content, np.uint8), 1).shape[:2]
            assert (width, height) == (whole["data"]["width"], whole["data"]["height"])
        else:
            assert binary == {}
        for original in originals:
            assert base64.b64encode(original[600:900]) not in payload
    assert pictures >= 10


@pytest.mark.slow
def test_no_picture_that_leaves_is_as_sharp_as_its_original(day: tuple[list[Fact], Path]) -> None:
    for one in [fact.data for fact in day[0] if isinstance(fact.data, Evidence)]:
        shown = cv2.imdecode(np.frombuffer(one.content, np.uint8), 0)
        fine = cv2.Laplacian(shown, cv2.CV_64F)
        clear = cv2.cvtColor(kitchen([OTHER]), cv2.COLOR_BGR2GRAY)
        whole = cv2.Laplacian(clear, cv2.CV_64F)[20:140, 500:620].var()
        # Where no zone is and nobody is a subject: the poster's corner.
        assert fine[20:140, 500:620].var() < whole / 4


def about(number: int) -> About:
    return About(WHO.source, f"e{number}", "o", BEGIN, "image/jpeg", 8, 8, 4, "0" * 64)


def test_a_vault_that_is_full_stops_nothing_and_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = custody(tmp_path, most=2000)
    door = VaultDoor("cam-1", held, lambda: BEGIN, lambda: 0.0)
    door.keep([Original(about(1), b"x" * 4000), Original(about(2), b"fits")])
    assert (door.trouble, door.failed) == ("", 1)
    door.keep([Original(about(3), b"x" * 4000)])
    assert "above its bound" in door.trouble
    assert door.figures()["originals_failed"] == 2
    assert "camera cam-1: an original is not kept" in caplog.text


def test_the_camera_says_that_it_signs_nothing() -> None:
    broken = Custody(trouble="device_key.json: broken")
    door = VaultDoor("cam-1", broken, lambda: BEGIN, lambda: 0.0)
    door.keep([])
    assert (door.trouble, door.figures()) == ("device_key.json: broken", {})
