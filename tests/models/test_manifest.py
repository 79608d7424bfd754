"""The manifest reader: a good one, and every way in which one is refused."""

import hashlib
from pathlib import Path

import pytest

from contracts.model_manifest import Manifest, ManifestError, read_manifest, verify

GOOD = """
id = "toy"
version = "1.0.0"
task = "classify"
file = "toy.onnx"
sha256 = "{digest}"
licence = "Apache-2.0"

[input]
name = "heads"
width = 96
height = 128
colour = "rgb"
layout = "nchw"
scale = 1.0
mean = [127.0, 127.0, 127.0]
std = [128.0, 128.0, 128.0]
resize = "stretch"
crop_margin = 0.2

[output]
kind = "logits"
names = ["logits"]
labels = ["hat", "mask"]

[thresholds.hat]
yes = 0.6
no = 0.4
[thresholds.mask]
yes = 0.5

[limits]
min_box_px = 16.0

[calibration]
hat = 1.4

[training]
data = ["made up"]
start = "scratch"
date = "2026-11-23"
seed = 1
minutes = 0.5
"""


def write(folder: Path, text: str = GOOD) -> Path:
    """A model folder with ten bytes for a network."""
    (folder / "toy.onnx").write_bytes(b"0123456789")
    path = folder / "manifest.toml"
    path.write_text(text.format(digest=hashlib.sha256(b"0123456789").hexdigest()), encoding="utf-8")
    return path


def test_reads_a_good_manifest(tmp_path: Path) -> None:
    path = write(tmp_path)
    manifest = read_manifest(path)
    assert isinstance(manifest, Manifest)
    assert manifest == read_manifest(tmp_path) == verify(tmp_path) == verify(path)
    assert manifest.input.mean == (127.0, 127.0, 127.0)
    assert manifest.thresholds["hat"].no == 0.4
    assert manifest.thresholds["mask"].no is None
    assert manifest.calibration == {"hat": 1.4}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('licence = "Apache-2.0"', 'licence = "Apache-2.0"\ncolor = 1', "color"),
        ("crop_margin = 0.2", "crop_margins = 0.2", "crop_margins"),
        ("width = 96", 'width = "96"', "$.input.width"),
        ("width = 96", "width = 0", "input.width"),
        ('colour = "rgb"', 'colour = "grey"', "$.input.colour"),
        ("mean = [127.0, 127.0, 127.0]", "mean = [127.0]", "$.input.mean"),
        ("std = [128.0, 128.0, 128.0]", "std = [0.0, 1.0, 1.0]", "input.std"),
        ('file = "toy.onnx"', 'file = "../toy.onnx"', "file"),
        ('task = "classify"', 'task = "detect"', "task"),
        ('labels = ["hat", "mask"]', 'labels = ["hat", "hat"]', "output.labels"),
        ('resize = "stretch"', 'resize = "stretch"\nmultiple = 32', "input.multiple"),
        ('resize = "stretch"', 'resize = "letterbox"\nmultiple = 60', "input.multiple"),
        ('resize = "stretch"', 'resize = "stretch"\nlargest_scale = -1.0', "input.largest_scale"),
        ('names = ["logits"]', 'names = ["logits"]\ngates.mask = "face"', "output.gates"),
        ('names = ["logits"]', 'names = ["logits"]\ngates.mask = "mask"', "output.gates"),
        ("[thresholds.mask]", "[thresholds.gloves]", "thresholds"),
        ("no = 0.4", "no = 0.7", "thresholds.hat"),
        ("no = 0.4", "no = 0.4\nno_infrared = 0.5", "no_infrared <= no"),
        ("no = 0.4", "no = 0.4\nno_infrared = -0.1", "thresholds.hat"),
        ("hat = 1.4", "hat = 0.0", "calibration"),
        ("hat = 1.4", "beard = 1.4", "calibration"),
        ("seed = 1\n", "", "seed"),
        ("[input]", "[input", "manifest.toml"),
    ],
)
def test_refuses_a_wrong_manifest(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in GOOD
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ManifestError) as refused:
        read_manifest(path)
    assert str(path) in str(refused.value)
    assert words in str(refused.value)


def test_refuses_a_wrong_hash(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "toy.onnx").write_bytes(b"0123456780")
    with pytest.raises(ManifestError, match=r"toy\.onnx: sha256 is .* key `sha256`"):
        verify(tmp_path)


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"manifest\.toml"):
        read_manifest(tmp_path)
    write(tmp_path)
    (tmp_path / "toy.onnx").unlink()
    with pytest.raises(ManifestError, match=r"toy\.onnx"):
        verify(tmp_path)
