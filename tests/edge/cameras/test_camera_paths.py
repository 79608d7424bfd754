"""A camera's paths begin at its settings file."""

from pathlib import Path

import pytest

from edge_agent.cameras.settings import CameraSettings, located


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("file:clips/a.mp4", "file:/etc/fs/clips/a.mp4"),
        ("folder:/srv/pictures", "folder:/srv/pictures"),
        ("rtsp://10.0.0.2/main", "rtsp://10.0.0.2/main"),
        ("usb:0", "usb:0"),
    ],
)
def test_only_files_and_folders_are_located(source: str, found: str) -> None:
    camera = CameraSettings(device="c", source=source, scene="s", password_file="cam.password")
    moved = located(camera, Path("/etc/fs"))
    assert (moved.source, moved.password_file) == (found, "/etc/fs/cam.password")


def test_no_password_stays_none() -> None:
    camera = CameraSettings(device="c", source="usb:0", scene="s")
    assert located(camera, Path("/etc/fs")).password_file == ""
