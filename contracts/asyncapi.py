"""The AsyncAPI 3 document of the wire contract, generated from the types.

Source of the format: AsyncAPI specification 3.0.0. Only what our types say is written.
"""

from typing import Any

import msgspec

from contracts import envelope
from contracts.envelope import DATA_TYPES, Envelope, event_type
from contracts.topics import ALERTS, NOTICES, PREFIX, Channel

_TO_EDGE = {Channel.RECEIPTS.value, Channel.COMMANDS.value, Channel.ROOM.value}
_RETAINED = {Channel.STATUS.value, Channel.ROOM.value, ALERTS}
_PARAMETERS = {
    "region": "Administrative code of the region, the natural shard.",
    "site": "Where the device stands: a testing room, a van, a canteen.",
    "device": "The device, or the agent that speaks for the site.",
    "alert_id": "The alert.",
    "notice_id": "The message.",
}


def _address(kind: str) -> str:
    if kind in (ALERTS, NOTICES):
        return f"{PREFIX}/{{region}}/{{site}}/{kind}/{{{kind.removesuffix('s')}_id}}"
    return f"{PREFIX}/{{region}}/{{site}}/{{device}}/{kind}"


def _channel(kind: str) -> dict[str, Any]:
    address = _address(kind)
    return {
        "address": address,
        "description": (DATA_TYPES[kind].__doc__ or "").strip().splitlines()[0],
        "parameters": {
            name: {"description": text}
            for name, text in _PARAMETERS.items()
            if f"{{{name}}}" in address
        },
        "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        "bindings": {"mqtt": {"bindingVersion": "0.2.0"}},
    }


def _operation(kind: str) -> dict[str, Any]:
    """From the city's side: what the gateway receives and what it sends."""
    from_gateway = kind in _TO_EDGE or kind in (ALERTS, NOTICES)
    return {
        "action": "send" if from_gateway else "receive",
        "channel": {"$ref": f"#/channels/{kind}"},
        "bindings": {
            "mqtt": {"qos": 1, "retain": kind in _RETAINED, "bindingVersion": "0.2.0"},
        },
    }


def _message(kind: str, data_reference: dict[str, Any], outer: dict[str, Any]) -> dict[str, Any]:
    properties = {name: part for name, part in outer["properties"].items() if name != "data"}
    properties["type"] = {"const": event_type(kind)}
    properties["specversion"] = {"const": "1.0"}
    return {
        "name": event_type(kind),
        "title": kind,
        "contentType": "application/json",
        "payload": {
            "type": "object",
            "properties": {**properties, "data": data_reference},
            "required": ["specversion", *outer["required"]],
        },
    }


def document() -> dict[str, Any]:
    """The whole document as plain values, in a stable order."""
    kinds = list(DATA_TYPES)
    references, schemas = msgspec.json.schema_components(
        [Envelope, *(DATA_TYPES[kind] for kind in kinds)],
        ref_template="#/components/schemas/{name}",
    )
    outer = schemas.pop("Envelope")
    made = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "FoodSentry wire contract",
            "version": f"{envelope.VERSION}.0.0",
            "description": (
                "MQTT 5. Every payload is one CloudEvents 1.0 event in JSON, of at most "
                f"{envelope.MAX_PAYLOAD_BYTES} bytes."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {kind: _channel(kind) for kind in kinds},
        "operations": {f"on_{kind}": _operation(kind) for kind in kinds},
        "components": {
            "messages": {
                kind: _message(kind, reference, outer)
                for kind, reference in zip(kinds, references[1:], strict=True)
            },
            "schemas": dict(sorted(schemas.items())),
        },
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return plain
