"""Makes the workers of all cameras of a site: one per camera, models shared between them."""

import logging
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from contracts.clock import Clock, utc_now
from contracts.events import Status
from contracts.model_manifest import ManifestError
from contracts.settings import SettingsError, read_secret
from contracts.topics import Identity
from contracts.words import DeviceState
from edge_agent.cameras.camera import Camera
from edge_agent.cameras.eyes.inference import open_model
from edge_agent.cameras.frames import Ticks
from edge_agent.cameras.honesty.keepsakes import read_reference
from edge_agent.cameras.honesty.view import Light
from edge_agent.cameras.pictures import Grey
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene, read_scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.shadow.comparison import Shadow
from edge_agent.cameras.shadow.shadowing import Shadowing
from edge_agent.cameras.shadow.witness import Witness
from edge_agent.cameras.sources.capture import check_source, open_source
from edge_agent.cameras.sources.clock_probe import ClockProbe
from edge_agent.cameras.sources.onvif.device import Device
from edge_agent.cameras.sources.onvif.messages import OnvifError
from edge_agent.custody.custody import NO_CUSTODY, Custody
from edge_agent.ports import Sink, Worker

_log = logging.getLogger(__name__)


def camera_workers(
    settings: Sequence[CameraSettings],
    agent: Identity,
    sink: Sink,
    *,
    models_dir: Path,
    scenes_dir: Path,
    state_dir: Path,
    clock: Clock = utc_now,
    ticks: Ticks = time.monotonic,
    witnesses: Sequence[Witness] = (),
    custody: Custody = NO_CUSTODY,
) -> list[Worker]:
    """One worker per camera.

    `state_dir` is a folder of the agent that survives restarts: each camera keeps there which
    episodes it has opened, so that one is closed even if the agent was killed meanwhile. A camera
    whose scene, source or model cannot be used is left out and reported offline with the file and
    key. `witnesses` look over every camera's shoulder;
    `custody` signs what leaves and keeps originals.
    """
    opened: dict[tuple[str, str], Models] = {}
    workers: list[Worker] = []
    for one in settings:
        who = agent.sibling(one.device)
        try:
            check_source(one.source, f"camera {one.device}: source")
            if one.analysis_source:
                check_source(one.analysis_source, f"camera {one.device}: analysis_source")
            scene = read_scene(scenes_dir / f"{one.scene}.toml")
            fault = scene.fault_at(one.looks_per_s)
            if fault:
                raise SettingsError(f"camera {one.device}: looks_per_s: {fault} of {one.scene}")
            secret = read_secret(
                one.password_file,
                "FOODSENTRY_CAMERA_PASSWORD",
                f"camera {one.device}: password_file",
            )
            reference = _reference(scenes_dir, scene)
            probe = _clock_probe(one, secret)
            key = (one.detector, one.attributes)
            if key not in opened:
                opened[key] = open_models(models_dir, *key)
        except (SettingsError, ManifestError) as error:
            _log.error("camera %s is left out: %s", one.device, error)
            detail = str(error)[:500]
            sink.report(who, Status(DeviceState.OFFLINE, at=clock(), detail=detail))
            continue
        beside: tuple[Witness, ...] = ()
        if one.shadow_detector or one.shadow_attributes:
            shadowing = shadow_of(one, scene, models_dir, state_dir, ticks)
            beside = (shadowing,)
            workers.append(shadowing)
        workers.append(
            Camera(
                one,
                who,
                scene,
                opened[key],
                sink,
                opener=partial(open_source, one, secret, ticks),
                memory=state_dir / f"{one.device}.open.json",
                reference=reference,
                clock_probe=probe,
                clock=clock,
                ticks=ticks,
                witnesses=(*witnesses, *beside),
                custody=custody,
            )
        )
    return workers


def shadow_of(
    camera: CameraSettings, scene: Scene, models_dir: Path, state_dir: Path, ticks: Ticks
) -> Shadowing:
    """The worker that runs the camera's candidate; it opens the models, so that one that cannot be
    opened is its failure alone."""

    def make() -> Shadow:
        detector = camera.shadow_detector or camera.detector
        attributes = camera.shadow_attributes or camera.attributes
        return Shadow(scene, open_models(models_dir, detector, attributes))

    return Shadowing(camera.device, make, state_dir, camera.shadow_share, ticks)


def _reference(scenes_dir: Path, scene: Scene) -> dict[Light, Grey]:
    return dict([read_reference(scenes_dir / scene.reference)]) if scene.reference else {}


def _clock_probe(camera: CameraSettings, secret: str | None) -> ClockProbe | None:
    """Raises SettingsError if the address is none."""
    if not camera.onvif:
        return None
    try:
        device = Device(camera.onvif, camera.user, secret)
    except OnvifError as error:
        raise SettingsError(f"camera {camera.device}: onvif: {error}") from None
    return device.clock_offset_s


def open_models(models_dir: Path, detector: str, attributes: str) -> Models:
    """Open a detector and a classifier. Raises ManifestError that names the file."""
    models = Models(
        open_model(models_dir / detector, task="detect"),
        open_model(models_dir / attributes, task="classify"),
    )
    if "head" not in models.detector.manifest.output.labels:
        raise ManifestError(f"{models_dir / detector}: `output.labels` lacks 'head'")
    return models
