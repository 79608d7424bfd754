"""What the tests of the testing room share."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from room_parts import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder for a room."""
    return Place(tmp_path)
