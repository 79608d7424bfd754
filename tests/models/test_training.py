"""The training code on a handful of made-up pictures (only where torch is installed)."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
cv2 = pytest.importorskip("cv2")

from contracts.model_manifest import verify  # noqa: E402
from models.reading import AttributeReader, HeadDetector  # noqa: E402
from models.training import export, train_attributes, train_detector  # noqa: E402
from models.training.augment import (  # noqa: E402
    Picture,
    affine,
    degrade,
    make_grey,
    move_box,
    tilt,
)
from models.training.blend import blend  # noqa: E402
from models.training.crops import FAR_PX, cut_heads, seen_size, vary  # noqa: E402
from models.training.detector import LABELS, Detector, flatten  # noqa: E402
from models.training.detector_loss import detector_loss, iou  # noqa: E402
from models.training.drawn import draw_mask_on_face  # noqa: E402
from models.training.pseudo_labels import add_chosen, read_chosen  # noqa: E402
from models.truth import Label, Photo, read_truth  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """Twelve noisy pictures with a disc for a head, half of them with a white cap."""
    random = np.random.default_rng(5)
    folder = tmp_path / "made_up"
    (folder / "images").mkdir(parents=True)
    rows = ["file,x0,y0,x1,y1,label,hat,mask"]
    for index in range(12):
        picture = random.integers(0, 90, (120, 160, 3), dtype=np.uint8)
        x, y = (int(random.integers(35, limit - 35)) for limit in (160, 120))
        cv2.circle(picture, (x, y), 20, (120, 150, 200), -1)
        if index % 2:
            cv2.ellipse(picture, (x, y - 10), (20, 12), 0, 180, 360, (250, 250, 250), -1)
        cv2.imwrite(str(folder / "images" / f"{index}.png"), picture)
        rows.append(f"{index}.png,{x - 20},{y - 22},{x + 20},{y + 20},head,{index % 2},0")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_detector_trains_resumes_and_exports(made_up: Path, tmp_path: Path) -> None:
    start, out, model = tmp_path / "start.pt", tmp_path / "run", tmp_path / "model"
    torch.save({"averaged": Detector().state_dict()}, start)
    words = [
        "--heads",
        str(made_up),
        "--start",
        str(start),
        "--out",
        str(out),
        "--batch",
        "2",
        "--sizes",
        "64",
        "--seed",
        "3",
    ]
    train_detector.main([*words, "--steps", "1"])
    train_detector.main([*words, "--steps", "2"])
    saved = torch.load(out / "detector.pt", weights_only=True)
    assert saved["step"] == 2
    export.main(
        [
            "detector",
            "--checkpoint",
            str(out / "detector.pt"),
            "--out",
            str(model),
            "--version",
            "0.0.1",
            "--date",
            "2026-11-23",
            "--size",
            "64",
            "--threshold",
            "head=0.5",
            "--threshold",
            "person=0.5",
        ]
    )
    wanted = verify(model).input
    assert (wanted.width, wanted.height, wanted.multiple) == (64, 64, 32)
    for shape in ((50, 90, 3), (90, 20, 3)):
        HeadDetector(model).detect(np.zeros(shape, dtype=np.uint8))


def test_attributes_train_and_export(made_up: Path, tmp_path: Path) -> None:
    out, model = tmp_path / "run", tmp_path / "model"
    train_attributes.main(
        ["--data", str(made_up), "--out", str(out), "--steps", "1", "--batch", "4"]
    )
    export.main(
        [
            "attributes",
            "--checkpoint",
            str(out / "attributes.pt"),
            "--out",
            str(model),
            "--version",
            "0.0.1",
            "--date",
            "2026-11-23",
            "--threshold",
            "hat=0.6:0.4",
            "--threshold",
            "mask=0.5",
            "--threshold",
            "mask_wrong=0.5",
            "--threshold",
            "face=0.0",
        ]
    )
    random = np.random.default_rng(1)
    said = AttributeReader(model).read(
        random.integers(0, 255, (90, 90, 3), dtype=np.uint8), (5, 5, 80, 80)
    )
    assert said is not None
    assert set(said) == {"hat", "mask", "mask_wrong"}


def test_same_seed_same_weights(made_up: Path, tmp_path: Path) -> None:
    start = tmp_path / "start.pt"
    torch.manual_seed(0)
    torch.save({"averaged": Detector().state_dict()}, start)
    weights = []
    for name in ("first", "second"):
        train_detector.main(
            [
                "--heads",
                str(made_up),
                "--start",
                str(start),
                "--out",
                str(tmp_path / name),
                "--batch",
                "2",
                "--sizes",
                "64",
                "--steps",
                "1",
            ]
        )
        weights.append(torch.load(tmp_path / name / "detector.pt", weights_only=True)["detector"])
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_loss_falls_when_boxes_are_right() -> None:
    torch.manual_seed(0)
    net = Detector()
    picture = torch.rand(1, 3, 64, 64) * 255
    labels = [Label((16.0, 16.0, 48.0, 48.0)), Label((0.0, 0.0, 10.0, 10.0), is_ignored=True)]
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for _ in range(12):
        loss = detector_loss(net(picture), [labels])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0]
    boxes, objects, kinds, anchors = flatten(net(picture))
    assert boxes.shape == (1, 84, 4)
    assert objects.shape == (1, 84)
    assert kinds.shape == (1, 84, len(LABELS))
    assert anchors.shape == (84, 3)


def test_iou() -> None:
    first = torch.tensor([[0.0, 0.0, 10.0, 10.0]])
    second = torch.tensor([[5.0, 0.0, 15.0, 10.0], [20.0, 20.0, 30.0, 30.0]])
    assert iou(first, second)[0].tolist() == pytest.approx([1 / 3, 0.0])


def test_boxes_follow_the_picture() -> None:
    matrix = affine(90, (1.0, 1.0), (50.0, 50.0), (50.0, 50.0))
    assert move_box((40.0, 30.0, 60.0, 70.0), matrix) == pytest.approx((30.0, 40.0, 70.0, 60.0))
    mirror = affine(0, (-2.0, 2.0), (0.0, 0.0), (100.0, 0.0))
    assert move_box((10.0, 10.0, 20.0, 20.0), mirror) == pytest.approx((60.0, 20.0, 80.0, 40.0))


def test_boxes_follow_a_tilted_picture() -> None:
    """A disc in the picture is where its box says after the map."""
    picture = np.zeros((160, 200, 3), dtype=np.uint8)
    cv2.circle(picture, (130, 60), 22, (255, 255, 255), -1)
    for seed in range(20):
        matrix = tilt(200, 160, np.random.default_rng(seed))
        moved = cv2.warpPerspective(picture, matrix, (200, 160))
        rows, columns = np.nonzero(moved[..., 0] > 127)
        box = move_box((107.5, 37.5, 152.5, 82.5), matrix)
        found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert found == pytest.approx(box, abs=2.0)


def test_effects_keep_the_shape() -> None:
    picture = np.random.default_rng(2).integers(0, 255, (64, 48, 3), dtype=np.uint8)
    for seed in range(40):
        changed = degrade(picture, np.random.default_rng(seed))
        assert changed.shape == picture.shape
        assert changed.dtype == np.uint8


def test_heads_chosen_by_eye_join_the_persons(tmp_path: Path) -> None:
    path = tmp_path / "chosen.csv"
    path.write_text("file,x0,y0,x1,y1,label\na.png,12,2,28,20,head\na.png,70,70,80,80,nothing\n")
    persons = (
        Label((10.0, 0.0, 30.0, 80.0), kind="person"),
        Label((50.0, 0.0, 70.0, 80.0), kind="person"),
    )
    labels = add_chosen(Photo(tmp_path / "a.png", "cafe", persons), read_chosen(path))
    heads = [(label.box, label.is_ignored) for label in labels if label.kind == "head"]
    assert heads == [((12.0, 2.0, 28.0, 20.0), False), ((50.0, 0.0, 70.0, 36.0), True)]
    assert [label.kind for label in labels].count("nothing") == 1


def test_a_drawn_mask_stands_where_it_is_said_to() -> None:
    face = np.full((200, 160, 3), (120, 150, 200), dtype=np.uint8)
    points = [(55.0, 80.0), (105.0, 80.0), (80.0, 105.0), (62.0, 130.0), (98.0, 130.0)]
    nose, mouth = (slice(100, 108), slice(76, 84)), (slice(126, 132), slice(72, 88))

    def is_covered(picture: Picture, place: tuple[slice, slice]) -> bool:
        return float(np.abs(picture[place].astype(int) - face[place]).mean()) > 8

    for seed in range(30):
        worn, below, chin = (
            draw_mask_on_face(face, points, np.random.default_rng(seed), edge)
            for edge in (0.45, 1.5, 2.9)
        )
        assert is_covered(worn, nose) and is_covered(worn, mouth)
        assert not is_covered(below, nose) and is_covered(below, mouth)
        assert not is_covered(chin, nose) and not is_covered(chin, mouth)


def test_from_behind_nothing_is_known_of_a_mask(made_up: Path) -> None:
    heads = [
        head
        for photo in read_truth(made_up)
        for head in cut_heads(
            replace(photo, labels=tuple(replace(one, face=1) for one in photo.labels))
        )
    ]
    seen = set()
    for seed in range(200):
        picture, label = vary(heads[seed % len(heads)], np.random.default_rng(seed))
        assert picture.shape == (128, 96, 3)
        if label.face == 0:
            assert (label.mask, label.mask_wrong) == (-1, -1)
        seen.add((label.face, label.mask))
    assert {(0, -1), (1, 0), (1, 1)} <= seen


def test_heads_are_seen_from_near_and_from_afar() -> None:
    sizes = [seen_size(np.random.default_rng(seed)) for seed in range(300)]
    far = [size for size in sizes if size != (96, 128)]
    assert 0.4 < len(far) / len(sizes) < 0.7
    assert all(FAR_PX[0] - 1 <= height <= FAR_PX[1] + 1 for _, height in far)
    assert all(abs(width - 0.75 * height) < 1 for width, height in far)
    assert len({height for _, height in far}) > 40


def test_infrared_light_has_no_colour_and_many_gains() -> None:
    random = np.random.default_rng(3)
    picture = random.integers(60, 190, (40, 30, 3), dtype=np.uint8)
    greys = [make_grey(picture, np.random.default_rng(seed)) for seed in range(60)]
    for grey in greys:
        assert (grey.shape, grey.dtype) == (picture.shape, picture.dtype)
        assert (grey[..., 0] == grey[..., 1]).all() and (grey[..., 0] == grey[..., 2]).all()
    spreads = [float(grey.std()) for grey in greys]
    assert min(spreads) < 20 and max(spreads) > 60


def test_a_blend_is_the_mean_and_keeps_counters() -> None:
    first, last = (
        {"averaged": {"w": torch.full((2,), value), "n": torch.tensor(count)}, "step": count}
        for value, count in ((1.0, 3), (2.0, 7))
    )
    both = blend([first, last])
    assert both["averaged"]["w"].tolist() == [1.5, 1.5]
    assert (int(both["averaged"]["n"]), both["step"]) == (7, 7)
    assert last["averaged"]["w"].tolist() == [2.0, 2.0]
