"""The published JSON Schema of profiles is the one of the types."""

import json
from pathlib import Path

from contracts.profile import json_schema

FOLDER = Path(__file__).parents[3] / "firmware_configs" / "instruments"


def test_schema_is_the_present_one() -> None:
    # To renew it: foodsentry instrument schema > firmware_configs/instruments/profile.schema.json
    published = json.loads((FOLDER / "profile.schema.json").read_text("utf-8"))
    assert published == json_schema()


def test_every_key_is_described() -> None:
    for name, definition in json_schema()["$defs"].items():
        for key, spec in definition.get("properties", {}).items():
            if key == "kind" and "enum" in spec and len(spec["enum"]) == 1:
                continue  # the tag of a union
            assert "description" in spec, f"{name}.{key}"


def test_profiles_name_it_for_editors() -> None:
    for path in FOLDER.glob("*/profile.toml"):
        assert path.read_text("utf-8").startswith("#:schema ../profile.schema.json\n"), path
