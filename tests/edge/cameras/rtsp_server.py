"""A real RTSP server for tests, run by the system's Python: GStreamer's, with a password if wanted.

`python3 rtsp_server.py PORT WIDTH HEIGHT CODEC [USER PASSWORD]` serves /live and prints "ready";
the codec is h264 (colour bars), h265 (the same) or ball (H.264, a white ball that moves). Needs
Debian's python3-gi, gir1.2-gst-rtsp-server-1.0 and gstreamer1.0-plugins-{base,good,bad,ugly}.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PIPELINE = (
    "( videotestsrc is-live=true pattern={} ! "
    "video/x-raw,format=I420,width={},height={},framerate=15/1 ! {} name=pay0 pt=96 )"
)
H264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bitrate=800 ! rtph264pay"
H265 = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 bitrate=800 ! rtph265pay"
CODECS = {"h264": ("smpte", H264), "h265": ("smpte", H265), "ball": ("ball", H264)}


def main() -> None:
    """Serve until killed."""
    port, width, height, codec, *credentials = sys.argv[1:]
    pattern, encoder = CODECS[codec]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(PIPELINE.format(pattern, width, height, encoder))
    factory.set_shared(True)
    if credentials:
        user, password = credentials
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string(GstRtspServer.RTSP_TOKEN_MEDIA_FACTORY_ROLE, "viewer")
        basic = GstRtspServer.RTSPAuth.make_basic(user, password)
        auth.add_basic(basic, token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("viewer", "media.factory.access", True)
        permissions.add_permission_for_role("viewer", "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
