"""What the page asks for: the bodies of its requests."""

from typing import Annotated

import msgspec

from edge_agent.room.desk import Fields

SubmitId = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9-]{8,64}$")]


class SignIn(msgspec.Struct, frozen=True):
    """Body of a sign-in."""

    name: str
    pin: str


class Registration(Fields, frozen=True, kw_only=True):
    """Body of a registration."""

    submit_id: SubmitId


class Correction(msgspec.Struct, frozen=True):
    """Body of a correction."""

    submit_id: SubmitId
    changes: dict[str, str]


class Voiding(msgspec.Struct, frozen=True):
    """Body of a voiding."""

    submit_id: SubmitId
    reason: str


class Choice(msgspec.Struct, frozen=True):
    """Body of a choice; no sample: the result is no sample's."""

    submit_id: SubmitId
    sample_id: str = ""
