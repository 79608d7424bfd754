"""The API's shapes of one move for many alerts, with the answer for each."""

from pydantic import BaseModel, Field

from server.api_models import AlertItem, Model
from server.bulk import MOST, Outcome


class BulkRequest(BaseModel):
    """Which alerts."""

    alert_ids: list[str] = Field(
        min_length=1, max_length=MOST, description="One named twice counts once.",
        examples=[["9f2c41d07be8a635"]],
    )  # fmt: skip


class BulkItem(Model):
    """What became of one alert."""

    alert_id: str = Field(examples=["9f2c41d07be8a635"])
    outcome: Outcome = Field(
        description="`done`; `already`: it stood so before; `refused`: see `why`; `gone`: there is "
        "no such alert, or not for you.",
        examples=["done"],
    )
    why: str = Field(description="Why it was refused; else empty.", examples=[""])
    alert: AlertItem | None = Field(description="As it stands now; null if it is gone.")


class BulkAnswer(Model):
    """The answer for each alert, in the order asked; others are not held up by a refusal."""

    answers: list[BulkItem]
