"""Evaluation: figures from counts, truth from label files, the command on a tiny labelled
folder."""

import argparse
import json
import math
from pathlib import Path

import pytest

from models.commands import add_commands
from models.figures import Counts, calibration_error, proportion, wilson
from models.truth import TruthError, read_truth
from models.validation import difference_hash, group_alike, split

cv2 = pytest.importorskip("cv2")
pictures = pytest.importorskip("skimage.data")


def run(*words: str) -> int:
    """The command line, as `foodsentry` runs it."""
    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers(required=True))
    arguments = parser.parse_args(["models", *words])
    code: int = arguments.run(arguments)
    return code


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two photographs: one head without hat and mask, one without anybody."""
    (tmp_path / "images").mkdir()
    for name in ("astronaut", "coffee"):
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), getattr(pictures, name)()[..., ::-1])
    rows = "file,x0,y0,x1,y1,label,hat,mask\nastronaut.png,165,3,292,178,head,0,0\n"
    (tmp_path / "labels.csv").write_text(rows, encoding="utf-8")
    return tmp_path


def test_counts() -> None:
    counts = Counts(8, 2, 4, 6) + Counts(1, 0, 0, 0)
    assert counts.precision == (9, 11)
    assert counts.recall == (9, 13)
    assert counts.accuracy == (15, 21)
    assert counts.f1 == pytest.approx(18 / 24)
    assert math.isnan(Counts().f1)


def test_wilson_interval() -> None:
    low, high = wilson(95, 100)
    assert (low, high) == (pytest.approx(0.8882, abs=1e-3), pytest.approx(0.9785, abs=1e-3))
    assert wilson(0, 0) == (0.0, 1.0)
    assert proportion((0, 0)) == "–"


def test_calibration_error() -> None:
    assert calibration_error([0.95] * 20, [True] * 19 + [False]) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error([1.0, 1.0], [True, False]) == pytest.approx(0.5)


def test_list_and_verify(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run("list") == 0
    assert run("verify") == 0
    assert "kitchen_heads" in capsys.readouterr().out
    assert run("verify", str(tmp_path)) == 1
    (tmp_path / "manifest.toml").write_text("id = 1\n", encoding="utf-8")
    assert run("list", str(tmp_path)) == 1
    assert "manifest.toml" in capsys.readouterr().err


def test_evaluate(labelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures = labelled / "figures.json"
    assert run("evaluate", str(labelled), "--json", str(figures)) == 0
    assert "Attributes" in capsys.readouterr().out
    read = json.loads(figures.read_text("utf-8"))
    assert read["heads"][labelled.name]["tp"] == 1
    assert read["heads"][labelled.name]["fn"] == 0
    assert read["attributes"][f"mask/{labelled.name}"]["tn"] == 1


def test_mistakes_are_shown(labelled: Path) -> None:
    """A label that lies: the head is said to wear a mask, and a second head to be on the coffee."""
    rows = "file,x0,y0,x1,y1,label,hat,mask\nastronaut.png,165,3,292,178,head,0,1\n"
    rows += "coffee.png,20,20,90,90,head,-1,-1\n"
    (labelled / "labels.csv").write_text(rows, encoding="utf-8")
    out = labelled / "out"
    assert run("evaluate", str(labelled), "--pictures", str(out)) == 0
    names = {path.name for path in out.iterdir()}
    assert {"missed.png", "mask_false_no.png", "reliability_hat.png"} <= names
    assert "hat_false_yes.png" not in names
    sheet = cv2.imread(str(out / "mask_false_no.png"))
    assert sheet.shape == (96, 12 * 96, 3)
    assert sheet[:, :96].std() > 20
    assert (sheet[:, 96:] == 0).all()
    (labelled / "blocked").write_text("")
    assert run("evaluate", str(labelled), "--pictures", str(labelled / "blocked" / "x")) == 1


def test_a_reliability_diagram_follows_the_diagonal() -> None:
    from models.mistakes import EDGE, SIDE, reliability

    diagram = reliability(
        [0.25] * 8 + [0.85] * 20, [True, True] + [False] * 6 + [True] * 17 + [False] * 3
    )
    for share in (0.25, 0.85):
        across, upward = round(EDGE + share * SIDE), round(EDGE + SIDE - share * SIDE)
        assert diagram[upward, across].tolist() == [160, 80, 20]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,x0\n", "no column"),
        ("file,x0,y0,x1,y1,label\na.png,1,2,3,x,head\n", "line 2"),
        ("file,x0,y0,x1,y1,label\na.png,5,2,3,4,head\n", "x0 < x1"),
        ("file,x0,y0,x1,y1\na.png,1,2,3,4\n", "a.png"),
    ],
)
def test_bad_labels(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    with pytest.raises(TruthError, match=words):
        read_truth(tmp_path)
    assert run("evaluate", str(tmp_path)) == 1


def test_look_alikes_stay_together(tmp_path: Path) -> None:
    original = cv2.resize(pictures.astronaut()[..., ::-1], (128, 128))
    noisy = cv2.GaussianBlur(original, (0, 0), 1.0)
    codes = {
        tmp_path / "a": difference_hash(original),
        tmp_path / "b": difference_hash(noisy),
        tmp_path / "c": difference_hash(original[::-1].copy()),
    }
    groups = group_alike(codes)
    assert groups[tmp_path / "a"] == groups[tmp_path / "b"] != groups[tmp_path / "c"]


def test_split_is_the_same_every_time(labelled: Path) -> None:
    photos = read_truth(labelled)
    assert split(photos) == split(photos)
    training, validation = split(photos)
    assert len(training) + len(validation) == len(photos)
