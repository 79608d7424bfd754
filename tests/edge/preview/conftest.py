"""Fixtures of the preview page's tests."""

from pathlib import Path

import pytest
from camera_parts import SCENE, write_models

from edge_agent.cameras.rule.looking import Models
from edge_agent.cameras.workers import open_models


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Both tiny models, opened."""
    folder = write_models(tmp_path_factory.mktemp("models"))
    return open_models(folder, "kitchen_heads", "head_attributes")


@pytest.fixture
def scene_file(tmp_path: Path) -> Path:
    """The scene ``test``, for one test to change."""
    path = tmp_path / "test.toml"
    path.write_text(SCENE, "utf-8")
    return path
