"""Sets of schemas, read from wherever a project keeps them.

A folder of `TYPE.schema.json` files, one such file, an AsyncAPI document of ours, or the code
itself (`CODE`); the envelope is among them where the source says something about it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from chronicle_contracts.asyncapi.payloads import envelope
from chronicle_contracts.catalogue import event_types, form_of
from chronicle_contracts.compatibility import ENVELOPE
from chronicle_contracts.schema import JsonSchema, follow

CODE = "code"
STDIN = "-"


class UnreadableSchemas(Exception):
    """There are no schemas of events there; the message says what was looked for."""


def load(source: str) -> dict[str, JsonSchema]:
    """Return schemas of `data` by event type. Raises `UnreadableSchemas`."""
    if source == CODE:
        return {ENVELOPE: envelope(), **{one.type: one.schema for one in event_types()}}
    if source == STDIN:
        return _from_document(_parsed(sys.stdin.read(), "the standard input"), "the standard input")
    path = Path(source)
    if path.is_dir():
        files = sorted(path.rglob("*.schema.json"), key=form_of)  # the newest form holds
        if not files:
            raise UnreadableSchemas(f"{path} has no file *.schema.json")
        return {
            type_: schema
            for file in files
            for type_, schema in _from_document(_read(file), str(file)).items()
        }
    return _from_document(_read(path), str(path))


def _read(path: Path) -> dict[str, Any]:
    try:
        return _parsed(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableSchemas(f"{path} cannot be read: {error}") from error


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise UnreadableSchemas(f"{name} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise UnreadableSchemas(f"{name} is no JSON object")
    return document


def _from_document(document: dict[str, Any], name: str) -> dict[str, JsonSchema]:
    if "asyncapi" in document:
        return _from_asyncapi(document, name)
    if not isinstance(document.get("$id"), str) or "properties" not in document:
        raise UnreadableSchemas(
            f"{name} is neither a schema of an event ($id, properties) nor an AsyncAPI document"
        )
    return {document["$id"]: document}


def _from_asyncapi(document: dict[str, Any], name: str) -> dict[str, JsonSchema]:
    """Read what `chronicle_contracts.asyncapi` writes: an envelope, and `data` for each message."""
    found: dict[str, JsonSchema] = {}
    try:
        for type_, message in document["components"]["messages"].items():
            for part in message["payload"].get("allOf", ()):
                if "$ref" in part:
                    found[ENVELOPE] = _within(document, follow(part, document))
                elif "data" in part.get("properties", {}):
                    data = follow(part["properties"]["data"], document)
                    found[type_] = _within(document, data)
    except (KeyError, TypeError, AttributeError) as error:
        raise UnreadableSchemas(
            f"{name} is no AsyncAPI document of Chronicle: {error!r}"
        ) from error
    return found


def _within(document: dict[str, Any], schema: JsonSchema) -> JsonSchema:
    """Return a schema that can follow references to the document's components."""
    return {**schema, "components": document["components"]}
