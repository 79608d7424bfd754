"""Settings files: what is wrong is refused with the file and the key."""

from pathlib import Path

import msgspec
import pytest

from contracts.mqtt_settings import MqttSettings
from contracts.reference import Undocumented, keys, markdown
from contracts.settings import SettingsError, load_settings, read_secret


class Whole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mqtt: MqttSettings = MqttSettings()


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "site.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_good_settings(tmp_path: Path) -> None:
    assert load_settings(write(tmp_path, "[mqtt]\nport = 8883\n"), Whole).mqtt.port == 8883


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[mqtt]\nport = 'x'\n", r"site\.toml: mqtt\.port: Expected `int`"),
        ("[mqtt]\nport = 0\n", r"site\.toml: mqtt\.port: Expected `int` >= 1"),
        ("[mqtt]\nprt = 1\n", r"site\.toml: mqtt: .*unknown field `prt`"),
        ("[mqt]\n", r"site\.toml: \(top level\): .*unknown field `mqt`"),
        ("x = 1\nport = !\n", r"site\.toml: not TOML: .*line 2"),
        (b"\xff", r"site\.toml: not UTF-8 at byte 0"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str | bytes, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load_settings(write(tmp_path, text), Whole)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load_settings(tmp_path / "none.toml", Whole)


def test_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "word").write_text("s3cret\n")
    assert read_secret("word", "X_Y", "f: k", base=tmp_path) == "s3cret"
    monkeypatch.setenv("X_Y", "from env")
    assert read_secret("", "X_Y", "f: k") == "from env"
    monkeypatch.delenv("X_Y")
    assert read_secret("", "X_Y", "f: k") is None
    with pytest.raises(SettingsError, match=r"f: k: secret file .*gone"):
        read_secret("gone", "X_Y", "f: k", base=tmp_path)


def test_reference_lists_every_key() -> None:
    listed = {(key.table, key.name) for key in keys(Whole)}
    assert ("mqtt", "port") in listed
    assert len(listed) == len(msgspec.structs.fields(MqttSettings))
    assert "| `port` | whole number | `1883` | TCP port. |" in markdown(Whole)


def test_a_field_without_description_fails() -> None:
    class Bare(msgspec.Struct):
        size: int = 1

    with pytest.raises(Undocumented, match=r"Bare\.size"):
        list(keys(Bare))
