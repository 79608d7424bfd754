"""The settings of the uplink: how much is on its way at once, and when it is sent again."""

from typing import Annotated

import msgspec


class UplinkSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds and time-outs of sending."""

    window: Annotated[
        int,
        msgspec.Meta(
            ge=1,
            le=5000,
            description="Messages on their way to the broker at once (the broker may allow fewer).",
        ),
    ] = 500
    window_kb: Annotated[
        int,
        msgspec.Meta(
            ge=16,
            le=65536,
            description="KiB on their way at once. Smaller lets a fresh alarm overtake a backlog "
            "sooner on a slow line; one message may always go.",
        ),
    ] = 256
    unreceipted_limit: Annotated[
        int,
        msgspec.Meta(
            ge=10,
            le=100_000,
            description="Most readings and pictures that the broker has but nobody receipted yet; "
            "beyond it they wait here. Fewer while receipts come late, so that nobody's fresh "
            "alarm stands behind them. Test results and observations always go.",
        ),
    ] = 5000
    receipt_timeout_s: Annotated[
        float,
        msgspec.Meta(
            ge=0.1, le=3600, description="What is not receipted after this long is sent again."
        ),
    ] = 30.0
    resend_max_s: Annotated[
        float,
        msgspec.Meta(ge=0.1, le=86400, description="The longest pause between two resends."),
    ] = 600.0
    ack_timeout_s: Annotated[
        float,
        msgspec.Meta(
            ge=0.5,
            le=600,
            description="Without an answer of the broker for this long (longer while much is on "
            "its way) the connection counts as dead and is made anew.",
        ),
    ] = 30.0
    reconnect_max_s: Annotated[
        float,
        msgspec.Meta(ge=0.1, le=3600, description="The longest pause between two connects."),
    ] = 60.0
    session_expiry_s: Annotated[
        int,
        msgspec.Meta(
            ge=0, le=4_000_000_000, description="How long the broker keeps receipts for us."
        ),
    ] = 604_800
