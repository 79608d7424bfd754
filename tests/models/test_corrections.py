"""Corrections by eye: which label they meet, and what they leave as it is."""

from dataclasses import replace
from pathlib import Path

from models.corrections import CORRECTIONS, Correction, correct, corrected, read_corrections
from models.truth import Label, Photo


def test_what_was_seen_by_eye_corrects_the_label() -> None:
    label = Label((10.0, 10.0, 50.0, 60.0), hat=0, mask=-1)
    photo = Photo(Path("images/chefs/7.jpg"), "chefs", (label,))
    right = Correction("chefs", "7.jpg", 30.0, 40.0, hat=1, mask=None, mask_wrong=0)
    elsewhere = Correction("chefs", "7.jpg", 90.0, 40.0, hat=0, mask=1, mask_wrong=1)
    corrected = correct(label, photo, [right, elsewhere])
    assert (corrected.hat, corrected.mask, corrected.mask_wrong) == (1, -1, 0)
    assert correct(label, replace(photo, source="waiters"), [right]) == label


def test_a_file_of_corrections(tmp_path: Path) -> None:
    path = tmp_path / "seen.csv"
    path.write_text("source,file,x,y,hat,mask,mask_wrong\nchefs,7.jpg,30,40,1,,0\n", "utf-8")
    photos = [
        Photo(Path(f"images/chefs/{name}"), "chefs", (Label((10.0, 10.0, 50.0, 60.0), hat=0),))
        for name in ("7.jpg", "8.jpg")
    ]
    assert [photo.labels[0].hat for photo in corrected(photos, path)] == [1, 0]


def test_the_committed_corrections_can_be_read() -> None:
    found = read_corrections(CORRECTIONS)
    assert len(found) > 2000
    assert {one.hat for one in found} == {None, -1, 0, 1}
