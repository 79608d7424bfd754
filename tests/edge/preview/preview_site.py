"""A preview page with one camera that a test feeds."""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.clock import utc_now
from edge_agent.cameras.frames import Frame
from edge_agent.cameras.honesty import Sight
from edge_agent.cameras.pipeline import Outcome, Pipeline
from edge_agent.cameras.rule.looking import Models
from edge_agent.cameras.rule.scene import Scene, read_scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.shadow.witness import Glance
from edge_agent.cameras.sources.capture import prepare_opencv
from edge_agent.preview.board import Board
from edge_agent.preview.server import Preview
from edge_agent.preview.settings import PreviewSettings

PASSWORD = "twelve-letters-and-more"
CAMERA = CameraSettings("cam-1", "usb:0", "test")
BARE = (0, 0, False, True)


class Site:
    """A page with one camera that a test feeds."""

    def __init__(self, scene_file: Path, models: Models, settings: PreviewSettings) -> None:
        prepare_opencv()
        self.scene: Scene = read_scene(scene_file)
        self.pipeline = Pipeline(CAMERA, self.scene, models, 0.0)
        self.board, self.number = Board(), 0
        password = PASSWORD if settings.password_file else None
        self.preview = Preview(
            settings, password, self.board, {"cam-1": scene_file}, utc_now, time.monotonic
        )

    def show(self, picture: Any, sight: Sight = Sight.LIVE, device: str = "cam-1") -> None:
        self.number += 1
        at_s = self.number / 5
        outcome: Outcome | None = self.pipeline.take(Frame(picture, utc_now(), at_s, self.number))
        glance = Glance(
            device, self.scene, outcome, sight, (), self.number, self.number, "", utc_now(), at_s
        )
        self.board.saw(glance)

    def ask(
        self, path: str, *, method: str = "GET", body: str = "", **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        asking = http.client.HTTPConnection("127.0.0.1", self.preview.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        asking.request(method, path, body=body or None, headers=named)
        answer = asking.getresponse()
        told = (answer.status, dict(answer.getheaders()), answer.read())
        asking.close()
        return told

    def json(self, path: str, **headers: str) -> Any:
        status, _, body = self.ask(path, **headers)
        assert status == 200, body
        return json.loads(body)

    def sign_in(self, password: str = PASSWORD) -> str:
        _, headers, _ = self.ask("/signin", method="POST", body=f"password={password}")
        return headers.get("Set-Cookie", "").partition(";")[0]


def running(site: Site) -> Iterator[Site]:
    stop = threading.Event()
    thread = threading.Thread(target=site.preview.run, args=(stop,))
    thread.start()
    assert site.preview.ready.wait(10)
    yield site
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
