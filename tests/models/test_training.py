"""The training code on a handful of made-up pictures (only where torch is installed)."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
cv2 = pytest.importorskip("cv2")

from contracts.model_manifest import verify  # noqa: E402
from models.reading import AttributeReader, HeadDetector  # noqa: E402
from models.training import export, train_attributes, train_detector  # noqa: E402
from models.training.augment import affine, degrade, move_box  # noqa: E402
from models.training.detector import LABELS, Detector, flatten  # noqa: E402
from models.training.detector_loss import detector_loss, iou  # noqa: E402
from models.truth import Label  # noqa: E402

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


def test_effects_keep_the_shape() -> None:
    picture = np.random.default_rng(2).integers(0, 255, (64, 48, 3), dtype=np.uint8)
    for seed in range(40):
        changed = degrade(picture, np.random.default_rng(seed))
        assert changed.shape == picture.shape
        assert changed.dtype == np.uint8
