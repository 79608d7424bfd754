"""Every profile has its page, and the guide links to it."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "firmware_configs" / "instruments"


@pytest.mark.parametrize("name", sorted(path.parent.name for path in FOLDER.glob("*/README.md")))
def test_the_guide_links_to_a_profiles_page(name: str) -> None:
    guide = (ROOT / "docs" / "instruments.md").read_text("utf-8")
    assert f"../firmware_configs/instruments/{name}/README.md" in guide
