"""The settings of one edge agent: who it is, the broker, outbox, instruments and cameras."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.mqtt_settings import MqttSettings
from contracts.settings import SettingsError, load_settings
from contracts.topics import ALERTS, Identity
from edge_agent.cameras.settings import CameraSettings, located
from edge_agent.custody.settings import VaultSettings
from edge_agent.instruments.settings import InstrumentSettings
from edge_agent.looks.settings import LookSettings
from edge_agent.outbox.settings import OutboxSettings
from edge_agent.preview.settings import PreviewSettings
from edge_agent.room.settings import RoomSettings
from edge_agent.uplink.mqtt import Endpoint, client_id_of
from edge_agent.uplink.settings import UplinkSettings

_ROOT = Path(__file__).resolve().parents[1]
CONFIGS = _ROOT / "firmware_configs"
"""What comes with the software."""


class AgentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who this agent is; the city's register must know it under these names."""

    region: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="Code of the region (six digits of GB/T 2260 for a county or district).",
        ),
    ]
    site: Annotated[
        str,
        Meta(pattern="^[A-Za-z0-9_-]{1,64}$", description="The site's id, unique in the city."),
    ]
    device: Annotated[
        str,
        Meta(pattern="^[A-Za-z0-9_-]{1,64}$", description="Device id of the agent itself."),
    ] = "agent"


class HealthSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often the agent tells how it is."""

    every_s: Annotated[
        float,
        Meta(
            ge=0.2,
            le=3600,
            description="The agent's status is published this often, and at once when it changes.",
        ),
    ] = 15.0


class FolderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where profiles, limits, scenes and models are; empty: those that come with the software."""

    profiles: Annotated[
        str, Meta(description="Instrument profiles, a folder each; relative to this file.")
    ] = ""
    limits: Annotated[str, Meta(description="Limit tables (CSV); relative to this file.")] = ""
    foods: Annotated[
        str, Meta(description="Food dictionary (CSV files); relative to this file.")
    ] = ""
    scenes: Annotated[str, Meta(description="Camera scenes (TOML); relative to this file.")] = ""
    models: Annotated[
        str, Meta(description="ONNX models, a folder each; relative to this file.")
    ] = ""
    state: Annotated[
        str,
        Meta(
            description="What instruments and cameras must remember; relative to this file. "
            "Empty: a folder beside the outbox."
        ),
    ] = ""


class EdgeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in the settings file of `foodsentry edge run`."""

    agent: Annotated[AgentSettings, Meta(description="Who this agent is.")]
    mqtt: Annotated[MqttSettings, Meta(description="The city's broker.")] = MqttSettings()
    outbox: Annotated[OutboxSettings, Meta(description="Where facts wait for their receipt.")] = (
        OutboxSettings()
    )
    uplink: Annotated[UplinkSettings, Meta(description="How fast and how often it is sent.")] = (
        UplinkSettings()
    )
    health: Annotated[HealthSettings, Meta(description="How often the agent tells how it is.")] = (
        HealthSettings()
    )
    folders: Annotated[
        FolderSettings, Meta(description="Where profiles, scenes and models are.")
    ] = FolderSettings()
    preview: Annotated[
        PreviewSettings, Meta(description="The page that shows what the cameras see.")
    ] = PreviewSettings()
    room: Annotated[
        RoomSettings, Meta(description="The page on which a testing room registers samples.")
    ] = RoomSettings()
    instruments: Annotated[
        list[InstrumentSettings], Meta(description="Instruments on serial lines.")
    ] = []
    cameras: Annotated[list[CameraSettings], Meta(description="Cameras.")] = []
    looks: Annotated[
        LookSettings, Meta(description="Looks that the city asks for; see docs/kitchens.md.")
    ] = LookSettings()
    vault: Annotated[
        VaultSettings, Meta(description="Sealed originals of findings; see docs/evidence.md.")
    ] = VaultSettings()

    @property
    def identity(self) -> Identity:
        """The agent's identity on the wire."""
        return Identity(self.agent.region, self.agent.site, self.agent.device)


def load_edge_settings(path: Path) -> EdgeSettings:
    """Read and check a settings file. Raises SettingsError that names file and key."""
    settings = load_settings(path, EdgeSettings)
    taken = {settings.agent.device: "agent.device", ALERTS: "the alerts' topics"}
    named = [(f"instruments[{n}].device", one.device) for n, one in enumerate(settings.instruments)]
    named += [(f"cameras[{n}].device", one.device) for n, one in enumerate(settings.cameras)]
    for key, device in named:
        if device in taken:
            raise SettingsError(f"{path}: {key}: {device!r} is already used by {taken[device]}")
        taken[device] = key
    return settings


def chosen_camera(path: Path, device: str) -> CameraSettings:
    """The camera `device` of a settings file, with absolute paths. Raises SettingsError."""
    cameras = load_edge_settings(path).cameras
    for camera in cameras:
        if camera.device == device:
            return located(camera, path.absolute().parent)
    known = ", ".join(camera.device for camera in cameras) or "none"
    raise SettingsError(f"{path}: cameras: no device {device!r} (there are: {known})")


class Places(msgspec.Struct, frozen=True):
    """The folders and files of one agent, absolute."""

    base: Path
    """Folder of the settings file: what its relative paths begin at."""
    outbox: Path
    profiles: Path
    limits: Path
    foods: Path
    scenes: Path
    models: Path
    state: Path


def places(settings: EdgeSettings, settings_file: Path) -> Places:
    """Resolve every path of the settings against the settings file's folder."""
    base = settings_file.absolute().parent
    folders = settings.folders
    outbox = base / settings.outbox.path
    configs = CONFIGS
    return Places(
        base=base,
        outbox=outbox,
        profiles=base / folders.profiles if folders.profiles else configs / "instruments",
        limits=base / folders.limits if folders.limits else configs / "limits",
        foods=base / folders.foods if folders.foods else configs / "foods",
        scenes=base / folders.scenes if folders.scenes else configs / "scenes",
        models=base / folders.models if folders.models else _ROOT / "models",
        state=base / folders.state if folders.state else outbox.with_suffix(".state"),
    )


def endpoint(settings: EdgeSettings, settings_file: Path) -> Endpoint:
    """Where and as whom the agent connects. Raises SettingsError for a secret or a TLS file."""
    mqtt, who = settings.mqtt, settings.identity
    password = mqtt.password(settings_file)
    username = mqtt.username or (who.place if password else "")
    return Endpoint(
        host=mqtt.host,
        port=mqtt.port,
        client_id=mqtt.client_id or client_id_of(who),
        username=username,
        password=password,
        tls=mqtt.tls(settings_file),
        keepalive_s=mqtt.keepalive_s,
        session_expiry_s=settings.uplink.session_expiry_s,
    )
