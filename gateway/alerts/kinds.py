"""The kinds of rules: what each waits for, as it stands under `[rule.when]` in a rule file."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from contracts.events import Name
from contracts.words import Verdict, ZoneKind
from gateway.alerts.day_times import TimeOfDay

Globs = tuple[str, ...]
"""Shell patterns (``cold*``); empty means any."""
ForS = Annotated[
    float, Meta(ge=0, description="How long it must be so, by measured time, before it fires.")
]
ClearForS = Annotated[float, Meta(ge=0, description="How long it must be over to end it.")]
GapS = Annotated[
    float,
    Meta(
        gt=0,
        description="Two readings further apart than this prove nothing about the time between.",
    ),
]
If = Annotated[
    str,
    Meta(
        max_length=500,
        description="CEL expression over the event's fields that must be true, too; empty: always.",
    ),
]
Items = Annotated[
    Globs,
    Meta(description='Patterns of item codes; a result without one has the code `""`. None: any.'),
]
ExceptItems = Annotated[Globs, Meta(description="Patterns of item codes that do not count.")]
Metrics = Annotated[tuple[str, ...], Meta(min_length=1, description="Metrics of readings.")]
Probes = Annotated[
    Globs, Meta(description="Patterns of device ids, or of their registered names; none: any.")
]
LimitId = Annotated[Name, Meta(description="Id of the limit in the limits file.")]
ZoneKinds = Annotated[
    tuple[ZoneKind, ...], Meta(description="Kinds of zone where this counts; none: anywhere.")
]
DeviceKinds = Annotated[tuple[str, ...], Meta(description="Kinds of device; none: any.")]


class _When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind"):
    """What a rule waits for."""


class VerdictIs(_When, frozen=True, tag="verdict"):
    """A test result with one of these verdicts."""

    verdicts: Annotated[tuple[Verdict, ...], Meta(min_length=1, description="Any of these.")]
    items: Items = ()
    except_items: ExceptItems = ()
    condition: If = field(default="", name="if")


class ObservationOf(_When, frozen=True, tag="observation"):
    """An episode that a camera saw; firing while it is open."""

    kinds: Annotated[tuple[str, ...], Meta(min_length=1, description="Kinds of observation.")]
    zone_kinds: ZoneKinds = ()
    condition: If = field(default="", name="if")


class BeyondLimit(_When, frozen=True, tag="threshold"):
    """A reading outside a limit for some time; over when it is well inside again."""

    metrics: Metrics
    limit: LimitId
    devices: Probes = ()
    for_s: ForS = 0.0
    clear_by: Annotated[
        float,
        Meta(ge=0, description="Hysteresis: how far inside the limit a value must be to end it."),
    ] = 0.0
    clear_for_s: ClearForS = 0.0
    gap_s: GapS = 3600.0


class ReadingIs(_When, frozen=True, tag="reading"):
    """Readings of which an expression is true for some time; over when `until` is."""

    metrics: Metrics
    condition: Annotated[
        str, Meta(min_length=1, max_length=500, description="CEL expression over a reading.")
    ] = field(name="if")
    until: Annotated[
        str,
        Meta(max_length=500, description="What ends it (hysteresis); empty: `if` is not true."),
    ] = ""
    devices: Probes = ()
    for_s: ForS = 0.0
    clear_for_s: ClearForS = 0.0
    gap_s: GapS = 3600.0


class TrendTo(_When, frozen=True, tag="trend"):
    """A reading inside its limit that will reach it soon, going by its line of late.

    Least squares over at most 33 readings. It is over when the line no longer leads there within
    one and a half times the horizon, or when the limit is reached: then that is another rule's.
    """

    metrics: Metrics
    limit: LimitId
    horizon_s: Annotated[
        float, Meta(gt=0, le=7 * 86_400, description="The limit is reached within this time.")
    ]
    window_s: Annotated[
        float, Meta(ge=60, le=7 * 86_400, description="Readings of this time make the line.")
    ]
    devices: Probes = ()
    least: Annotated[int, Meta(ge=3, le=32, description="Fewer readings make no line.")] = 6
    fit: Annotated[
        float,
        Meta(ge=0, le=1, description="Share of the values' variance that the line must explain."),
    ] = 0.7


Grouping = Literal[
    "region", "site", "device", "item_code", "kind", "zone", "sample", "stall", "supplier", "lot"
]


class CountOf(_When, frozen=True, tag="window"):
    """So many matching events within a time; one alert for each group that `by` makes.

    An event in which a field of `by` or `distinct` is empty is in no group. Over when no events
    have completed a window for `window_s`.
    """

    event: Annotated[Literal["tests", "observations"], Meta(description="Which events.")]
    window_s: Annotated[
        float, Meta(gt=0, le=92 * 86_400, description="Within this time, by the time of the facts.")
    ]
    count: Annotated[int, Meta(ge=1, le=60, description="So many matching events, or more.")]
    by: Annotated[
        tuple[Grouping, ...], Meta(min_length=1, description="Fields that make the groups.")
    ] = ("site",)
    share: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="Rate: so large a share of the group's events must match, too.",
        ),
    ] = 0.0
    distinct: Annotated[
        Grouping | Literal[""],
        Meta(description="Count the different values of this field instead of events."),
    ] = ""
    verdicts: Annotated[
        tuple[Verdict, ...], Meta(description="Verdicts of tests that match; none: any.")
    ] = ()
    items: Items = ()
    except_items: ExceptItems = ()
    kinds: Annotated[
        tuple[str, ...], Meta(description="Kinds of observations that match; none: any.")
    ] = ()
    zone_kinds: ZoneKinds = ()
    condition: If = field(default="", name="if")


class Expected(_When, frozen=True, tag="expected"):
    """What should have come by a time of the day, and has not; over when it comes, or the day ends.

    A site whose agent is offline is not judged: what it has may wait there.
    """

    event: Annotated[
        Literal["tests", "heard"],
        Meta(description="`tests`: a test result of the site; `heard`: anything of a device."),
    ]
    by: Annotated[TimeOfDay, Meta(description="Local time by which it is due, `HH:MM`.")]
    since: Annotated[TimeOfDay, Meta(description="Local time from which on it counts.")] = "00:00"
    device_kinds: Annotated[
        tuple[str, ...],
        Meta(description="Sites are judged that have such a device; `heard`: each such device."),
    ] = ("pesticide_reader", "analyzer")


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that must be the case: alerts of these rules."""

    rules: Annotated[Globs, Meta(min_length=1, description="Patterns of rule ids.")]
    devices: Annotated[
        int, Meta(ge=1, le=32, description="Of so many different devices of the site, or more.")
    ] = 1


class Combination(_When, frozen=True, tag="combination"):
    """Alerts at one site at the same time; over when one of the parts is."""

    of: Annotated[tuple[Part, ...], Meta(min_length=1, max_length=8, description="All of these.")]
    within_s: Annotated[
        float, Meta(gt=0, le=7 * 86_400, description="All were raised within this time.")
    ] = 3600.0


class DeviceIs(_When, frozen=True, tag="device"):
    """What a device says of itself: its state, backlog, clock, what its outbox thinned."""

    condition: Annotated[
        str, Meta(min_length=1, max_length=500, description="CEL expression over a device.")
    ] = field(name="if")
    device_kinds: DeviceKinds = ()
    for_s: ForS = 0.0
    window_s: Annotated[
        float, Meta(ge=60, le=7 * 86_400, description="Time over which `…_grown` is counted.")
    ] = 3600.0


class DeviceSilent(_When, frozen=True, tag="silence"):
    """A device of one of these kinds was not heard of for longer than it may be silent."""

    device_kinds: Annotated[tuple[str, ...], Meta(description="Kinds of device.")]


class AgentOffline(_When, frozen=True, tag="agent_offline"):
    """A site's agent said farewell, or is silent: one alert for the site."""

    for_s: Annotated[float, Meta(ge=0, description="How long, before it fires.")] = 20.0


class EvidenceKeyNew(_When, frozen=True, tag="evidence_key"):
    """An agent signs its pictures with another key than the one that the city knows."""


class DataWaiting(_When, frozen=True, tag="data_waiting"):
    """A site's agent is heard, but its events are not receipted: for too long, or too many."""

    age_s: Annotated[
        float,
        Meta(
            gt=0,
            description="How long the oldest may wait. Over when it is half of that, and the "
            "backlog is, too.",
        ),
    ] = 1800.0
    backlog: Annotated[int, Meta(gt=0, description="How many may wait.")] = 100_000


class DataLost(_When, frozen=True, tag="data_lost"):
    """Events that an agent holds for receipted are not in the ledger."""


When = (
    VerdictIs
    | ObservationOf
    | BeyondLimit
    | ReadingIs
    | TrendTo
    | CountOf
    | Expected
    | Combination
    | DeviceIs
    | DeviceSilent
    | AgentOffline
    | EvidenceKeyNew
    | DataWaiting
    | DataLost
)
OfReadings = BeyondLimit | ReadingIs | TrendTo
"""Kinds that are judged reading by reading, with a state for each series."""
