"""The fields of an event in words, read from its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chronicle_contracts.schema import JsonSchema, follow

_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "{} characters or more",
    "maxLength": "{} characters at most",
    "pattern": "matching {}",
}
_FORMATS = {"date-time": "time (RFC 3339, UTC)", "uuid": "UUID"}


@dataclass(frozen=True)
class FieldDoc:
    """One field; `path` is where it is, e.g. `completeness.score` or `gaps[].seconds`."""

    path: str
    type: str
    required: bool
    default: Any
    description: str


def fields_of(schema: JsonSchema) -> Iterator[FieldDoc]:
    """Yield the fields of a schema; those of nested objects follow their parent."""
    yield from _fields(schema, schema, "")


def _fields(node: JsonSchema, root: JsonSchema, above: str) -> Iterator[FieldDoc]:
    required = set(node.get("required", ()))
    for name, field in node.get("properties", {}).items():
        target = follow(field, root)
        yield FieldDoc(
            path=above + name,
            type=words(field, root),
            required=name in required,
            default=field.get("default"),
            description=" ".join((field.get("description") or _own_words(target)).split()),
        )
        for inner, ending in _objects(field, root):
            yield from _fields(inner, root, f"{above}{name}{ending}.")


def _own_words(target: JsonSchema) -> str:
    return target.get("description", "") if "properties" in target else ""


def _objects(node: JsonSchema, root: JsonSchema, ending: str = "") -> Iterator[tuple[Any, str]]:
    target = follow(node, root)
    if "properties" in target:
        yield target, ending
    if isinstance(target.get("items"), dict):
        yield from _objects(target["items"], root, f"{ending}[]")
    for choice in target.get("anyOf", ()):
        yield from _objects(choice, root, ending)


def words(node: JsonSchema, root: JsonSchema) -> str:
    """Return a schema's type in words, e.g. `number, at least 0` or `text or null`."""
    node = follow(node, root)
    if "anyOf" in node:
        return " or ".join(words(choice, root) for choice in node["anyOf"])
    if "enum" in node:
        return "one of " + ", ".join(json.dumps(value) for value in node["enum"])
    if "const" in node:
        return json.dumps(node["const"])
    kind = node.get("type")
    if kind == "array":
        items = node.get("items")
        return f"list of {words(items, root)}" if items else "list"
    if kind == "object":
        return str(node.get("title", "object"))
    plain = {"string": "text", "boolean": "true or false"}.get(str(kind), str(kind or "any value"))
    plain = _FORMATS.get(node.get("format", ""), plain)
    limits = [text.format(node[name]) for name, text in _BOUNDS.items() if name in node]
    return ", ".join([plain, *limits])
