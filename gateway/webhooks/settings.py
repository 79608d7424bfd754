"""The settings of telling other systems by webhooks."""

from typing import Annotated

import msgspec
from msgspec import Meta


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which addresses webhooks may go to, and for how long they are tried."""

    enabled: Annotated[
        bool, Meta(description="Whether this gateway delivers (one of those that do, at a time).")
    ] = True
    allow_networks: Annotated[
        list[str],
        Meta(
            description="Networks (CIDR) that webhooks may go to besides public addresses, and to "
            "whose addresses plain http may go. The server needs the same (api.allow_networks)."
        ),
    ] = []
    ca_file: Annotated[
        str,
        Meta(
            description="PEM file of the authorities that receivers' certificates may be signed "
            "by, relative to this settings file; empty: the system's."
        ),
    ] = ""
    timeout_s: Annotated[
        float, Meta(gt=0, le=60, description="Seconds in which a receiver must have answered.")
    ] = 10.0
    at_once: Annotated[
        int, Meta(ge=1, le=64, description="Receivers that are posted to at the same time.")
    ] = 8
    poll_s: Annotated[
        float, Meta(gt=0, le=60, description="Seconds between two looks for what is to be told.")
    ] = 0.5
    dead_after_days: Annotated[
        float,
        Meta(
            gt=0,
            le=30,
            description="Days after which a message that never arrived is given up, its webhook "
            "paused, and its maker told.",
        ),
    ] = 3.0
    keep_days: Annotated[
        float, Meta(gt=0, le=366, description="Days for which messages that went are kept.")
    ] = 14.0
    waiting_most: Annotated[
        int,
        Meta(ge=10, description="Messages that wait for one webhook; more stay in the journal."),
    ] = 1000
