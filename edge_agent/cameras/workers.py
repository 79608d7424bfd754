"""Makes the workers of all cameras of a site: one per camera, models shared between them."""

from collections.abc import Sequence
from pathlib import Path

from contracts.clock import Clock, utc_now
from contracts.topics import Identity
from edge_agent.cameras.settings import CameraSettings
from edge_agent.ports import Sink, Worker


def camera_workers(
    settings: Sequence[CameraSettings],
    agent: Identity,
    sink: Sink,
    *,
    models_dir: Path,
    scenes_dir: Path,
    state_dir: Path,
    clock: Clock = utc_now,
) -> list[Worker]:
    """One worker per camera.

    `state_dir` is a folder of the agent that survives restarts: each camera keeps there which
    episodes it has opened, so that one is closed even if the agent was killed meanwhile. A camera
    whose scene or model cannot be used is left out and reported offline with the file and key.
    """
    raise NotImplementedError
