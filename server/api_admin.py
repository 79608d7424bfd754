"""The shapes of the API of administration: rows of sheets, changes of them, files looked at."""

from datetime import datetime

from pydantic import BaseModel, Field

from server.api_models import Model


class AdminRow(Model):
    """A row of a sheet. Its cells are texts, as a file of that sheet has them."""

    id: str = Field(examples=["baisha-market"])
    region: str = Field(examples=["440703-baisha"])
    cells: dict[str, str] = Field(
        description="By the English name of the column.",
        examples=[{"id": "baisha-market", "name": "白沙农贸市场", "kind": "market"}],
    )
    version: str = Field(
        description="Send it with a change: if somebody else changed the row meanwhile, yours is "
        "refused.",
        examples=["9f2c41d07be8a635"],
    )
    retired_at: datetime | None = Field(default=None, examples=[None])


class AdminCells(BaseModel):
    """A new row."""

    cells: dict[str, str] = Field(
        max_length=40,
        description="By the English name of the column; those left out are as usual.",
        examples=[{"name": "好又多超市", "kind": "supermarket", "region": "440703-baisha"}],
    )


class AdminChange(AdminCells):
    """A changed row. Cells that are left out stay; those that a row is known by are set once."""

    version: str = Field(
        default="",
        max_length=64,
        description="Of the row as it was looked at; empty: whatever it is.",
        examples=["9f2c41d07be8a635"],
    )


class AdminRetired(BaseModel):
    """What was taken out of use with it."""

    sites: list[str] = Field(examples=[["baisha-room"]])
    devices: list[str] = Field(examples=[["baisha-room/agent"]])


class AdminFile(BaseModel):
    """A file of a sheet. Larger ones: the console or `foodsentry ledger import`."""

    csv: str = Field(
        max_length=2_000_000,
        description="The whole file; its first row names the columns, in Chinese or English.",
        examples=["name,kind,region,credit_code\n"],
    )
    token: str | None = Field(
        default=None,
        max_length=64,
        description="Of a dry run of the same file: do it. Without: only say what it would do.",
        examples=[None],
    )


class AdminFault(Model):
    """What is wrong with one cell of a file."""

    row: int = Field(description="The header is 1; 0: the file.", examples=[4])
    column: str = Field(description="Empty: the whole row.", examples=["credit_code"])
    value: str = Field(examples=["91440703MA4W000019"])
    kind: str = Field(examples=["credit_check"])
    zh: str = Field(examples=["校验位应为 M，文件中为 9（GB 32100）"])
    en: str = Field(examples=["its check character is 9, the others ask for M"])


class AdminPlan(BaseModel):
    """What a file would do, or has done."""

    applied: bool = Field(examples=[False])
    new: int = Field(examples=[1])
    changed: int = Field(examples=[0])
    same: int = Field(examples=[0])
    refused: int = Field(description="Rows with a fault.", examples=[0])
    faults: list[AdminFault]
    token: str = Field(
        description="Send it with the same file to do exactly this.",
        examples=["9f2c41d07be8a6359f2c41d07be8a635"],
    )
