"""`foodsentry vision …`: JSON lines, exit statuses, an annotated video."""

import json
from pathlib import Path

import cv2
import pytest
from camera_parts import SCENE, clip, kitchen
from vision_runs import record, run


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return record(
        tmp_path / "clip.avi", clip([(1, [(0, 0, True, True)]), (2, [(0, 0, False, True)])]), 10.0
    )


def test_detect_prints_one_json_line_per_picture(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    cv2.imwrite(str(paths[0]), kitchen([(1, 0, True, False)]))
    cv2.imwrite(str(paths[1]), kitchen())
    assert run("detect", "--models", models_dir, "--json", *paths) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == [str(path) for path in paths]
    (found,) = lines[0]["detections"]
    assert (found["label"], found["box"]) == ("head", [160.0, 0.0, 320.0, 160.0])
    assert found["confidence"] > 0.9
    assert found["attributes"]["hat"] > 0.9 > 0.1 > found["attributes"]["mask"]
    assert lines[1]["detections"] == []


def test_a_head_that_cannot_be_told_has_null_attributes(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    little = cv2.resize(kitchen([(1, 0, True, True)]), (48, 27))
    cv2.imwrite(str(tmp_path / "a.png"), little)
    assert run("detect", "--models", models_dir, "--json", tmp_path / "a.png") == 0
    (found,) = json.loads(capsys.readouterr().out)["detections"]
    assert found["attributes"] is None
    assert run("detect", "--models", models_dir, tmp_path / "a.png") == 0
    assert "cannot tell" in capsys.readouterr().out


def test_a_bad_picture_is_said_and_the_others_are_done(
    models_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.jpg").write_bytes(b"bad")
    cv2.imwrite(str(tmp_path / "good.png"), kitchen())
    names = (tmp_path / "bad.jpg", tmp_path / "good.png")
    assert run("detect", "--models", models_dir, "--json", *names) == 1
    said = capsys.readouterr()
    assert "bad.jpg: not a JPEG" in said.err
    assert len(said.out.splitlines()) == 1


def test_a_refused_model_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("detect", "--models", tmp_path, "--json", "x.png") == 2
    assert "kitchen_heads: " in capsys.readouterr().err


def test_annotate_draws_and_tells(
    models_dir: Path, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = tmp_path / "scene.toml"
    scene.write_text(SCENE, "utf-8")
    out = tmp_path / "out.mp4"
    assert run("annotate", "--models", models_dir, "--scene", scene, film, out) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["kind"], one["phase"]) for one in told] == [
        ("no_hat", "open"),
        ("no_hat", "closed"),
    ]
    video = cv2.VideoCapture(str(out))
    done, picture = video.read()
    video.release()
    assert done
    assert picture.shape == (360, 640, 3)
    assert run("annotate", "--models", models_dir, film, out) == 0


def test_annotate_names_what_is_wrong(
    models_dir: Path, film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mp4"
    assert run("annotate", "--models", models_dir, tmp_path / "none.avi", out) == 1
    assert "none.avi: no such file" in capsys.readouterr().err
    (tmp_path / "scene.toml").write_text("version = 1\n")
    scene = tmp_path / "scene.toml"
    assert run("annotate", "--models", models_dir, "--scene", scene, film, out) == 2
    assert "scene.toml" in capsys.readouterr().err
