"""Whether a version of an event may become another without a new version number.

Within a version both must hold, because logs keep old messages for good and services are not
updated in one moment:

- today's reader understands every old message;
- yesterday's reader understands every new message.

So a version may gain optional fields, at any depth, and nothing else changes. Two loosenings
are allowed where readers are updated before writers: a value that an enumeration gains, and a
bound that moves outwards. All else is a new version with an upcaster (docs/evolving-events.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chronicle_contracts.schema import JsonSchema, follow

NEW_VERSION = "make it the next version, with an upcaster from this one"
ENVELOPE = "envelope"
READERS_FIRST = "update every reader before the first writer"

# Each with the sign of the direction in which it lets more pass.
_BOUNDS = {
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), -1),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), 1),
}
# What neither reader nor writer is held to.
_WORDS = {"title", "description", "default", "examples", "$schema", "$id", "$defs", "components"}
# What is compared by rules of its own.
_RULED = {
    "$ref",
    "type",
    "properties",
    "required",
    "items",
    "anyOf",
    "enum",
    "additionalProperties",
}


@dataclass(frozen=True)
class Change:
    """One difference; `field` is empty where it is of the event as a whole."""

    event: str
    field: str
    what: str
    breaking: bool
    remedy: str = ""

    def __str__(self) -> str:
        """Say it on one line."""
        place = f"{self.event}: {self.field}" if self.field else self.event
        return f"{place} {self.what}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True)
class _Side:
    node: JsonSchema
    root: JsonSchema

    def down(self, node: JsonSchema) -> _Side:
        return _Side(follow(node, self.root), self.root)

    @property
    def properties(self) -> dict[str, JsonSchema]:
        properties: dict[str, JsonSchema] = self.node.get("properties", {})
        return properties

    @property
    def required(self) -> set[str]:
        return set(self.node.get("required", ()))


def compare(old: Mapping[str, JsonSchema], new: Mapping[str, JsonSchema]) -> list[Change]:
    """Return what changed between two sets of schemas, each by event type.

    The `ENVELOPE` is compared where both know it: a folder of schemas of `data` does not.
    """
    if not (ENVELOPE in old and ENVELOPE in new):
        old, new = (
            {type_: schema for type_, schema in side.items() if type_ != ENVELOPE}
            for side in (old, new)
        )
    changes = [
        Change(type_, "", "was removed", True, "keep it: logs hold its messages for good")
        for type_ in sorted(old.keys() - new.keys())
    ]
    for type_ in sorted(old.keys() & new.keys()):
        changes += changes_of(type_, old[type_], new[type_])
    changes += [
        Change(type_, "", "is a new event", False) for type_ in sorted(new.keys() - old.keys())
    ]
    return changes


def changes_of(event: str, old: JsonSchema, new: JsonSchema) -> list[Change]:
    """Return what changed between two schemas of one version of an event."""
    found = _compared(_Place(event), _Side(old, old).down(old), _Side(new, new).down(new))
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class _Place:
    event: str
    field: str = ""

    def below(self, name: str) -> _Place:
        return _Place(self.event, f"{self.field}.{name}" if self.field else name)

    @property
    def items(self) -> _Place:
        return _Place(self.event, f"{self.field}[]")

    def broken(self, what: str, remedy: str = NEW_VERSION) -> Change:
        return Change(self.event, self.field, what, True, remedy)

    def loosened(self, what: str) -> Change:
        return Change(self.event, self.field, what, False, READERS_FIRST)

    def added(self, what: str) -> Change:
        return Change(self.event, self.field, what, False)


def _compared(place: _Place, old: _Side, new: _Side) -> Iterator[Change]:
    if kind_of(old) != kind_of(new):
        yield place.broken(f"changed its type from {kind_of(old)} to {kind_of(new)}")
        return
    yield from _forms(place, old.node, new.node)
    yield from _bounds(place, old.node, new.node)
    yield from _values(place, old.node.get("enum", []), new.node.get("enum", []))
    yield from _fields(place, old, new)
    if isinstance(old.node.get("items"), dict):
        items = (side.down(side.node["items"]) for side in (old, new))
        yield from _compared(place.items, *items)
    for before, after in zip(_choices(old), _choices(new), strict=True):
        yield from _compared(place, before, after)


def _forms(place: _Place, old: JsonSchema, new: JsonSchema) -> Iterator[Change]:
    for name in sorted((old.keys() | new.keys()) - _WORDS - _RULED - _BOUNDS.keys()):
        if old.get(name) != new.get(name):
            yield place.broken(f"changed its {name} from {_said(old, name)} to {_said(new, name)}")
    if old.get("additionalProperties", True) and not new.get("additionalProperties", True):
        yield place.broken("is closed to unknown fields", "let it keep what it does not know")


def _bounds(place: _Place, old: JsonSchema, new: JsonSchema) -> Iterator[Change]:
    for name, outwards in _BOUNDS.items():
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        what = f"changed its {name} from {_said(old, name)} to {_said(new, name)}"
        is_looser = after is None or (before is not None and (after - before) * outwards > 0)
        yield place.loosened(what) if is_looser else place.broken(what)


def _values(place: _Place, old: list[Any], new: list[Any]) -> Iterator[Change]:
    for value in old:
        if value not in new:
            yield place.broken(f"lost the value {value!r}")
    for value in new:
        if value not in old:
            yield place.loosened(f"gained the value {value!r}")


def _fields(place: _Place, old: _Side, new: _Side) -> Iterator[Change]:
    for name in sorted(old.properties.keys() | new.properties.keys()):
        field = place.below(name)
        if name not in new.properties:
            yield field.broken("was removed")
        elif name in old.properties:
            yield from _needs(field, name, old, new)
            before, after = (side.down(side.properties[name]) for side in (old, new))
            yield from _compared(field, before, after)
        elif name in new.required:
            yield field.broken("is new and has no default", f"give it one, or {NEW_VERSION}")
        else:
            yield field.added("is a new optional field")


def _needs(field: _Place, name: str, old: _Side, new: _Side) -> Iterator[Change]:
    if name in new.required - old.required:
        yield field.broken("became required")
    elif name in old.required - new.required:
        yield field.broken("became optional")
    elif name not in new.required:
        before, after = (_default(side.properties[name]) for side in (old, new))
        if before != after:
            yield field.broken(f"changed its default from {before!r} to {after!r}")


def kind_of(side: _Side) -> str:
    """Return what sort of value a schema is for, as far as another sort would be another type."""
    node = side.node
    if choices := _choices(side):
        return " or ".join(kind_of(choice) for choice in choices)
    kind = node.get("type", "any value")
    if "enum" in node:
        return f"{kind} of a list of values"
    if kind == "array":
        return "array" if isinstance(node.get("items"), dict) else "array of any values"
    return str(kind)


def _choices(side: _Side) -> list[_Side]:
    """Return the alternatives, in an order that does not depend on how they were written."""
    choices = [side.down(choice) for choice in side.node.get("anyOf", ())]
    if isinstance(kinds := side.node.get("type"), list):
        choices = [_Side({**side.node, "type": kind}, side.root) for kind in kinds]
    return sorted(choices, key=lambda choice: (kind_of(choice), choice.node.get("title", "")))


def _default(node: JsonSchema) -> Any:
    """Return a default, but of objects only that there is one: their fields have their own."""
    default = node.get("default")
    return {} if isinstance(default, dict) else default


def _said(node: JsonSchema, name: str) -> str:
    return repr(node[name]) if name in node else "none"
