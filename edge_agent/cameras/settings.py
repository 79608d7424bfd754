"""The settings of one camera, as they stand in the agent's TOML file."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class HonestySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a camera counts as unable to see: slow to degrade, quick to recover."""

    offline_after_s: Annotated[
        float, Meta(ge=1, le=3600, description="No frame for this long: `camera_offline`.")
    ] = 15.0
    frozen_after_s: Annotated[
        float,
        Meta(ge=1, le=3600, description="Identical frames for this long: `camera_frozen`."),
    ] = 30.0
    degrade_after_s: Annotated[
        float,
        Meta(
            ge=0.5,
            le=3600,
            description="Dark, covered or blurred frames for this long become an observation.",
        ),
    ] = 10.0
    recover_after_s: Annotated[
        float,
        Meta(ge=0, le=600, description="Good frames for this long end such an observation."),
    ] = 2.0
    dark_below: Annotated[
        float,
        Meta(
            ge=0,
            le=255,
            description="Dark: 95 of 100 pixels are below this grey level (0 black, 255 white).",
        ),
    ] = 32.0
    overexposed_above: Annotated[
        float,
        Meta(
            ge=0,
            le=255,
            description="Over-exposed: 75 of 100 pixels are above this grey level.",
        ),
    ] = 240.0
    covered_below: Annotated[
        float,
        Meta(
            ge=0,
            le=128,
            description="Covered: the standard deviation of the grey levels is below this, and "
            "there is no structure in the picture, for the light that there is.",
        ),
    ] = 8.0
    blurred_below: Annotated[
        float,
        Meta(
            ge=0,
            le=10000,
            description="Blurred: the variance of the Laplacian is below this many thousandths of "
            "the variance of the grey levels, at 320x180. Of 400 sharp photographs the lowest had "
            "3.8; blurred by a sixtieth of their height they had 0.9. 0 switches the check off.",
        ),
    ] = 2.5
    still_after_s: Annotated[
        float,
        Meta(
            ge=0,
            le=86400,
            description="Frames that differ, but without the noise that this camera shows in quiet "
            "minutes, for this long: `camera_frozen`. 0 switches the check off.",
        ),
    ] = 600.0
    loop_memory_s: Annotated[
        float,
        Meta(
            ge=0,
            le=14400,
            description="An old recording is recognised if it was first seen this long ago or less "
            "(2.6 KB a second). 0 switches the check off; so does the camera's `loop`.",
        ),
    ] = 1800.0
    looped_after_s: Annotated[
        float,
        Meta(
            ge=30,
            le=3600,
            description="The same movements as before for this long: `camera_looped`.",
        ),
    ] = 60.0
    view_every_s: Annotated[
        float,
        Meta(
            ge=0,
            le=600,
            description="The view is compared with its reference this often (moved, partly "
            "covered, greasy). 0 switches these checks off.",
        ),
    ] = 10.0
    view_after_s: Annotated[
        float,
        Meta(
            ge=1,
            le=3600,
            description="Turned away, or with something before most of the view, for this long: "
            "`camera_moved`, `camera_covered`.",
        ),
    ] = 60.0
    moved_by: Annotated[
        float,
        Meta(
            gt=0.01,
            le=0.5,
            description="Moved: a corner of the view has gone this share of the picture's width.",
        ),
    ] = 0.025
    greasy_after_s: Annotated[
        float,
        Meta(
            ge=1,
            le=86400,
            description="Less than a third of the reference's fine structure for this long: "
            "`camera_blurred`. Longer than steam hangs about.",
        ),
    ] = 300.0
    clock_limit_s: Annotated[
        float,
        Meta(
            ge=0,
            le=86400,
            description="The camera's clock is off by more in two probes running: "
            "`camera_clock_wrong`. 0 switches the check off.",
        ),
    ] = 60.0
    clock_every_s: Annotated[
        float,
        Meta(ge=1, le=86400, description="The camera's clock is probed this often (over ONVIF)."),
    ] = 600.0


class EvidenceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pictures that leave beside observations."""

    after_s: Annotated[
        float,
        Meta(
            ge=0.5,
            le=60,
            description="So long after an episode begins, the picture `after` is taken.",
        ),
    ] = 5.0
    pictures_per_hour: Annotated[
        int,
        Meta(
            ge=1,
            le=3600,
            description="At most so many pictures leave within an hour, the last third of them "
            "only best ones; what is held back is counted in the camera's state.",
        ),
    ] = 90


class CameraSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A camera: who it is, where its frames come from, and what it looks at."""

    device: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="Device id, unique at the site; the topic's device segment.",
        ),
    ]
    source: Annotated[
        str,
        Meta(
            min_length=1,
            description="Where the frames come from: `rtsp://host/path` (TCP, H.264 or H.265), "
            "`usb:0` or `usb:/dev/v4l/by-id/…` (the latter stays the same whatever is plugged in "
            "first), `file:PATH` (a video, played at its own pace) or `folder:PATH` (pictures in "
            "order of name), paths relative to this settings file. No password here: see `user` "
            "and `password_file`.",
        ),
    ]
    scene: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="Name of the scene: `NAME.toml` in the folder of scenes.",
        ),
    ]
    analysis_source: Annotated[
        str,
        Meta(
            description="The camera's smaller stream, if it has one: it is analysed instead of "
            "`source`, and evidence is taken from it too; `source` is then not opened. About "
            "1280x720 is best; heads should be 16 pixels high or more."
        ),
    ] = ""
    decode: Annotated[
        Literal["all", "adaptive"],
        Meta(
            description="Of an RTSP camera: `all` decodes every frame. `adaptive` decodes, while "
            "nothing moves and nobody is there, only the frames that stand alone (a camera sends "
            "one every second or two), and catches up from there when something moves."
        ),
    ] = "all"
    hardware_decode: Annotated[
        bool,
        Meta(description="Try the box's video decoder first; the log tells which one is used."),
    ] = False
    user: Annotated[str, Meta(description="User name at an RTSP camera; empty: none.")] = ""
    password_file: Annotated[
        str,
        Meta(
            description="File that holds the RTSP password, relative to this settings file. "
            "Without it, the environment variable FOODSENTRY_CAMERA_PASSWORD is used."
        ),
    ] = ""
    onvif: Annotated[
        str,
        Meta(
            max_length=256,
            description="Host, `host:port` or address of the camera's ONVIF service: its clock is "
            "watched (`camera_clock_wrong`). Empty: it is not.",
        ),
    ] = ""
    loop: Annotated[
        bool, Meta(description="Start a file or folder anew at its end (demo and tests).")
    ] = False
    folder_fps: Annotated[
        float, Meta(gt=0, le=60, description="Pace of a picture folder, in pictures a second.")
    ] = 5.0
    looks_per_s: Annotated[
        float,
        Meta(gt=0, le=30, description="At most this many frames a second are analysed."),
    ] = 5.0
    look_every_s: Annotated[
        float,
        Meta(gt=0, le=600, description="A frame is analysed this often even if nothing moves."),
    ] = 2.0
    open_timeout_s: Annotated[
        float, Meta(ge=0.5, le=60, description="Limit for opening the source.")
    ] = 5.0
    read_timeout_s: Annotated[
        float, Meta(ge=0.5, le=60, description="Limit for one frame of a network camera.")
    ] = 5.0
    retry_first_s: Annotated[
        float, Meta(ge=0.05, le=60, description="Pause before the first new try to connect.")
    ] = 0.5
    retry_longest_s: Annotated[
        float, Meta(ge=0.1, le=600, description="Longest pause; each failed try doubles it.")
    ] = 30.0
    longest_side_px: Annotated[
        int,
        Meta(
            ge=320,
            le=3840,
            description="A larger frame is shrunk to this before anything else is done with it.",
        ),
    ] = 1280
    refuse_above_px: Annotated[
        int,
        Meta(
            ge=100_000,
            le=150_000_000,
            description="A frame of more pixels (width times height) is refused.",
        ),
    ] = 40_000_000
    status_every_s: Annotated[
        float, Meta(ge=1, le=3600, description="The state is reported this often, changed or not.")
    ] = 10.0
    detector: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="Folder of the head detector below the folder of models.",
        ),
    ] = "kitchen_heads"
    attributes: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="Folder of the attribute classifier below the folder of models.",
        ),
    ] = "head_attributes"
    shadow_detector: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{0,64}$",
            description="Folder of a candidate detector that runs beside the current one and "
            "decides nothing: what they differ in is counted in the camera's state and written to "
            "`DEVICE.shadow.jsonl` in the state folder. Empty: the current one.",
        ),
    ] = ""
    shadow_attributes: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{0,64}$",
            description="Folder of a candidate attribute classifier, likewise. Without either "
            "there is no shadow.",
        ),
    ] = ""
    shadow_share: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="Share of the time in which the candidate looks, a minute at a stretch.",
        ),
    ] = 0.25
    honesty: Annotated[
        HonestySettings, Meta(description="When the camera counts as unable to see.")
    ] = HonestySettings()
    evidence: Annotated[
        EvidenceSettings, Meta(description="The pictures that leave beside observations.")
    ] = EvidenceSettings()

    @property
    def analysed(self) -> str:
        """The address of the stream that is analysed."""
        return self.analysis_source or self.source


def located(camera: CameraSettings, base: Path) -> CameraSettings:
    """The same camera with the paths of its file, folder and password taken from `base`."""
    password = str(base / camera.password_file) if camera.password_file else ""
    return msgspec.structs.replace(
        camera,
        source=_located(camera.source, base),
        analysis_source=_located(camera.analysis_source, base),
        password_file=password,
    )


def _located(source: str, base: Path) -> str:
    kind, mark, path = source.partition(":")
    return f"{kind}:{base / path}" if mark and kind in ("file", "folder") else source
