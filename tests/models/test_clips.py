"""Scores of golden clips: what counts as found, missed and false; rates; runs that go on."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.cameras.tools.timeline import Span
from edge_agent.simulation.clips import Expected, Matter
from edge_agent.simulation.effects import Look
from foodsentry.cli import main
from models import clips
from models.clip_cast import PhotoCast
from models.clip_scores import Score, judge, most_per_hour, render
from models.clips import Job, Source, plan
from models.truth import Label, Photo, TruthError, read_truth

TRUE = Expected("no_hat", "a", 10, 20, True)
MAYBE = Expected("no_hat", "a", 40, 43, False)


def span(start_s: float, end_s: float | None, kind: str = "no_hat", zone: str = "a") -> Span:
    return Span(kind, zone, start_s, end_s, start_s + 2, 1, 0.9, "")


@pytest.mark.parametrize(
    ("found", "delays", "wrong"),
    [
        ([span(10, 21)], [2], []),
        ([span(19, None)], [11], []),
        ([], [], ["missed"]),
        ([span(10, 14), span(16, 20)], [2], ["false again"]),
        ([span(10, 20), span(30, 35)], [2], ["false"]),
        ([span(10, 20, zone="b")], [], ["false", "missed"]),
        ([span(10, 20, kind="no_mask")], [], ["false", "missed"]),
        ([span(10, 20), span(41, 43)], [2], []),
        ([span(10, 20), span(3, 5, kind="camera_dark", zone="")], [2], []),
    ],
)
def test_judging(found: list[Span], delays: list[float], wrong: list[str]) -> None:
    got, said = judge([TRUE, MAYBE], found)
    assert got == delays
    assert len(said) == len(wrong)
    assert all(one.startswith(start) for one, start in zip(said, wrong, strict=True))


def test_the_limit_of_a_rate_is_exact() -> None:
    assert most_per_hour(0, 30) == pytest.approx(0.0999, abs=1e-3)  # the rule of three
    assert most_per_hour(3, 10) == pytest.approx(0.7754, abs=1e-3)
    assert most_per_hour(0, 0) == float("inf")


def test_tables_add_up() -> None:
    def score(matter: Matter, look: Look, expected: int, found: int, false: int) -> Score:
        return Score(
            "n", "s", matter, look.value, 1800, "m", expected, found, false, (2.0,), (), ()
        )

    text = render(
        [
            score(Matter.EPISODES, Look.PLAIN, 3, 2, 0),
            score(Matter.EPISODES, Look.STEAM, 1, 1, 1),
            score(Matter.EMPTY, Look.PLAIN, 0, 0, 1),
            score(Matter.DRESSED, Look.PLAIN, 0, 0, 0),
        ]
    )
    assert "| **all** | 2 | 4 | 3 | 1 | 0.750 (" in text
    assert "| **nobody** | 0.5 | 1 | 2.00 | 9.49 |" in text
    assert "| **all** | 1.0 | 1 | 1.00 | 4.74 |" in text


def test_a_plan_is_balanced_and_names_are_unique() -> None:
    jobs = plan(2, 5.0)
    assert len({job.name for job in jobs}) == len(jobs)
    days = [job for job in jobs if job.matter is not Matter.EPISODES]
    assert len(days) * clips.DAY_S == 5 * 3600
    assert sum(job.matter is Matter.EMPTY for job in days) == len(days) / 2
    assert {job.look for job in days} == set(Look)
    others = plan(2, 5.0, seed=1)
    assert not {job.name for job in others} & {job.name for job in jobs}
    assert [(job.script, job.look) for job in others] == [(job.script, job.look) for job in jobs]


def photo(path: Path, hat: int, mask: int) -> Photo:
    cv2.imwrite(str(path), np.full((200, 160, 3), 90, np.uint8))
    return Photo(path, "s", (Label((40, 40, 100, 120), hat=hat, mask=mask),))


def test_a_cast_of_photographs_fits_the_zones(tmp_path: Path) -> None:
    dresses = ((1, -1), (0, -1), (-1, 1), (-1, 0))
    photos = [photo(tmp_path / f"{n}.png", *dress) for n, dress in enumerate(dresses)]
    cast = PhotoCast(photos)
    chance = np.random.default_rng(1)
    masks, hats = cast.scene.zones
    assert cast.figure(chance, masks, frozenset()).wears == {"mask": True}
    figure = cast.figure(chance, hats, frozenset({"hat"}))
    assert figure.wears == {"hat": False}
    left, top, right, bottom = figure.head
    assert (right - left, bottom - top) == (60, 80)
    assert figure.pixels[:, :, 3].max() == 1
    assert figure.pixels[round(top) : round(bottom), round(left) : round(right), 3].min() > 0.9
    assert figure.pixels[0, 0, 3] < 0.1
    with pytest.raises(TruthError, match="hat = 0"):
        PhotoCast([photos[0], *photos[2:]])
    somebody = Label((150.0, 10.0, 180.0, 40.0), is_ignored=True)
    crowd = replace(photos[1], labels=(*photos[1].labels, somebody))
    with pytest.raises(TruthError, match="hat = 0"):
        PhotoCast([photos[0], crowd, *photos[2:]])


def test_heads_that_show_no_crown_are_not_cast_for_hats_nor_wrong_masks_for_masks(
    tmp_path: Path,
) -> None:
    dresses = ((1, -1), (0, -1), (-1, 1), (-1, 0))
    photos = [photo(tmp_path / f"{n}.png", *dress) for n, dress in enumerate(dresses)]

    def with_first(label_of: int, **changed: object) -> list[Photo]:
        (label,) = photos[label_of].labels
        other = replace(photos[label_of], labels=(replace(label, **changed),))  # type: ignore[arg-type]
        return [*photos[:label_of], other, *photos[label_of + 1 :]]

    for number, said in ((0, "hat = 1"), (1, "hat = 0")):
        with pytest.raises(TruthError, match=said):
            PhotoCast(with_first(number, is_cut=True))
    PhotoCast(with_first(2, is_cut=True))  # a mask is seen all the same
    with pytest.raises(TruthError, match="mask = 1"):
        PhotoCast(with_first(2, mask_wrong=1))


def test_a_crown_outside_the_picture_is_known_from_the_face(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((200, 160, 3), 90, np.uint8))
    rows = ["file,x0,y0,x1,y1,hat", "a.png,10,10,60,110,1", "a.png,80,30,130,130,1"]
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n", "utf-8")
    (one,) = read_truth(tmp_path)
    assert [label.is_cut for label in one.labels] == [True, False]


def test_a_run_goes_on_where_it_was_broken_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [Job(Matter.EMPTY, "empty", Look.PLAIN, seed) for seed in range(3)]
    source = Source(None, Path(clips.__file__).parent, "kitchen_heads", "head_attributes")
    monkeypatch.setattr(clips, "DAY_S", 2.0)
    file = tmp_path / "scores.jsonl"
    first = clips.run(jobs[:2], source, file, 1, lambda done, of: None)
    file.write_bytes(file.read_bytes() + b'{"torn')
    told: list[tuple[int, int]] = []
    scores = clips.run(jobs, source, file, 1, lambda done, of: told.append((done, of)))
    assert scores[:2] == first
    assert told == [(3, 3)]
    assert [one.lasts_s for one in scores] == [2.0] * 3
    assert len(clips.read_scores(file)) == 3


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_command_makes_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "clips", "--out", str(tmp_path), "--stories", "0", "--hours", "0"]) == 0
    assert "Clips with a blindness that was told: 0" in capsys.readouterr().out
    assert (tmp_path / "clip_figures.md").exists()
    nowhere = str(tmp_path / "none")
    assert main(["models", "clips", "--out", str(tmp_path), "--data", nowhere]) == 1
    assert "labels.csv" in capsys.readouterr().err
