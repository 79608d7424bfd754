"""Fixtures of the camera tests."""

from pathlib import Path

import pytest
from camera_parts import SCENE, write_models

from edge_agent.cameras.pipeline import Models
from edge_agent.cameras.rule.scene import Scene, read_scene
from edge_agent.cameras.workers import open_models


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both tiny models."""
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def models(models_dir: Path) -> Models:
    """Both tiny models, opened."""
    return open_models(models_dir, "kitchen_heads", "head_attributes")


@pytest.fixture(scope="session")
def scenes_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the scene ``test``."""
    folder = tmp_path_factory.mktemp("scenes")
    (folder / "test.toml").write_text(SCENE, "utf-8")
    return folder


@pytest.fixture(scope="session")
def scene(scenes_dir: Path) -> Scene:
    """That scene, read."""
    return read_scene(scenes_dir / "test.toml")
