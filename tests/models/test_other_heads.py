"""Heads that a source left out, seen by eye: what they change in the counts."""

from pathlib import Path

import pytest

from models.evaluate import count_heads
from models.figures import Counts
from models.other_heads import read_other_heads, with_other_heads
from models.reading import Found
from models.truth import Label, Photo, TruthError

LABELLED = Label((10.0, 10.0, 50.0, 60.0))
FOUND = [
    Found("head", (10.0, 10.0, 50.0, 60.0), 0.9),
    Found("head", (100.0, 10.0, 140.0, 60.0), 0.8),
    Found("head", (200.0, 10.0, 240.0, 60.0), 0.7),
]


def photo(name: str) -> Photo:
    """A photograph of a source that labels one face only."""
    return Photo(Path(f"images/chefs/{name}"), "chefs", (LABELLED,), is_complete=False)


@pytest.fixture
def seen(tmp_path: Path) -> Path:
    """7.jpg has a further head, 8.jpg has none, 9.jpg was not looked through."""
    path = tmp_path / "seen.csv"
    rows = "source,file,x0,y0,x1,y1\nchefs,7.jpg,101,11,139,61\nchefs,8.jpg,,,,\n"
    path.write_text(rows, encoding="utf-8")
    return path


def test_a_further_head_counts_neither_way_and_what_is_none_counts_against(seen: Path) -> None:
    seventh, eighth, ninth = with_other_heads([photo(f"{n}.jpg") for n in (7, 8, 9)], seen)
    assert count_heads(seventh, FOUND) == Counts(1, 1, 0)
    assert count_heads(seventh, FOUND[:1]) == Counts(1, 0, 0)
    assert count_heads(eighth, FOUND) == Counts(1, 2, 0)
    assert count_heads(ninth, FOUND) == Counts(1, 0, 0)


def test_a_broken_row_is_named(seen: Path) -> None:
    seen.write_text("source,file,x0,y0,x1,y1\nchefs,7.jpg,1,2,,\n", encoding="utf-8")
    with pytest.raises(TruthError, match="line 2"):
        read_other_heads(seen)
