"""The shapes of the API of tasks 快检任务."""

from datetime import datetime

from pydantic import BaseModel, Field

from server.api_models import Model, Moment


class TaskItem(Model):
    """A task, counted from uploads as it is asked for."""

    id: str = Field(examples=["5d0a8c1f2b3e4a67"])
    title: str = Field(examples=["叶菜农残专项"])
    state: str = Field(
        description="open, met, overdue or withdrawn.", examples=["open"]
    )  # fmt: skip
    region: str = Field(examples=["440703-baisha"])
    establishment_id: str | None = Field(examples=[None])
    site: str | None = Field(examples=["baisha-room"])
    food_group: str = Field(description="Empty: any food.", examples=["vegetable"])
    item_codes: list[str] = Field(
        description="Codes; each sample needs a result of every one. None: any item.",
        examples=[["pesticide_inhibition"]],
    )
    wanted: int = Field(description="Samples.", examples=[30])
    done: int = Field(description="Samples that count.", examples=[12])
    late: int = Field(
        description="Samples that reached the city more than 24 h after they were measured: they "
        "never count.",
        examples=[1],
    )
    starts_at: datetime = Field(examples=["2026-03-01T16:00:00Z"])
    due_at: datetime = Field(examples=["2026-03-09T10:00:00Z"])
    note: str = Field(examples=[""])
    created_at: datetime = Field(examples=["2026-03-02T01:00:00Z"])
    withdrawn_at: datetime | None = Field(examples=[None])
    withdraw_reason: str = Field(examples=[""])


class TaskSample(BaseModel):
    """A sample that names the task."""

    sample_id: str = Field(examples=["0b54a1ce-62a6-4c0f-9d2a-3f7f5a8f4c11"])
    number: str = Field(examples=["0302-014"])
    product: str = Field(examples=["菜心"])
    site: str = Field(examples=["baisha-room"])
    registered_at: datetime = Field(examples=["2026-03-02T01:00:00Z"])
    counts: bool = Field(examples=[True])
    why: str = Field(
        description="Why it does not count: voided, elsewhere, food, untested, invalid, late, "
        "early, after, items; empty if it does.",
        examples=[""],
    )
    results: list[str] = Field(examples=[["9f2c41d07be8a635"]])


class TaskWhole(TaskItem):
    """A task with the samples of it that the officer can see."""

    samples: list[TaskSample]


class TaskRequest(BaseModel):
    """A new task. What was given just so already is not given again."""

    title: str = Field(min_length=1, max_length=100, examples=["叶菜农残专项"])
    region: str = Field(min_length=1, max_length=64, examples=["440703-baisha"])
    establishment: str = Field(default="", max_length=64, examples=[""])
    site: str = Field(default="", max_length=64, examples=["baisha-room"])
    officer: str = Field(default="", max_length=128, description="Login.", examples=[""])
    food_group: str = Field(default="", max_length=32, examples=["vegetable"])
    item_codes: list[str] = Field(default=[], max_length=20, examples=[["pesticide_inhibition"]])
    wanted: int = Field(ge=1, le=100_000, examples=[30])
    starts_at: Moment | None = Field(default=None, examples=[None])
    due_at: Moment = Field(examples=["2026-03-09T10:00:00Z"])
    note: str = Field(default="", max_length=500, examples=[""])


class WithdrawRequest(BaseModel):
    """Why a task is asked for no more."""

    reason: str = Field(min_length=1, max_length=500, examples=["与市级专项重复"])
