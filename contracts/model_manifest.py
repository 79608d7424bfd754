"""What a model folder's `manifest.toml` says: which file, what it takes, what it gives, how far it
may be trusted."""

import hashlib
import tomllib
from pathlib import Path
from typing import Literal

import msgspec

MANIFEST_NAME = "manifest.toml"


class ManifestError(ValueError):
    """A manifest that cannot be used; the message names the file and the key."""


class ModelInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The tensor a model takes: pixel p of a channel becomes (p * scale - mean) / std."""

    name: str
    width: int
    height: int
    colour: Literal["rgb", "bgr"]
    layout: Literal["nchw"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    resize: Literal["letterbox", "stretch"]
    """letterbox: keep the aspect, picture in the top left corner, the rest filled with
    `pad_value`."""
    multiple: int = 0
    """0: the file takes width x height and nothing else. Otherwise it takes any sides that are
    multiples of this, up to width x height: the canvas is as small as the picture's aspect
    allows."""
    largest_scale: float = 0.0
    """letterbox: a picture is enlarged at most so many times; 0: until it fills the canvas."""
    pad_value: int = 114
    crop_margin: float = 0.0
    """Classifiers: the head box grows by this share of its width (height) on each side, is clipped
    to the frame, then resized."""


class ModelOutput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What comes out. boxes_scores: boxes [n, 4] (x0, y0, x1, y1 in input pixels) and scores [n,
    labels] in 0..1, before suppression of overlaps. logits: [batch, labels], one independent
    yes/no question for each label."""

    kind: Literal["boxes_scores", "logits"]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    candidates: int = 0
    """boxes_scores: the fixed number n of candidate boxes; 0 if it follows an input of any
    size."""
    nms_iou: float = 0.5
    """boxes_scores: candidates of one label that overlap more than this are one object."""
    gates: dict[str, str] = {}
    """logits: a label is answered only where its gate, another label, is a yes: without a face
    nothing can be said of a mask. Gates themselves are not told."""

    @property
    def told(self) -> tuple[str, ...]:
        """The labels that are answered: gates are not."""
        return tuple(label for label in self.labels if label not in self.gates.values())


class Decision(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a label's probability becomes yes or no; in between (classifiers) the answer is
    "cannot tell"."""

    yes: float
    no: float | None = None
    no_infrared: float | None = None
    """In place of `no` where a picture has no colour: by infrared light a dark cap looks like hair,
    and a white mask like a chin."""


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Below these, the model does not answer."""

    min_box_px: float
    """Smallest shorter side of the box in frame pixels."""
    min_sharpness: float = 0.0
    """Smallest variance of the Laplacian of the grey crop at input size; 0 switches the check
    off."""
    min_contrast: float = 0.0
    """Smallest standard deviation of the grey crop (0..255); 0 switches the check off."""


class Training(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the weights come from."""

    data: tuple[str, ...]
    start: str
    date: str
    seed: int
    minutes: float


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One model, ready for use."""

    id: str
    version: str
    task: Literal["detect", "classify"]
    file: str
    sha256: str
    licence: str
    input: ModelInput
    output: ModelOutput
    thresholds: dict[str, Decision]
    limits: Limits
    training: Training
    calibration: dict[str, float] = {}
    """Temperature by label: probability = sigmoid(logit / temperature)."""


def read_manifest(path: Path) -> Manifest:
    """Read `path` (the manifest, or the folder that holds it). Raises ManifestError naming file
    and key."""
    if path.is_dir():
        path = path / MANIFEST_NAME
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from error
    try:
        manifest = msgspec.convert(raw, Manifest)
    except msgspec.ValidationError as error:
        raise ManifestError(f"{path}: {error}") from error
    _check(path, manifest)
    return manifest


def verify(folder: Path) -> Manifest:
    """Read the manifest of a model folder and check the model file's SHA-256 against it. Raises
    ManifestError."""
    manifest = read_manifest(folder)
    path = (folder if folder.is_dir() else folder.parent) / manifest.file
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ManifestError(f"{path}: {error}") from error
    if found != manifest.sha256.lower():
        raise ManifestError(
            f"{path}: sha256 is {found}, the manifest's key `sha256` says {manifest.sha256}"
        )
    return manifest


def _check(path: Path, manifest: Manifest) -> None:
    labels = manifest.output.labels
    expected_outputs = 2 if manifest.output.kind == "boxes_scores" else 1
    faults = (
        (
            Path(manifest.file).name != manifest.file,
            "file",
            "must be a plain file name beside the manifest",
        ),
        (len(manifest.sha256) != 64, "sha256", "must have 64 hexadecimal digits"),
        (
            manifest.input.width < 8 or manifest.input.height < 8,
            "input.width/height",
            "must be at least 8 pixels",
        ),
        (any(value <= 0 for value in manifest.input.std), "input.std", "must be above 0"),
        (
            not _fits_multiple(manifest.input),
            "input.multiple",
            "must divide width and height, and goes with letterbox only",
        ),
        (manifest.input.largest_scale < 0, "input.largest_scale", "must not be negative"),
        (not 0 <= manifest.input.crop_margin <= 2, "input.crop_margin", "must be within 0..2"),
        (not 0 <= manifest.input.pad_value <= 255, "input.pad_value", "must be within 0..255"),
        (
            not labels or len(set(labels)) != len(labels),
            "output.labels",
            "must be distinct and not empty",
        ),
        (
            len(manifest.output.names) != expected_outputs,
            "output.names",
            f"must be {expected_outputs} for this kind",
        ),
        (
            (manifest.task == "detect") != (manifest.output.kind == "boxes_scores"),
            "task",
            "does not fit output.kind",
        ),
        (
            manifest.task == "detect"
            and (manifest.output.candidates > 0) == (manifest.input.multiple > 0),
            "output.candidates",
            "must be above 0, or absent where input.multiple is set",
        ),
        (
            set(manifest.thresholds) != set(labels),
            "thresholds",
            f"must name exactly the labels {list(labels)}",
        ),
        (not set(manifest.calibration) <= set(labels), "calibration", "names an unknown label"),
        (
            not {*manifest.output.gates, *manifest.output.gates.values()} <= set(labels)
            or bool(set(manifest.output.gates) & set(manifest.output.gates.values())),
            "output.gates",
            "must lead from a label to another one that has no gate",
        ),
        (
            any(value <= 0 for value in manifest.calibration.values()),
            "calibration",
            "must be above 0",
        ),
    )
    for is_wrong, key, message in faults:
        if is_wrong:
            raise ManifestError(f"{path}: `{key}` {message}")
    for label, decision in manifest.thresholds.items():
        no = decision.yes if decision.no is None else decision.no
        grey = no if decision.no_infrared is None else decision.no_infrared
        if not 0 <= grey <= no <= decision.yes <= 1:
            raise ManifestError(
                f"{path}: `thresholds.{label}` must satisfy 0 <= no_infrared <= no <= yes <= 1"
            )


def _fits_multiple(wanted: ModelInput) -> bool:
    if wanted.multiple == 0:
        return True
    divides = wanted.multiple > 0 and not (
        wanted.width % wanted.multiple or wanted.height % wanted.multiple
    )
    return divides and wanted.resize == "letterbox"
