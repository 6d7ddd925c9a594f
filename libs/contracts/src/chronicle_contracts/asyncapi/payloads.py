"""Payloads: the envelope, and what is in it, as schemas that share their parts."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from chronicle_contracts.catalogue import EventType
from chronicle_contracts.envelope import Event
from chronicle_contracts.fact import Fact
from chronicle_contracts.schema import JsonSchema

PLACE = "#/components/schemas/"
ENVELOPE = "CloudEvent"


def schemas(types: tuple[EventType, ...]) -> tuple[dict[str, JsonSchema], dict[type[Fact], str]]:
    """Return the component schemas by name, and the name of each fact's schema."""
    names, definitions = models_json_schema(
        [(one.model, "serialization") for one in types], ref_template=f"{PLACE}{{model}}"
    )
    found: dict[str, JsonSchema] = {ENVELOPE: envelope(), **definitions["$defs"]}
    return found, {
        one.model: names[(one.model, "serialization")]["$ref"].removeprefix(PLACE) for one in types
    }


def payload(one: EventType, name: str) -> JsonSchema:
    """Return the schema of a whole message: an envelope of this type around its data."""
    return {
        "allOf": [
            {"$ref": PLACE + ENVELOPE},
            {
                "type": "object",
                "properties": {"type": {"const": one.type}, "data": {"$ref": PLACE + name}},
            },
        ]
    }


def envelope() -> JsonSchema:
    """Return the schema of what stands around `data`."""
    schema = Event.model_json_schema(mode="serialization")
    schema.pop("$defs", None)
    schema["title"] = "CloudEvent"
    attributes: dict[str, JsonSchema] = schema["properties"]
    attributes["data"] = {"type": "object", "description": "what happened"}
    for attribute in attributes.values():
        _without_null(attribute)
    return schema


def _without_null(attribute: dict[str, Any]) -> None:
    """CloudEvents knows no null: what is absent is not written."""
    choices = [one for one in attribute.pop("anyOf", ()) if one != {"type": "null"}]
    for choice in choices:
        attribute.update(choice)
    if "default" in attribute and attribute["default"] is None:
        del attribute["default"]
