"""Encodes raw pictures as H.264, run by the system's Python: GStreamer's x264.

`python3 h264_encoder.py RAW WIDTH HEIGHT FPS OPTIONS OUT.mp4`; RAW holds BGR pictures one after the
other. Needs Debian's python3-gi and gstreamer1.0-plugins-{base,good,bad,ugly}.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

PIPELINE = (
    "filesrc location={raw} blocksize={size} ! "
    "rawvideoparse format=bgr width={width} height={height} framerate={fps}/1 ! "
    "videoconvert ! video/x-raw,format=I420 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max={key} {options} ! "
    "h264parse ! mp4mux ! filesink location={out}"
)


def main() -> None:
    """Encode; fails with GStreamer's own words."""
    raw, width, height, fps, options, out = sys.argv[1:]
    Gst.init(None)
    size = int(width) * int(height) * 3
    pipeline = Gst.parse_launch(
        PIPELINE.format(
            raw=raw, size=size, width=width, height=height, fps=fps, key=2 * int(fps),
            options=options, out=out,
        )
    )  # fmt: skip
    pipeline.set_state(Gst.State.PLAYING)
    wanted = Gst.MessageType.EOS | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, wanted)
    pipeline.set_state(Gst.State.NULL)
    if message.type == Gst.MessageType.ERROR:
        raise SystemExit(str(message.parse_error()))


if __name__ == "__main__":
    main()
