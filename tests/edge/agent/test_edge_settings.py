"""The agent's settings file: what is refused, with file and key, and where its paths lead."""

from pathlib import Path

import pytest

from contracts.settings import SettingsError
from edge_agent.settings import endpoint, load_edge_settings, places

WHO = '[agent]\nregion = "440703"\nsite = "m1"\n'
CAM = '[[cameras]]\ndevice = "{}"\nsource = "usb:0"\nscene = "s"\n'
PROBE = '[[instruments]]\ndevice = "{}"\nprofile = "p"\nport = "/dev/null"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "agent"),
        ('[agent]\nregion = "44/07"\nsite = "m1"\n', "agent.region"),
        ('[agent]\nregion = "440703"\nsite = "m1"\nname = "x"\n', "agent: .*name"),
        (WHO + "[outbox]\nmax_mb = 0\n", "outbox.max_mb"),
        (WHO + "[uplink]\nwindow = '5'\n", "uplink.window"),
        (WHO + "[health]\nevery = 5\n", "health"),
        (WHO + PROBE.format("a b"), r"instruments\[0\].device"),
        (WHO + PROBE.format("x") + PROBE.format("x"), r"instruments\[1\].device: 'x' is already"),
        (
            WHO + PROBE.format("x") + CAM.format("x"),
            r"cameras\[0\].device.*instruments\[0\].device",
        ),
        (WHO + CAM.format("agent"), r"cameras\[0\].device: 'agent' is already used by agent"),
        (WHO + CAM.format("alerts"), "already used by the alerts' topics"),
    ],
)
def test_a_wrong_key_is_refused_with_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(SettingsError, match=said) as caught:
        load_edge_settings(path)
    assert str(path) in str(caught.value)


def test_paths_are_relative_to_the_file_and_default_to_what_is_delivered(tmp_path: Path) -> None:
    text = WHO + '[outbox]\npath = "data/o.sqlite"\n[folders]\nscenes = "scenes"\n'
    path = write(tmp_path, text)
    where = places(load_edge_settings(path), path)
    assert where.outbox == tmp_path / "data" / "o.sqlite"
    assert where.state == tmp_path / "data" / "o.state"
    assert where.scenes == tmp_path / "scenes"
    assert (where.profiles / "generic_xy_md02").is_dir()
    assert where.limits.is_dir()
    assert where.models.is_dir()


def test_the_agent_signs_in_under_its_site_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, WHO + '[mqtt]\npassword_file = "word"\n')
    settings = load_edge_settings(path)
    with pytest.raises(SettingsError, match=r"site.toml: mqtt.password_file: .*word"):
        endpoint(settings, path)
    (tmp_path / "word").write_text("secret\n", "utf-8")
    end = endpoint(settings, path)
    assert (end.username, end.password, end.client_id) == (
        "440703/m1",
        "secret",
        "fs-440703-m1-agent",
    )
    monkeypatch.delenv("FOODSENTRY_MQTT_PASSWORD", raising=False)
    path = write(tmp_path, WHO + '[mqtt]\ntls_ca_file = "none.pem"\n')
    with pytest.raises(SettingsError, match=r"mqtt.tls_ca_file: .*none.pem: No such file"):
        endpoint(load_edge_settings(path), path)
