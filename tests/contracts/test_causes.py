"""The list of causes: what is offered for which alert, and what is refused in the file."""

from pathlib import Path

import pytest

from contracts.causes import load_causes
from contracts.settings import SettingsError


def test_the_list_that_comes_with_the_product() -> None:
    causes = load_causes()
    assert {"cat", "glare", "steam", "poster", "instrument_fault", "wrong_limit"} <= set(causes)
    assert [one.id for one in causes.values() if one.text] == ["other"]
    assert [one.id for one in causes.values() if not one.counts] == ["test"]
    assert not causes["cat"].fits("result") and causes["cat"].fits("observation")
    assert causes["other"].fits("state")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[cause]]\nid = "Cat"\nzh = "猫"\nen = "Cat"\n', "id"),
        ('[[cause]]\nid = "cat"\nzh = ""\nen = "Cat"\n', "zh"),
        (2 * '[[cause]]\nid = "cat"\nzh = "猫"\nen = "Cat"\n', "'cat' stands there twice"),
        ('[[cause]]\nid = "cat"\nzh = "猫"\nen = "Cat"\nof = ["smell"]\n', "of"),
        ("[[cause", "causes.toml"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "causes.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError, match=said):
        load_causes(path)
