"""`foodsentry vision setup` and `check-scene`: a scene file from a watch, shown as a picture."""

import argparse
import sys
import time
from pathlib import Path

import msgspec

from contracts.model_manifest import ManifestError
from contracts.settings import SettingsError, read_secret
from contracts.words import ZoneKind
from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.eyes.inference import Model, open_model
from edge_agent.cameras.frames import Picture, SourceError
from edge_agent.cameras.pictures import encode_jpeg, read_picture
from edge_agent.cameras.rule.looking import HIDE_FLOOR
from edge_agent.cameras.rule.scene import Scene, Wear, Zone, faults, read_scene
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources.capture import check_source
from edge_agent.cameras.telling.evidence import without_heads
from edge_agent.cameras.tools.scene_picture import save_picture, scene_picture
from edge_agent.cameras.tools.scene_text import scene_text
from edge_agent.cameras.tools.survey import Survey
from edge_agent.cameras.tools.watching import watch
from edge_agent.settings import chosen_camera, load_edge_settings, places

LARGEST_PX = 60_000_000
REFERENCE_QUALITY = 90


def add_setup(
    leaves: "argparse._SubParsersAction[argparse.ArgumentParser]", common: argparse.ArgumentParser
) -> None:
    """Register `setup` and `check-scene`."""
    leaf = leaves.add_parser("setup", parents=[common], help="propose a scene from a short watch")
    leaf.add_argument("camera", metavar="CAMERA", help="device id (with --settings), or a source: "
                      "rtsp://…, usb:0, a video, a folder of pictures")  # fmt: skip
    leaf.add_argument("--settings", type=Path, help="the edge settings that hold the camera")
    leaf.add_argument("--name", help="of the scene file; default: as the camera's settings say")
    leaf.add_argument("--scenes", type=Path, help="folder to write to; default: that of the "
                      "settings, else here")  # fmt: skip
    leaf.add_argument("--watch-s", type=float, default=30.0, help="how long to watch")
    leaf.add_argument("--kind", choices=[kind.value for kind in ZoneKind], default="special_room")
    leaf.add_argument("--required", default="hat,mask", help="what people must wear")
    leaf.add_argument(
        "--zone",
        action="append",
        default=[],
        metavar="NAME:X,Y/X,Y/X,Y…",
        help="use this zone in place of proposed ones (shares of the picture); again for more",
    )
    leaf.add_argument("--force", action="store_true", help="replace a scene that is there already")
    leaf.set_defaults(run=run_setup)

    leaf = leaves.add_parser("check-scene", help="read a scene file and show it as a picture")
    leaf.add_argument("scene", type=Path, metavar="SCENE.toml")
    leaf.add_argument("--picture", type=Path, help="view to draw on; default: its reference")
    leaf.add_argument("--out", type=Path, help="PNG to write; default: SCENE.png beside it")
    leaf.set_defaults(run=run_check_scene)


def run_setup(arguments: argparse.Namespace) -> int:
    """Write NAME.toml, NAME.reference.jpg and NAME.png. 1: no picture; 2: settings or model."""
    try:
        settings, folder = _camera(arguments)
        path = folder / f"{arguments.name or settings.scene}.toml"
        if path.exists() and not arguments.force:
            raise SettingsError(f"{path}: is there already; --force replaces it, --name avoids it")
        password = read_secret(
            settings.password_file, "FOODSENTRY_CAMERA_PASSWORD", f"camera {settings.device}"
        )
        detector = open_model(arguments.models / arguments.detector, task="detect")
        survey = watch(settings, password, detector, arguments.watch_s, time.monotonic, _progress)
        print(file=sys.stderr)
        _write(path, _proposed(arguments, survey, path), survey, detector)
    except (ManifestError, SettingsError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 2
    except (SourceError, OSError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    return 0


def _camera(arguments: argparse.Namespace) -> tuple[CameraSettings, Path]:
    """The camera, and the folder of its scenes. Raises SettingsError."""
    folder: Path = arguments.scenes or Path()
    if arguments.settings:
        where = places(load_edge_settings(arguments.settings), arguments.settings)
        return chosen_camera(arguments.settings, arguments.camera), arguments.scenes or where.scenes
    path = Path(arguments.camera)
    source = arguments.camera
    if path.exists():
        source = f"{'folder' if path.is_dir() else 'file'}:{path}"
    check_source(source, "CAMERA")
    name = path.stem if path.exists() else "scene"
    return CameraSettings("setup", source, name), folder


def _progress(at_s: float, heads: int) -> None:
    print(f"\r{at_s:.0f} s, {heads} heads in view ", end="", file=sys.stderr, flush=True)


def _proposed(arguments: argparse.Namespace, survey: Survey, path: Path) -> Scene:
    """Raises SettingsError for zones or clothing that cannot be used."""
    try:
        required = tuple(Wear(one) for one in arguments.required.split(",") if one)
    except ValueError as error:
        raise SettingsError(f"--required: {error}") from None
    kind = ZoneKind(arguments.kind)
    scene = survey.scene(path.stem, required, kind)
    if arguments.zone:
        least = survey.least_head()
        zones = tuple(_zone(text, kind, required, least) for text in arguments.zone)
        scene = msgspec.structs.replace(scene, zones=zones)
    scene = msgspec.structs.replace(scene, reference=f"{path.stem}.reference.jpg")
    for key, fault in faults(scene):
        raise SettingsError(f"{path}: {key}: {fault}")
    return scene


def _zone(text: str, kind: ZoneKind, required: tuple[Wear, ...], least: float) -> Zone:
    name, mark, points = text.rpartition(":")
    try:
        polygon = tuple(_point(point) for point in points.split("/"))
    except ValueError:
        polygon = ()
    if not mark or not name or not polygon:
        raise SettingsError(f"--zone: {text!r} is not NAME:X,Y/X,Y/X,Y with shares of the picture")
    return Zone(name, kind, polygon, required, min_head=least)


def _point(text: str) -> tuple[float, float]:
    x, y = (float(part) for part in text.split(","))
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ValueError(text)
    return x, y


def _write(path: Path, scene: Scene, survey: Survey, detector: Model) -> None:
    """The scene file last: where it stands, its pictures stand too. Raises OSError."""
    view = survey.best
    if view is None:
        raise SourceError(f"{path}: there is no picture to set it up by")
    hidden = without_heads(view, detect(detector, view, floor=HIDE_FLOOR))
    path.parent.mkdir(parents=True, exist_ok=True)
    reference = path.with_name(scene.reference)
    reference.write_bytes(encode_jpeg(hidden, REFERENCE_QUALITY))
    shown = path.with_suffix(".png")
    save_picture(shown, scene_picture(scene, hidden))
    path.write_text(scene_text(scene, path.name, least_seen=survey.least_head()), "utf-8")
    read_scene(path)
    print(f"{path}: {len(scene.zones)} zones, {len(scene.masks)} masks "
          f"from {survey.heads} heads in {survey.looks} looks")  # fmt: skip
    print(f"{shown}: look at it; then correct the file, and: foodsentry vision check-scene {path}")


def run_check_scene(arguments: argparse.Namespace) -> int:
    """Say what the scene holds and write its picture. 1: a picture; 2: the scene."""
    path: Path = arguments.scene
    out: Path = arguments.out or path.with_suffix(".png")
    try:
        scene = read_scene(path)
        view = _view(arguments, scene)
        save_picture(out, scene_picture(scene, view))
    except SettingsError as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 2
    except (SourceError, OSError) as error:
        print(f"foodsentry: {error}", file=sys.stderr)
        return 1
    for zone in scene.zones:
        asked = ", ".join(wear.value for wear in zone.required) or "nothing"
        print(
            f"zone {zone.name}: {zone.kind.value}, asks for {asked}, heads from {zone.min_head:g}"
        )
    for mask in scene.masks:
        print(f"mask {mask.name}")
    if not scene.reference:
        print("no reference picture: whether the camera was moved is judged by what it learns")
    print(f"{out}: written")
    return 0


def _view(arguments: argparse.Namespace, scene: Scene) -> Picture | None:
    if arguments.picture:
        return read_picture(arguments.picture, LARGEST_PX)
    if scene.reference:
        return read_picture(arguments.scene.with_name(scene.reference), LARGEST_PX)
    return None
