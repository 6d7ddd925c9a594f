"""JSON Schemas of the events, as other languages and older readers see them."""

from __future__ import annotations

from typing import Any

from chronicle_contracts.fact import Fact

JsonSchema = dict[str, Any]


def schema_of(fact: type[Fact]) -> JsonSchema:
    """Return the JSON Schema (draft 2020-12) of what a writer of this version puts into `data`."""
    schema = fact.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": fact.TYPE, **schema}


def breaking_changes(old: JsonSchema, new: JsonSchema) -> list[str]:
    """Return what a reader or writer of the old schema could not stand in the new one.

    Within a version only additions that nobody needs are allowed: no field goes, none changes
    its type, none becomes required.
    """
    before, after = _properties(old), _properties(new)
    found = [f"{name} was removed" for name in sorted(before.keys() - after.keys())]
    found += [
        f"{name} changed its type"
        for name in sorted(before.keys() & after.keys())
        if not _fits(_core(before[name], old), _core(after[name], new))
    ]
    required = set(new.get("required", ())) - set(old.get("required", ()))
    # In a schema of the writer every field is "required" once it has no default; a new field
    # must have one, or old messages cannot be read.
    found += [f"{name} became required" for name in sorted(required & before.keys())]
    found += [
        f"{name} is new and has no default"
        for name in sorted(after.keys() - before.keys())
        if "default" not in after[name]
    ]
    return found


def _fits(before: Any, after: Any) -> bool:
    """Return whether two schemas say the same, but for values that an enumeration gained."""
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_fits, before, after))
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return bool(before == after)
    return before.keys() == after.keys() and all(
        set(value) <= set(after[key]) if key == "enum" else _fits(value, after[key])
        for key, value in before.items()
    )


def _properties(schema: JsonSchema) -> JsonSchema:
    properties: JsonSchema = schema.get("properties", {})
    return properties


def _core(node: Any, root: JsonSchema) -> Any:
    """Return a schema without its words and with its references followed."""
    if isinstance(node, list):
        return [_core(one, root) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = root["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        return _core(target, root)
    return {
        key: _core(value, root)
        for key, value in node.items()
        if key not in {"title", "description", "default"}
    }
