"""A network camera's pictures: all of them, or while nothing moves only those that stand alone.

In a stream each key picture stands alone and the others build on it. Asleep, only keys are decoded;
the packets since the last key are kept, compressed. If a key shows that something has moved, or
the camera's worker asks for attention, the kept packets are decoded after all and their pictures
given in order, each with the moment when it came: the beginning of an event is late, never lost.
"""

import logging
import threading
import time
from collections import deque
from typing import Literal

from edge_agent.cameras.frames import Picture, SourceError, SourceRefused, Ticks
from edge_agent.cameras.motion import CHANGED_SHARE, changed_share
from edge_agent.cameras.pictures import Grey, check_size
from edge_agent.cameras.settings import CameraSettings
from edge_agent.cameras.sources import libav as av
from edge_agent.cameras.sources.libav import Libav, LibavError
from edge_agent.cameras.sources.video_stream import Kept, VideoStream

_log = logging.getLogger(__name__)

LONGEST_SLEEP_S = 2.5
"""A key must come so often, or the packets since the last one are decoded after all."""
MOST_KEPT_BYTES = 8_000_000

OPTIONS = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "protocol_whitelist": "rtsp,rtp,udp,tcp,tls,http,https,httpproxy,crypto",
}


def open_stream(
    lib: Libav, address: str, settings: CameraSettings, ticks: Ticks = time.monotonic
) -> "StreamVideo":
    """Open `address`, which may carry a password; errors name the settings' own address.

    Blocks up to `open_timeout_s`. Raises SourceError that says why; SourceRefused for a wrong user
    or password; FrameRefused.
    """
    where = settings.analysed
    try:
        stream = VideoStream(
            lib,
            address,
            OPTIONS if address.startswith("rtsp") else {},
            open_timeout_s=settings.open_timeout_s,
            hardware=settings.hardware_decode,
            ticks=ticks,
        )
    except LibavError as error:
        raise _told(where, error, settings) from None
    try:
        check_size(where, stream.width, stream.height, settings.refuse_above_px)
    except SourceError:
        stream.close()
        raise
    _log.info(
        "camera %s: %s %dx%d, decoder %s",
        settings.device, stream.codec, stream.width, stream.height, stream.decoder,
    )  # fmt: skip
    return StreamVideo(stream, settings)


def _told(where: str, error: LibavError, settings: CameraSettings) -> SourceError:
    if error.code == av.UNAUTHORISED:
        asks = "" if settings.user else " (it asks for one, none is set)"
        return SourceRefused(f"{where}: wrong user or password{asks}")
    if error.code == av.INTERRUPTED:
        return SourceError(f"{where}: cannot be opened: no answer in {settings.open_timeout_s:g} s")
    return SourceError(f"{where}: cannot be opened: {error}")


class StreamVideo:
    """An opened stream; see `frames.Attended`."""

    def __init__(self, stream: VideoStream, settings: CameraSettings) -> None:
        self._stream, self._settings = stream, settings
        self._where = settings.analysed
        # A hardware decoder keeps pictures back: it cannot be asked for one alone.
        may_sleep = settings.decode == "adaptive" and stream.decoder == stream.codec
        self._mode: Literal["all", "awake", "asleep"] = "awake" if may_sleep else "all"
        self._kept: deque[Kept] = deque()
        self._due: deque[Kept] = deque()
        self._still: Grey | None = None
        self._damaged = False
        self._shown_s = self._newest_s = float("-inf")
        self.attentive = True
        self.arrived_s = 0.0
        self.decoded = 0
        """Pictures that were decoded so far."""
        self.packets = 0
        """Pictures that came so far, decoded or not."""

    @property
    def behind(self) -> bool:
        """True while pictures wait that came before now."""
        return bool(self._due)

    def grab(self, stop: threading.Event) -> None:
        """Wait for the next picture that is worth one. Raises SourceError."""
        self._stream.stop = stop
        try:
            while not stop.is_set():
                if self._due:
                    if self._decode(self._due.popleft()):
                        return
                    continue
                packet = self._stream.next_packet(self._settings.read_timeout_s)
                if packet is None:
                    raise SourceError(f"{self._where}: the stream has broken off")
                self._newest_s = packet.arrived_s
                self.packets += 1
                if self._takes(packet):
                    return
        except LibavError as error:
            if stop.is_set():
                return
            late = error.code == av.INTERRUPTED
            said = f"no picture in {self._settings.read_timeout_s:g} s" if late else str(error)
            raise SourceError(f"{self._where}: the stream has broken off: {said}") from None

    def retrieve(self) -> Picture:
        """Convert the grabbed picture. Raises SourceError if it is damaged or too large."""
        if self._damaged:
            raise SourceError(f"{self._where}: pictures arrive damaged")
        check_size(self._where, *self._stream.size, self._settings.refuse_above_px)
        try:
            return self._stream.picture(self._settings.longest_side_px)
        except LibavError as error:
            raise SourceError(f"{self._where}: {error}") from None

    def close(self) -> None:
        """Let the camera go."""
        self._due.clear()
        self._kept.clear()
        self._stream.close()

    def _takes(self, packet: Kept) -> bool:
        """True if the packet leads to a picture now."""
        if self._mode == "all":
            return self._decode(packet)
        if self._mode == "asleep":
            return self._doze(packet)
        if packet.key and not self.attentive:
            self._mode = "asleep"
            self._keep_from(packet)
            shown = self._decode_alone(packet)
            self._still = self._stream.small() if shown else None
            return shown and self._shown(packet)
        return self._decode(packet)

    def _doze(self, packet: Kept) -> bool:
        self._kept.append(packet)
        slept_s = packet.arrived_s - self._kept[0].arrived_s
        if not packet.key:
            too_long = slept_s > LONGEST_SLEEP_S or self._kept_bytes() > MOST_KEPT_BYTES
            if self.attentive or too_long:
                self._wake()
            return False
        shown = self._decode_alone(packet)
        before, self._still = self._still, self._stream.small() if shown else None
        moved = (
            before is None
            or self._still is None
            or changed_share(before, self._still) >= CHANGED_SHARE
        )
        if moved or self.attentive:
            self._wake()
            return False
        self._keep_from(packet)
        return shown and self._shown(packet)

    def _wake(self) -> None:
        """Decode what was kept; its first picture has been given already."""
        self._mode = "awake"
        self._stream.forget()
        self._due, self._kept = self._kept, deque()

    def _keep_from(self, packet: Kept) -> None:
        self._kept.clear()
        self._kept.append(packet)

    def _kept_bytes(self) -> int:
        return sum(packet.size for packet in self._kept)

    def _decode_alone(self, packet: Kept) -> bool:
        """Decode a key by itself; True if there is a picture."""
        self._stream.forget()
        self._stream.send(packet)
        self._stream.send(None)
        got = self._stream.receive()
        self._stream.forget()
        self.decoded += got
        return got

    def _decode(self, packet: Kept) -> bool:
        """True if there is a picture that has not been given yet."""
        intact = self._stream.send(packet)
        if not intact:
            self._damaged = True
        if not self._stream.receive():
            return False
        self.decoded += 1
        return packet.arrived_s > self._shown_s and self._shown(packet)

    def _shown(self, packet: Kept) -> bool:
        """The packet's picture is the one to give."""
        self._shown_s = self.arrived_s = packet.arrived_s
        # What builds on a damaged picture is damaged too, though nobody says so.
        self._damaged = self._stream.damaged or (self._damaged and not packet.key)
        return True
