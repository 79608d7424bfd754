"""The committed AsyncAPI document is the one that the types give, and real messages fit it."""

import json
from pathlib import Path

from contracts.asyncapi import document
from contracts.envelope import DATA_TYPES

COMMITTED = Path(__file__).parents[2] / "docs" / "asyncapi.json"


def test_the_committed_document_is_current() -> None:
    written = json.loads(COMMITTED.read_text("utf-8"))
    assert written == document(), "run `make docs`"


def test_every_event_kind_has_channel_message_and_schema() -> None:
    made = document()
    assert set(made["channels"]) == set(made["components"]["messages"]) == set(DATA_TYPES)
    text = json.dumps(made)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "#')[1:]}:
        node = made
        for step in reference.strip("/").split("/"):
            node = node[step]
