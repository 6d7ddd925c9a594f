"""JSON Schemas of the events, as other languages and older readers see them."""

from __future__ import annotations

from functools import reduce
from typing import Any

from chronicle_contracts.fact import Fact

JsonSchema = dict[str, Any]


def schema_of(fact: type[Fact]) -> JsonSchema:
    """Return the JSON Schema (draft 2020-12) of what a writer of this version puts into `data`."""
    schema = fact.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": fact.TYPE, **schema}


def follow(node: JsonSchema, root: JsonSchema) -> JsonSchema:
    """Return what a node refers to within its document; the node itself where it does not.

    What stands beside a reference (a default, a description) is not of the type and is left out.
    """
    while "$ref" in node:
        steps = node["$ref"].removeprefix("#/").split("/")
        node = reduce(lambda place, step: place[_unescaped(step)], steps, root)
    return node


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")  # RFC 6901
