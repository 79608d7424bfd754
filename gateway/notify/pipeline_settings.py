"""Settings of the pipeline: when a group is told, storms, the budget, the day's digest, routes."""

from datetime import time
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.words import Severity

Seconds = Annotated[float, Meta(ge=0)]


class ClassSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When people are told of a group of alerts of one class."""

    group_wait_s: Annotated[
        float,
        Meta(
            ge=0,
            le=3600,
            description="How long an alert waits for others of its site and rule, and for the "
            "alert that explains it. Class 1 never waits.",
        ),
    ] = 30.0
    group_interval_s: Annotated[
        float,
        Meta(
            ge=0,
            description="Shortest time between two messages about a group: new alerts of it, and "
            "resolved ones, wait for so long. New alerts of class 1 never do.",
        ),
    ] = 300.0
    repeat_s: Annotated[
        float, Meta(ge=60, description="After how long it is told again, until acknowledged.")
    ] = 14_400.0
    resolved: Annotated[
        bool, Meta(description="Whether those who were told are told when it is over.")
    ] = True


class AtOnceSettings(ClassSettings, frozen=True, forbid_unknown_fields=True):
    """The same for class 1."""

    group_wait_s: Annotated[
        float, Meta(ge=0, le=0, description="Class 1 never waits: 0 is all that may stand here.")
    ] = 0.0
    group_interval_s: Annotated[
        float,
        Meta(ge=0, description="Shortest time until those who were told are told that it is over."),
    ] = 60.0
    repeat_s: Annotated[
        float, Meta(ge=60, description="After how long it is told again, until acknowledged.")
    ] = 1800.0


class GuidanceSettings(ClassSettings, frozen=True, forbid_unknown_fields=True):
    """The same for class 3."""

    repeat_s: Annotated[
        float, Meta(ge=60, description="After how long it is told again, until acknowledged.")
    ] = 86_400.0


class RouteSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom else alerts are told: a group robot of the town, an officer of another office."""

    name: Annotated[
        str, Meta(pattern="^[a-z0-9_-]{0,64}$", description="What rules call this route.")
    ] = ""
    channels: Annotated[
        tuple[str, ...],
        Meta(description="Channels by name; the first that takes a message ends it."),
    ] = ()
    officers: Annotated[
        tuple[str, ...], Meta(description="Login names of officers who are told, too.")
    ] = ()
    rules: Annotated[
        tuple[str, ...],
        Meta(
            description="Patterns of rule ids. With neither these nor any of the following, only "
            "alerts of rules that name the route take it."
        ),
    ] = ()
    regions: Annotated[
        tuple[str, ...], Meta(description="Codes of regions; what lies below them counts, too.")
    ] = ()
    sites: Annotated[tuple[str, ...], Meta(description="Ids of sites.")] = ()
    classes: Annotated[tuple[Severity, ...], Meta(description="Classes of alerts.")] = ()


class PipelineSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When people are told of what, and how much of it at a time."""

    class_1: Annotated[AtOnceSettings, Meta(description="At once.")] = AtOnceSettings()
    class_2: Annotated[ClassSettings, Meta(description="With a deadline.")] = ClassSettings()
    class_3: Annotated[GuidanceSettings, Meta(description="Daily.")] = GuidanceSettings()
    storm_limit: Annotated[
        int,
        Meta(
            ge=1,
            description="Messages to one recipient within storm_window_s; what is beyond goes into "
            "one digest. Class 1 is never held back.",
        ),
    ] = 20
    storm_window_s: Annotated[
        float, Meta(ge=1, le=3600, description="See storm_limit; after so long the digest goes.")
    ] = 60.0
    day_budget: Annotated[
        int,
        Meta(
            ge=0,
            description="Messages to one officer a day; the rest waits for the day's digest. Class "
            "1, escalations, digests and notices are never held back.",
        ),
    ] = 40
    digest_at: Annotated[
        str,
        Meta(
            pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$",
            description="When the day's digest goes: hour and minute, UTC+8.",
        ),
    ] = "17:00"
    ending_notice_s: Annotated[
        float,
        Meta(ge=0, description="How long before a silence ends its author is reminded of it."),
    ] = 3600.0
    poll_s: Annotated[
        float, Meta(gt=0, le=10, description="How often the ledger is asked for what is new.")
    ] = 0.1

    def of(self, severity: int) -> ClassSettings:
        """The settings of a class."""
        return (self.class_1, self.class_2, self.class_3)[severity - 1]

    @property
    def digest_time(self) -> time:
        """The local time of the day's digest."""
        return time.fromisoformat(self.digest_at)
