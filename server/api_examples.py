"""Whole examples of requests and answers, put together from the examples of their fields."""

from typing import Any

_JSON = "application/json"
_PREFIX = "#/components/schemas/"


def give_examples(document: dict[str, Any]) -> None:
    """Give every JSON body of the document an example, where its fields have one."""
    schemas = document.get("components", {}).get("schemas", {})
    for operations in document["paths"].values():
        for operation in operations.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for body in bodies:
                content = body.get("content", {}).get(_JSON)
                if content is not None and not {"example", "examples"} & set(content):
                    content["example"] = example_of(content["schema"], schemas)


def example_of(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """One value that the schema describes; of an object, every field."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(_PREFIX)], schemas)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return example_of(schema[word][0], schemas)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        fields = schema.get("properties", {})
        return {name: example_of(field, schemas) for name, field in fields.items()}
    if kind == "array":
        return [example_of(schema["items"], schemas)] if "items" in schema else []
    return {"string": "", "integer": 0, "number": 0.0, "boolean": False}.get(str(kind))
