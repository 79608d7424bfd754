"""Encodes clips and serves them as RTSP cameras; run by the system's Python, which has GStreamer.

`gstreamer.py encode OUT WIDTH HEIGHT FPS KBPS CODEC` takes BGR pictures on its standard input;
`gstreamer.py serve CLIP PORT CAMERAS` serves rtsp://127.0.0.1:PORT/cam0 …, each from another
moment of the clip, over and over, and prints "ready".
"""

import sys
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ENCODERS = {
    # As a camera does: constant bit rate, no B-frames, a key every two seconds.
    "h264": "x264enc bitrate={kbps} key-int-max={key} bframes=0 speed-preset=veryfast ! h264parse",
    "h265": "x265enc bitrate={kbps} key-int-max={key} speed-preset=ultrafast ! h265parse",
}


def encode(out: str, width: str, height: str, fps: str, kbps: str, codec: str) -> None:
    """Encode what comes on standard input. Raises SystemExit that says what failed."""
    encoder = ENCODERS[codec].format(kbps=kbps, key=2 * int(fps))
    line = Gst.parse_launch(
        f"fdsrc fd=0 blocksize={int(width) * int(height) * 3} ! "
        f"rawvideoparse format=bgr width={width} height={height} framerate={fps}/1 ! "
        "videoconvert ! video/x-raw,format=I420 ! "
        f"{encoder} ! matroskamux ! filesink location={out}"
    )
    line.set_state(Gst.State.PLAYING)
    kinds = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = line.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, kinds)
    line.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        raise SystemExit(str(message.parse_error()[0]))


Unit = tuple[bytes, bool]


def access_units(clip: str) -> list[Unit]:
    """(bytes, is a key) of each picture of an H.264 clip."""
    line = Gst.parse_launch(
        f"filesrc location={clip} ! matroskademux ! h264parse config-interval=-1 ! "
        "video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=out sync=false"
    )
    out = line.get_by_name("out")
    line.set_state(Gst.State.PLAYING)
    units: list[Unit] = []
    while sample := out.emit("pull-sample"):
        buffer = sample.get_buffer()
        content = buffer.extract_dup(0, buffer.get_size())
        units.append((content, not buffer.has_flags(Gst.BufferFlags.DELTA_UNIT)))
    line.set_state(Gst.State.NULL)
    return units


class Camera:
    """Feeds one connection, 25 pictures a second, from a key on."""

    def __init__(self, media: Any, units: list[Unit], share: float) -> None:
        self.source = media.get_element().get_by_name_recurse_up("src")
        self.units, self.count = units, 0
        at = round(share * len(units))
        self.at = next(n for n in range(at, -1, -1) if units[n][1])
        self.begun_us = GLib.get_monotonic_time()
        GLib.timeout_add(20, self.feed)

    def feed(self) -> bool:
        """Push what is due; end with the connection."""
        while self.begun_us + self.count * 40_000 <= GLib.get_monotonic_time():
            content, is_key = self.units[self.at]
            buffer = Gst.Buffer.new_wrapped(content)
            buffer.pts = buffer.dts = self.count * 40 * Gst.MSECOND
            buffer.duration = 40 * Gst.MSECOND
            if not is_key:
                buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
            if self.source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
                return False
            self.count, self.at = self.count + 1, (self.at + 1) % len(self.units)
        return True


def serve(clip: str, port: str, cameras: str) -> None:
    """Serve until killed."""
    units = access_units(clip)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    for number in range(int(cameras)):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(
            "( appsrc name=src is-live=true format=time max-bytes=4000000 "
            "caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate=25/1 ! "
            "h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"
        )
        share = number / int(cameras)
        factory.connect("media-configure", lambda _, media, at=share: Camera(media, units, at))
        server.get_mount_points().add_factory(f"/cam{number}", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    Gst.init(None)
    if sys.argv[1] == "encode":
        encode(*sys.argv[2:])
    else:
        serve(*sys.argv[2:])
