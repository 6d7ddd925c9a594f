"""Random messages of every event, made from its schema; unknown fields at every depth."""

from __future__ import annotations

from datetime import UTC
from functools import cache
from typing import Any

from chronicle_contracts.catalogue import EventType
from chronicle_contracts.schema import follow
from hypothesis import strategies as st

NAMES = st.sampled_from(["xa", "xb", "x1"])  # few and short: what is drawn costs time
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
VALUES = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(NAMES, LEAVES, max_size=2)
UNKNOWN = st.dictionaries(NAMES, VALUES, max_size=1)
# CloudEvents attributes have no structure, and null is absence.
ATTRIBUTES = st.dictionaries(
    NAMES, st.booleans() | st.integers(0, 2**31 - 1) | st.text(min_size=1), max_size=2
)
TIMES = st.datetimes(timezones=st.just(UTC)).map(lambda time: time.isoformat())


@cache
def valid(one: EventType) -> st.SearchStrategy[Any]:
    """Return a strategy for whatever the schema of an event allows in `data`."""
    return _of(one.schema, one.schema)


def _of(node: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    node = follow(node, root)
    if "anyOf" in node:
        return st.one_of(*(_of(choice, root) for choice in node["anyOf"]))
    if "enum" in node:
        return st.sampled_from(node["enum"])
    kinds: dict[str, Any] = {
        "object": lambda: _object(node, root),
        "array": lambda: st.lists(_of(node["items"], root), max_size=2),
        "string": lambda: _text(node),
        "number": lambda: _number(node),
        "integer": lambda: st.integers(_least(node), 2**63 - 1),
        "boolean": st.booleans,
        "null": st.none,
    }
    strategy: st.SearchStrategy[Any] = kinds[node["type"]]()
    return strategy


def _object(node: dict[str, Any], root: dict[str, Any]) -> st.SearchStrategy[Any]:
    fields = {name: _of(field, root) for name, field in node["properties"].items()}
    needed = {name: fields.pop(name) for name in node.get("required", ())}
    known = st.fixed_dictionaries(needed, optional=fields)
    return st.builds(lambda unknown, fields: unknown | fields, UNKNOWN, known)


def _text(node: dict[str, Any]) -> st.SearchStrategy[str]:
    if node.get("format") == "date-time":
        return TIMES
    if "pattern" in node:
        return st.from_regex(node["pattern"], fullmatch=True)
    return st.text(max_size=8)


def _number(node: dict[str, Any]) -> st.SearchStrategy[float]:
    above = "exclusiveMinimum" in node
    return st.floats(
        min_value=node.get("exclusiveMinimum", node.get("minimum")),
        max_value=node.get("maximum"),
        exclude_min=above,
        allow_nan=False,
        allow_infinity=False,
    )


def _least(node: dict[str, Any]) -> int:
    return int(node.get("minimum", node.get("exclusiveMinimum", -(2**63)) + 1))
