"""Models: one that disagrees with its manifest is refused, with the file and the key named."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import pytest
from camera_parts import BLOCK, kitchen, write_classifier, write_detector
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Box
from contracts.model_manifest import Decision, ManifestError, ModelInput
from edge_agent.cameras.eyes.attributes import Answer, both_read, decide, read_attributes
from edge_agent.cameras.eyes.detect import detect
from edge_agent.cameras.eyes.inference import open_model
from edge_agent.cameras.eyes.tensors import fit, to_tensor
from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.workers import open_models


def in_manifest(old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "manifest.toml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    return change


def flip_a_byte(folder: Path) -> None:
    path = folder / "blocks.onnx"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (flip_a_byte, r"blocks\.onnx: sha256 is [0-9a-f]{64}, `sha256` of .*manifest\.toml"),
        (in_manifest("width = 64", "width = 96"), r"blocks\.onnx: `input\.width/height`.* 96x64"),
        (in_manifest('"images"', '"pictures"'), r"blocks\.onnx: `input\.name`"),
        (in_manifest('["boxes", "scores"]', '["scores", "boxes"]'), r"`output\.names`"),
        (in_manifest("candidates = 16", "candidates = 17"), r"blocks\.onnx: `output`"),
        (lambda folder: (folder / "blocks.onnx").unlink(), r"blocks\.onnx: No such file"),
        (lambda folder: (folder / "manifest.toml").unlink(), r"manifest\.toml"),
    ],
)
def test_a_wrong_detector_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    write_detector(tmp_path)
    damage(tmp_path)
    with pytest.raises(ManifestError, match=says):
        open_model(tmp_path, task="detect")


def test_a_wrong_classifier_is_refused(tmp_path: Path) -> None:
    write_classifier(tmp_path)
    in_manifest('labels = ["hat", "mask"]', 'labels = ["hat"]')(tmp_path)
    in_manifest("[thresholds.mask]\nyes = 0.8\nno = 0.2", "")(tmp_path)
    with pytest.raises(ManifestError, match=r"halves\.onnx: `output\.labels`"):
        open_model(tmp_path, task="classify")


def test_a_model_for_another_task_is_refused(tmp_path: Path) -> None:
    write_classifier(tmp_path)
    with pytest.raises(ManifestError, match=r"manifest\.toml: `task` is 'classify'"):
        open_model(tmp_path, task="detect")


def test_a_detector_without_heads_is_refused(tmp_path: Path) -> None:
    write_detector(tmp_path / "kitchen_heads")
    write_classifier(tmp_path / "head_attributes")
    in_manifest('["head"]', '["cat"]')(tmp_path / "kitchen_heads")
    in_manifest("[thresholds.head]", "[thresholds.cat]")(tmp_path / "kitchen_heads")
    with pytest.raises(ManifestError, match=r"kitchen_heads: `output\.labels` lacks 'head'"):
        open_models(tmp_path, "kitchen_heads", "head_attributes")


def test_heads_are_found_where_they_are(models: Models) -> None:
    found = detect(models.detector, kitchen([(1, 0, True, True), (3, 1, False, None)]))
    places = sorted((box.x0, box.y0, box.x1, box.y1) for box in found)
    assert places == [(160, 0, 320, 160), (480, 160, 640, 320)]
    assert all(box.label == "head" and box.confidence > 0.9 for box in found)


def test_a_lower_floor_finds_doubtful_heads_too(models: Models) -> None:
    picture = kitchen([(1, 0, True, True)])
    picture[0:40, 480:640] = (250, 0, 0)  # a quarter of a head
    assert len(detect(models.detector, picture)) == 1
    assert len(detect(models.detector, picture, floor=0.1)) == 2


def test_boxes_map_back_from_a_tall_picture(models: Models) -> None:
    picture = np.full((1280, 640, 3), 120, np.uint8)
    picture[320:640, 320:640] = (250, 0, 0)
    (box,) = detect(models.detector, picture)
    assert (box.x0, box.y0, box.x1, box.y1) == (320, 320, 640, 640)


def test_attributes_are_read_and_the_small_are_left_open(models: Models) -> None:
    people = [(0, 0, True, True), (1, 0, False, True), (2, 0, None, False)]
    picture = kitchen(people)
    heads = [Box("head", c * BLOCK, 0, (c + 1) * BLOCK, BLOCK, 0.9) for c, *_ in people]
    small = Box("head", 0, 0, 15, 40, 0.9)
    thresholds = models.classifier.manifest.thresholds
    read = read_attributes(models.classifier, picture, [*heads, small])
    assert read[3].attributes is None
    told = [
        tuple(decide(head.attributes[label], thresholds[label]) for label in ("hat", "mask"))
        for head in read[:3]
        if head.attributes
    ]
    assert told == [
        (Answer.YES, Answer.YES),
        (Answer.NO, Answer.YES),
        (Answer.UNSURE, Answer.NO),
    ]


def test_what_its_gate_shuts_out_cannot_be_told(tmp_path: Path) -> None:
    write_classifier(tmp_path)
    in_manifest('labels = ["hat", "mask"]', 'labels = ["hat", "mask"]\ngates.mask = "hat"')(
        tmp_path
    )
    model = open_model(tmp_path, task="classify")
    picture = kitchen([(0, 0, True, True), (1, 0, False, True), (2, 0, None, True)])
    heads = [Box("head", c * BLOCK, 0, (c + 1) * BLOCK, BLOCK, 0.9) for c in range(3)]
    told = [head.attributes for head in read_attributes(model, picture, heads)]
    assert told[0] is not None and set(told[0]) == {"mask"}
    assert told[1:] == [None, None]


def test_a_crop_without_contrast_cannot_be_told(tmp_path: Path) -> None:
    write_classifier(tmp_path)
    in_manifest("min_box_px = 16", "min_box_px = 16\nmin_contrast = 12.0")(tmp_path)
    model = open_model(tmp_path, task="classify")
    flat = np.full((100, 100, 3), 90, np.uint8)
    (head,) = read_attributes(model, flat, [Box("head", 10, 10, 60, 60, 0.9)])
    assert head.attributes is None


def test_between_the_thresholds_is_neither() -> None:
    decision = Decision(yes=0.7, no=0.3)
    told = [decide(p, decision) for p in (None, 0.0, 0.3, 0.31, 0.69, 0.7, 1.0)]
    yes, no, unsure = Answer.YES, Answer.NO, Answer.UNSURE
    assert told == [Answer.UNKNOWN, no, no, unsure, unsure, yes, yes]
    assert decide(0.4, Decision(yes=0.5)) is no


def test_by_infrared_light_only_a_no_must_be_surer() -> None:
    decision = Decision(yes=0.7, no=0.3, no_infrared=0.1)
    told = [decide(p, decision, by_infrared=True) for p in (None, 0.1, 0.11, 0.3, 0.69, 0.7)]
    yes, no, unsure = Answer.YES, Answer.NO, Answer.UNSURE
    assert told == [Answer.UNKNOWN, no, unsure, unsure, unsure, yes]
    assert decide(0.3, decision) is no
    assert decide(0.3, Decision(yes=0.7, no=0.3), by_infrared=True) is no


@given(st.floats(0, 1), st.floats(0, 1))
def test_two_readings_meet_in_the_middle_of_their_odds(one: float, other: float) -> None:
    boxes = [Box("head", 0, 0, 9, 9, 1, {"hat": p, str(p): p}) for p in (one, other)]
    told = both_read(*boxes)
    assert set(told) == {"hat"} | ({str(one)} if one == other else set())
    assert min(one, other) - 1e-6 <= told["hat"] <= max(one, other) + 1e-6
    assert both_read(*reversed(boxes))["hat"] == told["hat"]
    assert both_read(boxes[0], msgspec.structs.replace(boxes[1], attributes=None)) == {}


def test_threads_share_a_model(models: Models) -> None:
    found: list[int] = []

    def look(column: int) -> None:
        for _ in range(20):
            (box,) = detect(models.detector, kitchen([(column, 0, True, True)]))
            found.append(int(box.x0) // BLOCK - column)

    threads = [threading.Thread(target=look, args=(column,)) for column in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0] * 80


@given(st.integers(1, 900), st.integers(1, 900), st.sampled_from([0.0, 1.0, 2.0]))
def test_a_flexible_canvas_is_as_small_as_the_picture_allows(
    width: int, height: int, largest: float
) -> None:
    wanted = ModelInput(
        name="images", width=320, height=256, colour="bgr", layout="nchw", scale=1.0,
        mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), resize="letterbox", pad_value=7, multiple=32,
        largest_scale=largest,
    )  # fmt: skip
    canvas, scale = fit(np.full((height, width, 3), 200, np.uint8), wanted)
    rows, columns = canvas.shape[:2]
    assert rows % 32 == columns % 32 == 0
    assert rows <= 256 and columns <= 320
    assert largest == 0.0 or scale <= largest
    inner_rows, inner_columns = (max(1, round(side * scale)) for side in (height, width))
    assert 0 <= rows - inner_rows < 32 and 0 <= columns - inner_columns < 32
    assert (canvas[:inner_rows, :inner_columns] == 200).all()
    assert (canvas[inner_rows:] == 7).all() and (canvas[:, inner_columns:] == 7).all()


@pytest.mark.parametrize("colour", ["bgr", "rgb"])
def test_a_tensor_is_the_pictures_by_channel_scaled_to_the_bit(
    colour: Literal["bgr", "rgb"],
) -> None:
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    wanted = ModelInput(
        name="images",
        width=8,
        height=6,
        colour=colour,
        layout="nchw",
        scale=0.9,
        mean=mean,
        std=std,
        resize="stretch",
    )
    levels = np.arange(256, dtype=np.uint8).repeat(9)
    pictures = [
        np.random.default_rng(seed).permutation(levels)[:144].reshape(6, 8, 3) for seed in (1, 2)
    ]
    made = to_tensor(pictures, wanted)
    assert made.shape == (2, 3, 6, 8)
    for number, picture in enumerate(pictures):
        ordered = picture[..., ::-1] if colour == "rgb" else picture
        for channel in range(3):
            scaled = ordered[..., channel].astype(np.float32) * np.float32(0.9)
            plain = (scaled - np.float32(mean[channel])) / np.float32(std[channel])
            assert np.array_equal(made[number, channel], plain)
