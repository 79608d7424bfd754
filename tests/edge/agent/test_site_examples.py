"""The site examples can be loaded as they stand, and their profiles and scenes exist."""

from pathlib import Path

import pytest

from edge_agent.settings import load_edge_settings, places

SITES = sorted((Path(__file__).parents[3] / "firmware_configs" / "sites").glob("*.toml"))


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_an_example_is_right(path: Path) -> None:
    settings = load_edge_settings(path)
    where = places(settings, path)
    for instrument in settings.instruments:
        assert (where.profiles / instrument.profile / "profile.toml").is_file()
    for camera in settings.cameras:
        assert (where.scenes / f"{camera.scene}.toml").is_file()


def test_there_is_one_of_each_kind() -> None:
    assert {"market_room", "van", "canteen"} <= {path.stem for path in SITES}
