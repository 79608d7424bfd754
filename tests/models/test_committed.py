"""The committed models: whole, of the stated geometry, and right about four photographs that
everyone has."""

from pathlib import Path

import numpy as np
import pytest

from contracts.model_manifest import ManifestError, read_manifest, verify
from edge_agent.cameras.eyes.inference import open_model
from models.reading import AttributeReader, HeadDetector, Picture
from models.truth import Box

cv2 = pytest.importorskip("cv2")
onnx = pytest.importorskip("onnx")
pictures = pytest.importorskip("skimage.data")

MODELS = Path(__file__).parents[2] / "models"
FOLDERS = sorted(path.parent for path in MODELS.glob("*/manifest.toml"))
SHUTTLE_AT = 380
"""From here rightward stands a space shuttle, whose tip passes for a head: a known mistake."""
FLAG_UP_TO = 64
"""From here leftward hangs a flag, of which sixteen pixels pass for a head: another one."""
HER_HEAD: Box = (172.0, 5.0, 286.0, 172.0)
"""The astronaut's head, drawn by hand."""


def picture(name: str) -> Picture:
    """A photograph of scikit-image as BGR."""
    return np.ascontiguousarray(getattr(pictures, name)()[..., ::-1])


@pytest.fixture(scope="module")
def detector() -> HeadDetector:
    return HeadDetector(MODELS / "kitchen_heads")


@pytest.fixture(scope="module")
def reader() -> AttributeReader:
    return AttributeReader(MODELS / "head_attributes")


def test_the_models_are_there() -> None:
    names = ["head_attributes", "head_attributes_int8", "kitchen_heads"]
    assert [folder.name for folder in FOLDERS] == names


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_hash_geometry_and_card(folder: Path) -> None:
    manifest = verify(folder)
    assert manifest.id == folder.name
    open_model(folder, task=manifest.task)
    card = (folder / "MODEL_CARD.md").read_text("utf-8")
    assert manifest.version in card
    assert "must not be used" in card


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_one_file_that_old_runtimes_read(folder: Path) -> None:
    model = onnx.load(str(folder / read_manifest(folder).file), load_external_data=False)
    assert all(not tensor.external_data for tensor in model.graph.initializer)
    assert [item.version for item in model.opset_import if not item.domain] == [17]
    assert not any(node.doc_string for node in model.graph.node)


def test_size_of_the_detector() -> None:
    assert (MODELS / "kitchen_heads" / "kitchen_heads.onnx").stat().st_size <= 6_000_000


@pytest.mark.parametrize("scale", [1.0, 0.5, 0.25])
def test_astronaut_has_a_bare_head_and_no_mask(
    detector: HeadDetector, reader: AttributeReader, scale: float
) -> None:
    her = cv2.resize(picture("astronaut"), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    between = np.ascontiguousarray(her[:, int(FLAG_UP_TO * scale) : int(SHUTTLE_AT * scale)])
    assert len([item for item in detector.detect(between) if item.label == "head"]) == 1
    heads = [item for item in detector.detect(her) if item.label == "head"]
    assert heads[0].confidence > 0.75
    assert all(item.confidence < 0.75 for item in heads[1:])
    x0, y0, x1, y1 = (value * scale for value in HER_HEAD)
    assert x0 < (heads[0].box[0] + heads[0].box[2]) / 2 < x1
    assert y0 < (heads[0].box[1] + heads[0].box[3]) / 2 < y1
    said = reader.read(her, heads[0].box)
    assert said is not None
    assert said["hat"] < 0.2
    assert said["mask"] < 0.2


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_no_head_where_no_one_is(detector: HeadDetector, name: str) -> None:
    assert [item for item in detector.detect(picture(name)) if item.label == "head"] == []


def test_int8_says_what_the_floats_say(reader: AttributeReader) -> None:
    small = AttributeReader(MODELS / "head_attributes_int8")
    for box in (HER_HEAD, (150.0, 20.0, 300.0, 190.0)):
        said, also = (one.read(picture("astronaut"), box) for one in (reader, small))
        assert said is not None and also is not None
        assert said == pytest.approx(also, abs=0.1)


def test_a_tiny_head_is_not_judged(reader: AttributeReader) -> None:
    assert reader.read(picture("astronaut"), (200.0, 50.0, 208.0, 60.0)) is None


def test_a_flat_crop_is_not_judged(reader: AttributeReader) -> None:
    flat = np.full((200, 200, 3), 90, dtype=np.uint8)
    assert reader.read(flat, (20.0, 20.0, 120.0, 140.0)) is None


def test_geometry_that_disagrees_is_refused(tmp_path: Path) -> None:
    source = MODELS / "head_attributes"
    manifest = read_manifest(source)
    (tmp_path / manifest.file).write_bytes((source / manifest.file).read_bytes())
    text = (source / "manifest.toml").read_text("utf-8")
    (tmp_path / "manifest.toml").write_text(text.replace("width = 96", "width = 100"), "utf-8")
    with pytest.raises(ManifestError, match="input"):
        open_model(tmp_path, task="classify")
