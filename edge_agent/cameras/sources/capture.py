"""Where pictures come from: network and USB cameras, video files, picture folders."""

import logging
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import cv2
import numpy as np

from contracts.settings import SettingsError
from edge_agent.cameras.frames import Picture, Source, SourceEnded, SourceError, Ticks
from edge_agent.cameras.pictures import PICTURE_ENDINGS, check_size, read_picture
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources import libav
from edge_agent.cameras.sources.capture_stream import open_stream

_log = logging.getLogger(__name__)

NETWORK = ("rtsp", "rtsps", "http", "https")
_USB = re.compile(r"\d{1,3}|/dev/v4l/by-(id|path)/[^/]+|/dev/video\d{1,3}")
_USUAL_FPS = 25.0


def prepare_opencv() -> None:
    """Keep OpenCV to the calling thread, RTSP to TCP, and both from printing addresses."""
    cv2.setNumThreads(1)
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def check_source(source: str, where: str) -> None:
    """Raises SettingsError if `source` is of no known kind or carries a password."""
    kind, _, rest = source.partition(":")
    if kind in NETWORK:
        if "@" in urlsplit(source).netloc:
            raise SettingsError(
                f"{where}: carries a user; write it into `user` and the password into a file"
            )
    elif (
        kind not in ("usb", "file", "folder")
        or not rest
        or (kind == "usb" and not _USB.fullmatch(rest))
    ):
        raise SettingsError(
            f"{where}: {source[:80]!r} is none of rtsp://…, usb:NUMBER, usb:/dev/v4l/by-id/NAME, "
            "file:PATH, folder:PATH"
        )


def open_source(
    settings: CameraSettings, password: str | None, ticks: Ticks = time.monotonic
) -> Source:
    """Open the source of `settings`. Raises SourceError; FrameRefused if its frames are too large.

    Blocks up to `open_timeout_s`.
    """
    prepare_opencv()
    kind, _, rest = settings.analysed.partition(":")
    if kind == "folder":
        return PictureFolder(Path(rest), settings, ticks)
    if kind == "file":
        return VideoFile(Path(rest), settings, ticks)
    if kind == "usb":
        return LiveVideo(_open_usb(rest), settings)
    address = _with_credentials(settings.analysed, settings.user, password)
    lib = libav.load()
    if lib is not None:
        return open_stream(lib, address, settings, ticks)
    limits = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        round(settings.open_timeout_s * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        round(settings.read_timeout_s * 1000),
        cv2.CAP_PROP_N_THREADS,
        1,
    ]
    if settings.hardware_decode:
        limits += [cv2.CAP_PROP_HW_ACCELERATION, cv2.VIDEO_ACCELERATION_ANY]
    capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, limits)
    hard = settings.hardware_decode and capture.get(cv2.CAP_PROP_HW_ACCELERATION) > 0
    _log.info("camera %s: decoded %s", settings.device, "by hardware" if hard else "in software")
    return LiveVideo(capture, settings)


def _open_usb(place: str) -> cv2.VideoCapture:
    """Open by number, or by a path of udev's, which stays whatever is plugged in first."""
    return cv2.VideoCapture(int(place) if place.isdigit() else place, cv2.CAP_V4L2)


def _with_credentials(address: str, user: str, password: str | None) -> str:
    if not user:
        return address
    parts = urlsplit(address)
    secret = f":{quote(password, safe='')}" if password else ""
    return urlunsplit(parts._replace(netloc=f"{quote(user, safe='')}{secret}@{parts.netloc}"))


class LiveVideo:
    """An opened camera: pictures come when they come."""

    def __init__(self, capture: cv2.VideoCapture, settings: CameraSettings) -> None:
        self._capture, self._where = capture, settings.analysed
        self._most = settings.refuse_above_px
        try:
            if not capture.isOpened():
                raise SourceError(
                    f"{self._where}: cannot be opened (unreachable, refused, or no video)"
                )
            check_size(self._where, *_announced_size(capture), self._most)
        except SourceError:
            capture.release()
            raise

    def grab(self, stop: threading.Event) -> None:
        """Wait for the next picture."""
        if not self._capture.grab():
            raise SourceError(f"{self._where}: the stream has broken off")

    def retrieve(self) -> Picture:
        """Convert the grabbed picture."""
        return _retrieved(self._capture, self._where, self._most)

    def close(self) -> None:
        """Let the camera go."""
        self._capture.release()


class VideoFile:
    """A video file, played at its own pace."""

    def __init__(self, path: Path, settings: CameraSettings, ticks: Ticks) -> None:
        self._path, self._settings = path, settings
        self._capture = open_video(path, settings.refuse_above_px)
        rate = float(self._capture.get(cv2.CAP_PROP_FPS))
        self._pace = Pace(1 / (rate if 0 < rate <= 240 else _USUAL_FPS), ticks)

    def grab(self, stop: threading.Event) -> None:
        """Wait until the next picture is due."""
        self._pace.wait(stop)
        if self._capture.grab():
            return
        if not self._settings.loop:
            raise SourceEnded(f"{self._path}: the video has ended")
        self._capture.release()
        self._capture = open_video(self._path, self._settings.refuse_above_px)
        if not self._capture.grab():
            raise SourceError(f"{self._path}: holds no picture")

    def retrieve(self) -> Picture:
        """Convert the grabbed picture."""
        return _retrieved(self._capture, str(self._path), self._settings.refuse_above_px)

    def close(self) -> None:
        """Close the file."""
        self._capture.release()


class PictureFolder:
    """The pictures of a folder in order of name, played at `folder_fps`."""

    def __init__(self, folder: Path, settings: CameraSettings, ticks: Ticks) -> None:
        self._folder, self._settings = folder, settings
        try:
            self._paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_ENDINGS)
        except OSError as error:
            raise SourceError(f"{folder}: {error.strerror}") from None
        if not self._paths:
            raise SourceError(f"{folder}: holds no picture")
        self._pace = Pace(1 / settings.folder_fps, ticks)
        self._at = -1

    def grab(self, stop: threading.Event) -> None:
        """Wait until the next picture is due."""
        self._pace.wait(stop)
        self._at += 1
        if self._at == len(self._paths):
            if not self._settings.loop:
                raise SourceEnded(f"{self._folder}: its pictures have all been shown")
            self._at = 0

    def retrieve(self) -> Picture:
        """Read the picture that is due."""
        return read_picture(self._paths[self._at], self._settings.refuse_above_px)

    def close(self) -> None:
        """Nothing is open."""


class Pace:
    """Waits for moments `every_s` apart; one that was missed by far starts a new count."""

    def __init__(self, every_s: float, ticks: Ticks) -> None:
        self._every_s, self._ticks = every_s, ticks
        self._due_s: float | None = None

    def wait(self, stop: threading.Event) -> None:
        """Return at the next moment, or when `stop` is set."""
        now_s = self._ticks()
        if self._due_s is None or now_s - self._due_s > 1.0:
            self._due_s = now_s
        if self._due_s > now_s:
            stop.wait(self._due_s - now_s)
        self._due_s += self._every_s


def open_video(path: Path, refuse_above_px: int) -> cv2.VideoCapture:
    """Open a video file. Raises SourceError, FrameRefused."""
    if not path.is_file():
        raise SourceError(f"{path}: no such file")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        if not capture.isOpened():
            raise SourceError(f"{path}: not a video that can be read")
        check_size(str(path), *_announced_size(capture), refuse_above_px)
    except SourceError:
        capture.release()
        raise
    return capture


def every_picture(path: Path, refuse_above_px: int) -> Iterator[tuple[float, Picture]]:
    """All pictures of a video file with their times in seconds, as fast as they can be read."""
    capture = open_video(path, refuse_above_px)
    try:
        rate = float(capture.get(cv2.CAP_PROP_FPS))
        every_s = 1 / (rate if 0 < rate <= 240 else _USUAL_FPS)
        count = 0
        while capture.grab():
            yield count * every_s, _retrieved(capture, str(path), refuse_above_px)
            count += 1
    finally:
        capture.release()


def _announced_size(capture: cv2.VideoCapture) -> tuple[int, int]:
    width = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
    return int(width), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))


def _retrieved(capture: cv2.VideoCapture, where: str, refuse_above_px: int) -> Picture:
    done, picture = capture.retrieve()
    if not done or picture is None or picture.ndim != 3 or picture.shape[2] != 3:
        raise SourceError(f"{where}: a picture could not be decoded")
    check_size(where, picture.shape[1], picture.shape[0], refuse_above_px)
    return np.asarray(picture, np.uint8)
