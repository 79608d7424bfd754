"""What proposals are made of: kinds, states, reach, and the policy that opens them."""

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import msgspec

from ledger.precision import Precision, precision
from ledger.scorecards import Judged

LONGEST = timedelta(days=30)
"""A silence that follows from a proposal lasts no longer."""


class ProposalKind(StrEnum):
    """What is proposed."""

    SILENCE = "silence"
    DIGEST = "digest"


class ProposalState(StrEnum):
    """Where it stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ProposalConflict(ValueError):
    """The proposal does not exist, or cannot be decided so; the text says why."""


class Policy(msgspec.Struct, frozen=True):
    """When verdicts are reason enough."""

    window_days: float = 30.0
    """Verdicts on alerts of so many days count."""
    least_judged: int = 5
    """With fewer, nothing is proposed; a digest needs twice as many, of two sites."""
    precision_below: float = 0.5
    """Precision must lie below this with 95 % confidence."""


class Scope(msgspec.Struct, frozen=True):
    """What a proposal would reach; empty parts reach everything."""

    rule: str
    region: str
    site: str = ""
    device: str = ""
    zone: str = ""

    def covers(self, one: Judged) -> bool:
        """Whether an alert of this region (or below it) is within."""
        return one.rule == self.rule and self.holds(one)

    def holds(self, other: "Scope | Judged") -> bool:
        """Whether what is of the same rule, in this region or below it, lies within."""
        return (
            self.site in ("", other.site)
            and self.device in ("", other.device)
            and self.zone in ("", other.zone)
        )

    @property
    def key(self) -> str:
        """The same for equal scopes."""
        parts = msgspec.json.encode(msgspec.structs.astuple(self))
        return hashlib.sha256(parts).hexdigest()[:32]


class Proposal(msgspec.Struct, frozen=True):
    """A proposal as it stands."""

    id: str
    kind: ProposalKind
    rule: str
    region: str
    site: str
    """Empty for a digest, which is for a region."""
    device: str
    zone: str
    establishment_id: str | None
    figures: dict[str, Any]
    """What it rests on: ``true``, ``false``, ``sites``, ``window_days``, ``precision_below``."""
    state: ProposalState
    proposed_at: datetime
    changed_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    note: str
    until: datetime | None
    """Until when what was accepted holds."""
    made: str
    """Id of the silence or rule mode that came of it."""

    @property
    def scope(self) -> Scope:
        """What it would reach."""
        return Scope(self.rule, self.region, self.site, self.device, self.zone)

    @property
    def precision(self) -> Precision | None:
        """The precision that it rests on."""
        true, false = int(self.figures["true"]), int(self.figures["false"])
        return precision(true, true + false)
